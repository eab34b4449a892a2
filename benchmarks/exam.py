"""The exam: how well a folder of submissions is judged, wrong ones and right ones.

    python benchmarks/exam.py FOLDER [--only s03] [--processes 1] [--results FILE]

A case is a folder with one stage file; all other stages are the reference's. Where it is
wrong, `cause.txt` lies beside it: the true cause; key words, of which a true message has one;
the pattern. A right one has none, but may say in `why.txt` what is odd about it. FILE gets a
line of JSON for each case when it ends; cases that it holds already are not graded again.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from token_journey.course.course import find_course
from token_journey.grading.run import Grader

CAUSE = "cause.txt"


def cases_in(folder: Path, only: str) -> list[Path]:
    return sorted({file.parent for file in folder.rglob("s[01][0-9]_*.py") if only in file.name})


def stage_file(case: Path) -> Path:
    (file,) = case.glob("s*.py")
    return file


# -- one case -------------------------------------------------------------------


def first_lines(message: str) -> str:
    """What the first message says of the cause, before what to read and what was checked."""
    told = " ".join(message.split()).lower()
    return told.partition(" read again")[0].partition(" checked:")[0]


def judged(message: str, named: bool, case: Path) -> str:
    """Whether the first message tells the true cause: rightly, untruly, or unknown."""
    _, words, *_ = (case / CAUSE).read_text(encoding="utf-8").splitlines()
    told = first_lines(message)
    if any(word.strip().lower() in told for word in words.split(",") if word.strip()):
        return "rightly"
    return "untruly" if named else "unknown"


def graded(grader: Grader, case: Path) -> dict[str, object]:
    """How a case was judged, as plain data."""
    with tempfile.TemporaryDirectory() as folder:
        for file in find_course().reference.glob("s*.py"):
            shutil.copy(file, folder)
        stage = Path(shutil.copy(stage_file(case), folder))
        grade = grader.grade(stage)
    failed = [verdict for verdict in grade.verdicts if verdict.kind != "passed"]
    first = failed[0] if failed else None
    wrong = (case / CAUSE).exists()
    return {
        "case": str(case),
        "wrong": wrong,
        "passed": grade.done,
        "told": judged(first.message, first.named, case) if wrong and first else "",
        "failed": [verdict.check for verdict in failed],
        "message": first.message if first else "",
        "seconds": sum(verdict.seconds for verdict in failed),
    }


def work(results: Path, cases: list[Path]) -> None:
    """Grade cases in this process, one line of results each."""
    grader = Grader()
    for case in cases:
        write(results, graded(grader, case))


# -- all cases ------------------------------------------------------------------


def write(results: Path, line: dict[str, object]) -> None:
    with results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def known(results: Path) -> dict[str, dict]:
    if not results.exists():
        return {}
    lines = map(json.loads, results.read_text(encoding="utf-8").splitlines())
    return {line["case"]: line for line in lines}


def work_through(results: Path, cases: list[Path]) -> None:
    """Grade cases in another process. One that ends it is lost alone, and said to be."""
    while left := [case for case in cases if str(case) not in known(results)]:
        command = [sys.executable, __file__, "--work", str(results), *map(str, left)]
        subprocess.run(command, stderr=subprocess.DEVNULL)
        rest = [case for case in left if str(case) not in known(results)]
        if rest:
            wrong = (rest[0] / CAUSE).exists()
            lost = {"passed": False, "told": "unknown", "failed": [], "seconds": 0.0}
            lost["message"] = "It ended the process that graded it."
            write(results, {"case": str(rest[0]), "wrong": wrong, **lost})


def shares(cases: list[Path], processes: int) -> Iterator[list[Path]]:
    return (cases[start::processes] for start in range(processes))


def report(lines: list[dict]) -> None:
    wrong = [line for line in lines if line["wrong"]]
    right = [line for line in lines if not line["wrong"]]
    caught = [line for line in wrong if not line["passed"]]
    refused = [line for line in right if not line["passed"]]
    told = {how: [line for line in caught if line["told"] == how] for how in TOLD}
    print(f"caught            {len(caught)} of {len(wrong)} wrong ones")
    for how, which in told.items():
        print(f"told {how:<12} {len(which)}")
    print(f"refused           {len(refused)} of {len(right)} right ones")
    seconds = [line["seconds"] / max(1, len(line["failed"])) for line in caught]
    if seconds:
        print(f"seconds a message {statistics.median(seconds):.2f} (median)")
    listed("Wrong, and passed", [line for line in wrong if line["passed"]])
    listed("Right, and refused", refused)
    listed("Told untruly", told["untruly"])
    listed("Not told", told["unknown"])


TOLD = "rightly", "untruly", "unknown"


def listed(title: str, lines: list[dict]) -> None:
    if lines:
        print(f"\n{title}")
    for line in lines:
        print(f"  {Path(line['case']).name}")
        if line["message"]:
            print(f"      {first_lines(line['message'])[:200]}")


def main() -> None:
    if sys.argv[1:2] == ["--work"]:
        results, *cases = map(Path, sys.argv[2:])
        return work(results, cases)
    parser = argparse.ArgumentParser(description="How well a folder of submissions is judged.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", metavar="STAGE", help="such as s03")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--results", type=Path, metavar="FILE", help="to begin, or to go on with")
    asked = parser.parse_args()
    cases = cases_in(asked.folder.resolve(), asked.only)
    with tempfile.TemporaryDirectory() as folder:
        results = asked.results or Path(folder) / "results.jsonl"
        with ThreadPoolExecutor(asked.processes) as pool:
            list(
                pool.map(lambda share: work_through(results, share), shares(cases, asked.processes))
            )
        lines = known(results)
        report([lines[str(case)] for case in cases])


if __name__ == "__main__":
    main()
