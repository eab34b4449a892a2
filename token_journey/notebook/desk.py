"""A learner's desk in a notebook: cells become files, and a process beside the kernel judges them.

The kernel has threads, and perhaps CUDA, so nothing is forked from it, and no stage is run in it.
It is the judge of `token-journey watch`: each stage in a child of its own, where there is fork.
"""

from __future__ import annotations

import atexit
import queue
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from token_journey.course.course import find_course
from token_journey.course.kata import stages_around
from token_journey.course.notebook_cells import stage_called
from token_journey.course.stage import Stage
from token_journey.errors import UserError
from token_journey.grading.verdict import Verdict
from token_journey.notebook.cell import Written, write_cell
from token_journey.notebook.shown import Shown, graded, sentences, stage, table, together
from token_journey.watch.progress import Progress
from token_journey.watch.standing import Row, near, rows
from token_journey.watch.warm import Warm

# Seconds without a word after which a stage is ended; no check may compute for so long.
_SILENCE = 100.0

Show = Callable[[Shown], object]


class NotebookDesk:
    """What the magics of one kernel do."""

    def __init__(self, here: Path):
        self.course = find_course()
        self._here = here
        self._events: queue.Queue[Mapping[str, Any]] = queue.Queue()
        self._warm: Warm | None = None

    @cached_property
    def progress(self) -> Progress:
        """Of the stages around the notebook, made where there are none. Raises UserError."""
        return Progress.read(stages_around(self._here, self.course).resolve())

    def called(self, name: str) -> Stage:
        """The stage of that name or number; without a name the one in work.

        Raises UserError.
        """
        found = stage_called(name or self._in_work(), self.course.stages())
        if found is None:
            titles = ", ".join(each.title for each in self.course.stages())
            raise UserError(f"No stage is called {name!r}: choose one of {titles}.")
        return found

    def _in_work(self) -> str:
        """The stage that was judged last, while it is not right, else the first that is not."""
        last, to_do = self.progress.stage, self.progress.next(self.course)
        judged = last in self.progress.stands and not self.progress.stands[last].done
        return last if judged or to_do is None else to_do.name

    def standing(self) -> Shown:
        """The ten rows, and what is next."""
        to_do = self.progress.next(self.course)
        after = (
            f"Next: stage {to_do.number}, in a cell that begins with `%%stage {to_do.title}`."
            if to_do
            else "All ten stages are right. See them at work: `token-journey`, in a terminal."
        )
        where = f"Your stages in {near(self.progress.folder)}:"
        return together(sentences([where]), table(rows(self.progress, self.course)), _said(after))

    def judge(self, name: str, source: str, show: Show) -> None:
        """Write a cell and have it judged, with the stages that use it. Raises UserError."""
        one = self.called(name)
        cell = write_cell(one, source, self.progress.folder, self.course)
        self.progress.stage = one.name
        show(_said(f"Judging stage {one.number}, {one.title} …"))
        mine, using = sentences([]), list[Row]()
        for name, verdicts, printed in self._judged(one):
            self.progress.note(name, verdicts)
            self.progress.write()
            grade = self.progress.stands[name].grade("", name)
            if name == one.name:
                mine = together(stage(verdicts, printed, cell), self._footer(one, cell))
                show(mine)
            elif not grade.untouched:
                using.append(graded(grade))
                show(together(mine, _said("Stages that use it:"), table(using)))

    def _footer(self, one: Stage, cell: Written) -> Shown:
        kept = f" The file that was there is {near(cell.kept)}." if cell.kept else ""
        said = f"Written to {near(cell.file)}.{kept}"
        if not self.progress.done(one):
            return sentences([f"{said} Stuck? `%stage_hint {one.title}`"])
        to_do = self.progress.next(self.course)
        after = f"Next: stage {to_do.number}, {to_do.title}." if to_do else "`%journey` shows all."
        return sentences([f"{said} {after}"])

    # -- the process that judges ----------------------------------------------------

    def _judged(self, one: Stage) -> Iterator[tuple[str, list[Verdict], dict[str, str]]]:
        """Each stage that was judged, when it was: its verdicts, and what it printed by check."""
        verdicts: list[Verdict] = []
        printed: dict[str, str] = {}
        running, path = "", str(self.progress.folder)
        for said in self._told(one):
            running = str(said.get("check", running))
            if "verdict" in said:
                verdicts.append(Verdict.from_json(said["verdict"]))
                printed[verdicts[-1].check] = said["printed"]
            if "ended" in said:
                name, why = str(said["ended"]), said["why"]
                if why is not None or not verdicts:
                    message = f"{why or 'No check was run.'} That was in {running or 'no check'}."
                    verdicts.append(Verdict(path, name, running, "failed", message=message))
                yield name, verdicts, printed
                verdicts, printed = [], {}

    def _told(self, one: Stage) -> Iterator[Mapping[str, Any]]:
        """What the judge says of one run. Raises UserError where it has ended."""
        self._ask(one)
        heard = time.monotonic()
        done = False
        try:
            while not done:
                try:
                    said = self._events.get(timeout=1)
                except queue.Empty:
                    if time.monotonic() - heard < _SILENCE:
                        continue
                    why = f"It did not answer for {_SILENCE:.0f} seconds, and was ended."
                    said = {"ended": one.name, "why": why, "done": True}
                    self.close()
                heard = time.monotonic()
                if "error" in said:
                    raise UserError(str(said["error"]))
                done = "done" in said
                yield said
        finally:
            if not done:  # interrupted, or it has ended
                self.close()

    def _ask(self, one: Stage) -> None:
        if self._warm is None:
            self._events = queue.Queue()
            self._warm = Warm(self.progress, self._events.put)
            atexit.register(self._warm.close)
        self._warm.ask([one.name])

    def close(self) -> None:
        """End the process; another one is started when it is needed."""
        if self._warm is not None:
            atexit.unregister(self._warm.close)
            self._warm.close()
            self._warm = None


def _said(sentence: str) -> Shown:
    return sentences([sentence])
