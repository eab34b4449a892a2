"""What a save costs at the desk, beside importing torch: until the first sentence, and in all.

    python benchmarks/watch.py [ROUNDS [STAGE … | memory]]

`token-journey watch` runs in a terminal of its own (a pty), and stages are really saved. In each
round every stage is saved three times: with a mistake that people make, with the mistake still in
it, and right. Of the last two the time is taken until the screen says that a check which failed
last time fails still, or holds now; and until the whole verdict of the stage is there. Between
them `import torch` is timed, so that whatever else the machine does falls on all alike. Prints the
medians. At the end: the memory of the desk and its judge over 200 saves.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation
from token_journey.course.misconceptions import rewrites_in
from token_journey.course.stage import Stage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from pty_session import Terminal, desk, plain

COURSE = find_course()
SAVES = 200
VERDICT = re.compile(r"[█░] +\d+/\d+")
SETTLED = re.compile(r"Type n for the next|All ten stages are right|Change the file and save it")


def import_torch() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - began


def with_a_mistake(stage: Stage) -> str:
    """The solution, with the first known mistake of its stage in it."""
    bank = Implementation(COURSE.checks / "misconceptions")
    mistake = rewrites_in(bank.module(stage.name))[0]
    bank.unload()
    return f"{right(stage)}\n\n{mistake.source}"


def right(stage: Stage) -> str:
    return (COURSE.reference / stage.file).read_text(encoding="utf-8")


def settle(terminal: Terminal) -> None:
    """Until there is nothing more to judge."""
    while not SETTLED.search(terminal.screen) or "Judging" in terminal.screen:
        assert terminal.read(60), terminal.screen


def save(terminal: Terminal, file: Path, text: str, sentence: str) -> tuple[float, float]:
    """Seconds until the first sentence, and until the verdict of the stage, of one save.

    What else is judged after it is left to be ended by the next save.
    """
    fresh = file.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    time.sleep(0.2)  # nobody saves sooner again
    terminal.mark = len(terminal.written)
    began = time.perf_counter()
    fresh.replace(file)
    first = 0.0
    while True:
        assert terminal.read(60), terminal.screen
        now = time.perf_counter() - began
        if not first and sentence in plain(terminal.written[terminal.mark :]):
            first = now
        if first and VERDICT.search(terminal.screen):
            return first, now


def rounds(
    folder: Path, stages: list[Stage], count: int
) -> Iterator[tuple[str, str, float, float]]:
    """Stage, kind of save, seconds to the first sentence and to the verdict."""
    wrong = {stage: with_a_mistake(stage) for stage in stages}
    with desk(folder) as terminal:
        settle(terminal)
        for _ in range(count):
            yield "", "import torch", import_torch(), 0.0
            for stage in stages:
                file = folder / stage.file
                save(terminal, file, wrong[stage], "It fails: ")
                yield (
                    stage.name,
                    "fails still",
                    *save(terminal, file, f"{wrong[stage]}\n#\n", "It fails still: "),
                )
                yield stage.name, "holds now", *save(terminal, file, right(stage), "It holds now: ")
        terminal.type("q")
        terminal.ended()


def memory(folder: Path) -> None:
    """Stage 1, which no other uses, saved again and again."""
    stage = Stage("s01_tokenize")
    with desk(folder, stage.file) as terminal:
        settle(terminal)
        watched = [psutil.Process(terminal.process)]
        watched += watched[0].children()
        before = 0.0
        for number in range(1, SAVES + 1):
            terminal.written, terminal.mark = "", 0
            (folder / stage.file).write_text(f"{right(stage)}\n# {number}\n", encoding="utf-8")
            while "Judging" not in terminal.written:
                terminal.read(60)
            settle(terminal)
            if number in (10, SAVES):
                sizes = [process.memory_info().rss / 1e6 for process in watched]
                told = ", ".join(f"{size:.1f}" for size in sizes)
                print(f"after {number} saves: desk, judge {told} MB", end="")
                print(f" ({sum(sizes) - before:+.1f} MB)" if before else "")
                before = sum(sizes)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    named = sys.argv[2:]
    stages = [s for s in COURSE.stages() if not named or str(s.number) in named]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "exercises"
        shutil.copytree(COURSE.reference, folder, ignore=shutil.ignore_patterns("__pycache__"))
        os.environ["TOKEN_JOURNEY_CACHE"] = place
        if named == ["memory"]:
            memory(folder)
            return
        measured: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for name, kind, first, verdict in rounds(folder, stages, count):
            measured.setdefault((name, kind), []).append((first, verdict))
        torch = statistics.median(first for first, _ in measured.pop(("", "import torch")))
        print(f"import torch: {torch:.2f} s (median of {count})\n")
        print(
            f"{'saved':<16}{'':<13}{'sentence s':>11}{'× torch':>9}{'verdict s':>11}{'× torch':>9}"
        )
        for (name, kind), times in measured.items():
            said, judged = (statistics.median(column) for column in zip(*times, strict=True))
            print(f"{name:<16}{kind:<13}{said:11.2f}{said / torch:9.2f}", end="")
            print(f"{judged:11.2f}{judged / torch:9.2f}", flush=True)
        if not named:
            memory(folder)


if __name__ == "__main__":
    main()
