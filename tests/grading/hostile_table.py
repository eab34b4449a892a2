"""Judge every hostile stage file beside a right one, and write what came of it as a table.

    python tests/grading/hostile_table.py > docs/hostile.md

With names (or parts of them) only those are judged. `--results FILE` keeps what is known, so
that a run can be taken up again.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from token_journey.course.course import find_course
from token_journey.grading.collect import GIVEN, Given
from token_journey.grading.session import packs_of
from token_journey.packs.pack import Pack
from token_journey.player import process
from token_journey.player.process import Players

CASES = Path(__file__).parent / "hostile"
STAGE = "s03_rms_norm.py"
SECONDS = 120.0  # for one case: a minute of computing for its stage, and the machine's own
COLUMNS = ("marks", "neighbour", "files", "exit", "time", "message")


_KIT = re.compile(r"token_journey/\w+/\S*\.py:\d+|^pyfuncitem =", re.MULTILINE)


@dataclass
class Case:
    """A hostile file, and what a fair judge says of it."""

    file: Path
    family: str
    wants: str
    honest: str

    @classmethod
    def read(cls, file: Path) -> Case:
        first = file.read_bytes().partition(b"\n")[0].decode("utf-8", "replace")
        parts = [part.partition(":")[2].strip() for part in first.split("|")]
        if len(parts) < 3:
            parts = [file.name.partition("_")[0], "nothing", "red, there is no rms_norm"]
        return cls(file, *parts[:3])

    @property
    def colour(self) -> str:
        return re.split(r"\W", self.honest, maxsplit=1)[0]


@dataclass
class Result:
    """What came of a case. The columns are "ok", or what was wrong."""

    name: str
    marks: str
    neighbour: str
    files: str
    exit: str
    time: str
    message: str
    passed: int
    total: int
    seconds: float
    said: str

    @property
    def bad(self) -> list[str]:
        return [column for column in COLUMNS if getattr(self, column) != "ok"]


class Listener:
    """Hands a run what is open already, and keeps what it says."""

    def __init__(self, given: Given):
        self._given = given
        self.kinds: dict[str, Counter[str]] = {}
        self.messages: list[str] = []
        self.kit = False  # whether pytest showed the kit's own lines

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[GIVEN] = self._given

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        about = getattr(report, "token_journey", None)
        if about is not None:
            self.kinds.setdefault(Path(about["path"]).name, Counter())[about["kind"]] += 1
            if report.failed and Path(about["path"]).name == "case":
                self.messages.append(str(report.longrepr))
                self.kit |= bool(_KIT.search(self.messages[-1]))


def judged(case: Case, given: Given) -> Result:
    """One case beside its neighbour."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as made:
        place = Path(made).resolve()
        (place / ".hostile-scratch").touch()
        for name, file in (("case", case.file), ("neighbour", find_course().reference / STAGE)):
            (place / name).mkdir()
            shutil.copy(file, place / name / STAGE)
        (place / "precious.txt").write_text("here before\n")
        before = fingerprints(place)
        began, listener, said = time.monotonic(), Listener(given), io.StringIO()
        asked = [str(place / name / STAGE) for name in ("case", "neighbour")]
        options = ["--isolated", "-p", "no:cacheprovider", "-q"]
        with redirect_stdout(said), redirect_stderr(said):
            code = int(pytest.main([*asked, *options], plugins=[listener]))
        seconds = time.monotonic() - began
        return result(case, listener, code, seconds, said.getvalue(), before == fingerprints(place))


def result(
    case: Case, listener: Listener, code: int, seconds: float, said: str, untouched: bool
) -> Result:
    mine = listener.kinds.get("case", Counter())
    beside = listener.kinds.get("neighbour", Counter())
    total, full = sum(mine.values()), set(mine) == {"passed"}
    kit = listener.kit or "INTERNALERROR" in said
    first = " ".join(listener.messages[0].split()) if listener.messages else ""
    green = full and set(beside) == {"passed"}
    columns = {
        "marks": case.colour == "red" and full and "full marks",
        "neighbour": set(beside) != {"passed"} and f"{dict(beside)}",
        "files": not untouched and "changed",
        "exit": code != (0 if green else 1) and f"exit code {code}",
        "time": seconds > SECONDS and f"{seconds:.0f} s",
        "message": ((kit and "the kit's traceback") or (not full and not first and "none")),
    }
    told = {column: wrong or "ok" for column, wrong in columns.items()}
    if case.colour == "green" and not full:
        told["marks"] = f"{mine['passed']} of {total}"
    return Result(
        name=case.file.stem,
        passed=mine["passed"],
        total=total,
        seconds=round(seconds, 1),
        said=first[:160],
        **told,
    )


def fingerprints(place: Path) -> dict[str, str]:
    """Every file below a place, and what is in it; Python's own caches don't count."""
    return {
        str(file.relative_to(place)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(place.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def table(cases: dict[str, Case], results: list[Result]) -> Iterator[str]:
    clean = sum(not result.bad for result in results)
    left = len(cases) - len(results)
    yield "# Hostile stage files, with `--isolated`"
    yield ""
    yield (
        f"{len(results)} stage files of an attacker or an unlucky student, each judged beside a "
        f"right one: {clean} have no bad cell{f', {left} are still to be judged' if left else ''}. "
        "Made by `python tests/grading/hostile_table.py`; "
        "`docs/judge-and-player.md` says why it holds."
    )
    yield ""
    yield (
        "A cell is empty where all is well: *marks*, wrong code without full marks; *neighbour*, "
        "the right stage beside it done; *files*, none outside changed; *exit*, the exit code "
        "honest; *time*, bounded; *message*, a sentence and no traceback of the kit's."
    )
    yield ""
    yield "| case | wants | a fair judge | checks | seconds | " + " | ".join(COLUMNS) + " |"
    yield "|" + "---|" * (5 + len(COLUMNS))
    for found in sorted(results, key=lambda result: result.name):
        case = cases[found.name]
        cells = ["" if (told := getattr(found, c)) == "ok" else f"**{told}**" for c in COLUMNS]
        about = [found.name.replace("_", " "), case.wants, case.colour]
        about += [f"{found.passed}/{found.total}", f"{found.seconds:.0f}"]
        yield "| " + " | ".join(cell.replace("|", "/") for cell in [*about, *cells]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of cases")
    parser.add_argument("--results", type=Path, help="where to keep what is known")
    parser.add_argument("--known", action="store_true", help="judge nothing more: write the table")
    options = parser.parse_args()
    cases = {file.stem: Case.read(file) for file in sorted(CASES.glob("*.py"))}
    known: dict[str, Result] = {}
    if options.results and options.results.is_file():
        lines = options.results.read_text(encoding="utf-8").splitlines()
        known = {r.name: r for r in (Result(**json.loads(line)) for line in lines)}
    if options.known:
        print("\n".join(table(cases, list(known.values()))).replace("\0", "␀"))
        return
    wanted = [c for c in cases.values() if any(n in c.file.stem for n in options.names or [""])]
    jailed = process._environment() | {"HOSTILE_JAILED": "1"}
    process._environment = lambda: jailed
    players = Players()
    given = Given([Pack(p.folder) for p in packs_of(find_course())], (), players)
    for case in wanted:
        if case.file.stem in known:
            continue
        found = known[case.file.stem] = judged(case, given)
        bad = {column: getattr(found, column) for column in found.bad}
        print(
            f"{found.name}: {found.passed}/{found.total}, {found.seconds} s", bad, file=sys.stderr
        )
        if options.results:
            with options.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(found)) + "\n")
    players.close()
    shown = [known[case.file.stem] for case in wanted]
    print("\n".join(table(cases, shown)))


if __name__ == "__main__":
    main()
