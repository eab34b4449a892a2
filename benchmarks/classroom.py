"""What it costs to grade a class, and whether the same comes out however it is graded.

    python benchmarks/classroom.py make FOLDER COUNT     a class of made-up hand-ins
    python benchmarks/classroom.py measure FOLDER [N]    grade it with 1 and with 2 workers, and
                                                         N of its hand-ins with pytest instead
    python benchmarks/classroom.py kill FOLDER           grade it, killed three times and resumed

A class is a quarter right, two quarters half-done or wrong in the ways of tests/, an eighth of
right ones that look unusual, some stubs, and one in twenty hostile. CPU seconds are those of a
command and of all that it started. A right hand-in is measured apart from the others by a class
of its own: `make FOLDER COUNT right`.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from token_journey.course.course import find_course
from token_journey.course.stubs import write_stubs

COURSE = find_course()
TESTS = COURSE.home / "tests"
COMMAND = [sys.executable, "-m", "token_journey", "class"]


# -- made-up hand-ins -------------------------------------------------------------------------


def make(folder: Path, count: int, kind: str = "") -> None:
    """The same class every time."""
    chance = random.Random(0)
    wrong = sorted(TESTS.glob("course/*/wrong/*/s*.py"))
    unusual = sorted(TESTS.glob("course/*/right/*/s*.py"))
    hostile = sorted(TESTS.glob("grading/hostile/*_*.py"))
    for index in range(count):
        place = folder / f"student {index:05}"
        place.mkdir(parents=True)
        what = kind or _kind(index, chance)
        shutil.copytree(COURSE.reference, place, dirs_exist_ok=True, ignore=_not_stages)
        if what == "wrong":  # in one to three stages, and the last ones not written
            for file in chance.sample(wrong, chance.randint(1, 3)):
                shutil.copy(file, place / file.name)
            _unwrite(place, chance.choice((0, 0, 1, 3, 5)))
        elif what == "unusual":
            for file in chance.sample(unusual, 3):
                shutil.copy(file, place / file.name)
        elif what == "half":
            _unwrite(place, chance.randint(2, 9))
        elif what == "hostile":
            shutil.copy(chance.choice(hostile), place / "s03_rms_norm.py")


def _kind(index: int, chance: random.Random) -> str:
    if index % 20 == 7:
        return "hostile"
    return chance.choice(("right", "right", "wrong", "wrong", "wrong", "half", "half", "unusual"))


def _not_stages(_: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith("s") or not name.endswith(".py")]


def _unwrite(place: Path, count: int) -> None:
    """The last stages are stubs."""
    files = sorted(place.glob("s*.py"))
    for file in files[len(files) - count :]:
        file.unlink()
    write_stubs(COURSE.reference, place)


# -- measuring --------------------------------------------------------------------------------


def measured(command: list[str]) -> tuple[float, float, float]:
    """CPU seconds, seconds of the clock, and the memory of the largest process in MB."""
    began, before = time.perf_counter(), _used()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    return _used() - before, time.perf_counter() - began, largest


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(folder: Path, by_pytest: int) -> None:
    count = len(list(folder.iterdir()))
    found = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as out:
            command = [*COMMAND, str(folder), "--out", out, "--workers", f"{workers}"]
            cpu, clock, memory = measured(command)
            found.append(without_times(Path(out)))
        print(
            f"{count} hand-ins, {workers} at a time: {cpu / count:6.2f} CPU seconds and "
            f"{clock / count:6.2f} of the clock each; largest process {memory:,.0f} MB"
        )
    print(f"the same with 1 and 2 workers: {found[0] == found[1]}")
    if by_pytest:
        cpu, clock = _by_pytest(sorted(folder.iterdir())[:by_pytest])
        print(f"{by_pytest} by pytest, two at a time: {cpu:6.2f} CPU seconds, {clock:6.2f} each")


def _by_pytest(folders: list[Path]) -> tuple[float, float]:
    """A fresh process a hand-in, which is not jailed."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    began, before, running = time.perf_counter(), _used(), []
    for folder in folders:
        if len(running) == 2:
            running.pop(0).wait()
        process = subprocess.Popen([*command, folder], stdout=subprocess.DEVNULL)
        running.append(process)
    for process in running:
        process.wait()
    return (_used() - before) / len(folders), (time.perf_counter() - began) / len(folders)


def without_times(out: Path) -> Iterator[bytes] | list[bytes]:
    """The lines of all results, without what a clock said."""
    return [json.dumps(_timeless(json.loads(line))).encode() for line in _lines(out)]


def _lines(out: Path) -> list[bytes]:
    return (out / "results.jsonl").read_bytes().splitlines()


def _timeless(line: dict) -> dict:
    for stage in line["stages"]:
        stage.pop("seconds")
    return {name: value for name, value in line.items() if name != "seconds"}


def kill(folder: Path) -> None:
    """Three times at random moments, and then resumed."""
    chance = random.Random()
    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as pieces:
        command = [*COMMAND, str(folder), "--workers", "2", "--out"]
        _, clock, _ = measured([*command, whole])
        for _ in range(3):
            process = subprocess.Popen(
                [*command, pieces, "--resume"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            time.sleep(chance.uniform(0.1, 0.4) * clock)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            file = Path(pieces, "results.jsonl")
            known = file.read_bytes().count(b"\n") if file.exists() else 0
            print(f"killed with {known} of {len(list(folder.iterdir()))} hand-ins known")
        measured([*command, pieces, "--resume"])
        same = without_times(Path(whole)) == without_times(Path(pieces))
        tables = [Path(place, "grades.csv").read_bytes() for place in (whole, pieces)]
        print(f"the same results: {same}; the same grades.csv: {tables[0] == tables[1]}")


def main() -> None:
    what, folder, *more = sys.argv[1:]
    if what == "make":
        make(Path(folder), int(more[0]), *more[1:])
    elif what == "measure":
        measure(Path(folder), int(more[0]) if more else 0)
    else:
        kill(Path(folder))


if __name__ == "__main__":
    main()
