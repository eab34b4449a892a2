"""What grading costs beside importing torch: CPU and wall time, memory, and the checkout's size.

    python benchmarks/grading.py [ROUNDS]

Every command runs once in each round, one after the other, so that whatever
else the machine does falls on all of them alike. Prints the medians, and how many times
as much CPU time as `import torch` each took. At the end: what it costs a check to fail
and be named, over the wrong submissions of the tests.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

HOME = Path(__file__).resolve().parent.parent
PYTEST = [sys.executable, "-m", "pytest", "-q"]
COMMANDS = {
    "import torch": [sys.executable, "-c", "import torch"],
    "pytest solutions/": [*PYTEST, "solutions/"],
    "pytest exercises/": [*PYTEST, "exercises/"],
    "pytest exercises/s03_rms_norm.py": [*PYTEST, "exercises/s03_rms_norm.py"],
    **{
        f"pytest solutions/{stage.name}": [*PYTEST, f"solutions/{stage.name}"]
        for stage in sorted((HOME / "solutions").glob("s*.py"))
    },
}


ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def run(command: list[str]) -> tuple[float, float, float]:
    """CPU seconds and wall seconds, and peak memory in MB, of one run."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=HOME, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, _, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    cpu = usage.ru_utime + usage.ru_stime
    return cpu, seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def checkout_megabytes() -> float:
    """A fresh clone, its history included."""
    folder = Path(tempfile.mkdtemp())
    try:
        clone = folder / "clone"
        subprocess.run(["git", "clone", "-q", f"file://{HOME}", str(clone)], check=True)
        return sum(f.stat().st_size for f in clone.rglob("*") if f.is_file()) / 1e6
    finally:
        shutil.rmtree(folder)


def seconds_a_check(stage: Path, report: Path) -> dict[str, tuple[float, str]]:
    """How long each check took on a stage file, and what a failed one said."""
    run([*PYTEST, str(stage), f"--junitxml={report}"])
    return {
        case.get("name", ""): (
            float(case.get("time", 0)),
            "".join(failure.get("message", "") for failure in case.findall("failure")),
        )
        for case in ElementTree.parse(report).iter("testcase")
    }


def naming() -> list[float]:
    """By how much longer checks take that fail and name the mistake, in seconds, sorted."""
    folder, costs = Path(tempfile.mkdtemp()), []
    try:
        for submission in sorted(
            (HOME / "tests" / "course" / "learners" / "wrong").glob("*/s*.py")
        ):
            shutil.copytree(HOME / "solutions", folder, dirs_exist_ok=True)
            stage, report = folder / submission.name, folder / "report.xml"
            right = seconds_a_check(stage, report)
            shutil.copy(submission, stage)
            for name, (seconds, said) in seconds_a_check(stage, report).items():
                if said.startswith("Failed: It looks as if"):
                    costs.append(seconds - right[name][0])
    finally:
        shutil.rmtree(folder)
    return sorted(costs)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    for command in COMMANDS.values():  # the first run of each writes its byte code
        run(command)
    measured = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            measured[name].append(run(command))
    base = statistics.median(cpu for cpu, _, _ in measured["import torch"])
    print(f"{'command':<40}{'CPU s':>7}{'times torch':>13}{'wall s':>8}{'peak MB':>9}")
    for name, runs in measured.items():
        cpu, seconds, memory = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{name:<40}{cpu:>7.2f}{cpu / base:>13.2f}{seconds:>8.2f}{memory:>9.0f}")
    costs = naming()
    print(
        f"\nNaming a mistake costs a failing check {statistics.median(costs):.3f} s (median of "
        f"{len(costs)}), {costs[int(0.95 * len(costs))]:.2f} s (95th of 100), at most "
        f"{costs[-1]:.2f} s."
    )
    print(f"\nA fresh clone weighs {checkout_megabytes():.1f} MB.")


if __name__ == "__main__":
    main()
