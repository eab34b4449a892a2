"""The desk: looks on while a stage is written, and says after each save what holds."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from token_journey.course.course import Course
from token_journey.course.stage import Stage
from token_journey.course.stubs import reset
from token_journey.errors import UserError
from token_journey.foreign import foreign
from token_journey.grading.verdict import Verdict
from token_journey.watch import screen
from token_journey.watch.hints import next_hint
from token_journey.watch.progress import Progress
from token_journey.watch.saves import Saves
from token_journey.watch.shapes import questions, quiz
from token_journey.watch.standing import afterwards
from token_journey.watch.terminal import Keyboard
from token_journey.watch.warm import Warm

_TICK = 0.05  # seconds between looks at the keys
# Seconds without a word from a stage after which it is ended. No check may compute for so long.
_SILENCE = 100.0


class Desk:
    """One learner's folder, watched.

    commands: what further keys do with the stage in work; each may raise UserError
    """

    def __init__(
        self,
        progress: Progress,
        course: Course,
        console: Console,
        keyboard: Keyboard,
        commands: Mapping[str, Callable[[Stage], object]],
    ):
        self._progress = progress
        self._course = course
        self._console = console
        self._keyboard = keyboard
        self._events: queue.Queue[Mapping[str, Any]] = queue.Queue()
        self._verdicts: dict[str, list[Verdict]] = {}
        self._printed: dict[str, dict[str, str]] = {}
        self._running = ""  # the check that was begun last
        self._waiting: list[str] = []  # stages of this run that are not judged yet
        self._heard = time.monotonic()
        self._notes: list[RenderableType] = []  # what stands below the verdict
        self._said_first = self._told_failure = False
        known = {stage.name: stage for stage in course.stages()}
        self._stage = known.get(progress.stage) or progress.next(course) or course.stages()[0]
        self._keys = {**commands, "h": self._hint, "n": self._next, "l": self._list}
        self._keys |= {"c": self._check_all, "s": self._shapes, "x": self._reset}
        self._keys |= {"r": lambda _: self._ask([self._stage.name])}

    def run(self) -> None:
        """Until `q` or Ctrl-C. Raises UserError where nothing can be judged."""
        self._draw(Text("Loading torch and the packs …", "dim"))
        self._warm = Warm(self._progress, self._events.put)
        self._saves = Saves(self._progress.folder, lambda: self._events.put({"saved": True}))
        polls = False
        try:
            while (key := self._keyboard.pressed()) != "q":
                self._press(key)
                if self._console.size != self._size:
                    self._draw()
                self._look(told=self._hear())
                if self._saves.polls and not polls:
                    polls = True
                    self._note("This file system reports no saves: looking five times a second.")
        finally:
            self._warm.close()
            self._saves.close()
            self._progress.stage = self._stage.name
            self._progress.write()

    # -- saves and verdicts -------------------------------------------------------

    def _hear(self) -> bool:
        """Take in what has happened; whether it was said that something was saved."""
        try:
            said = self._events.get(timeout=_TICK)
        except queue.Empty:
            if self._waiting and time.monotonic() - self._heard > _SILENCE:
                self._give_up()
            return False
        self._heard = time.monotonic()
        if "saved" in said:
            return True
        if "error" in said:
            raise UserError(str(said["error"]))
        self._take(said)
        return False

    def _take(self, said: Mapping[str, Any]) -> None:
        """One line of the judge's."""
        if "ready" in said:
            unknown = [s.name for s in self._course.stages() if not self._progress.is_judged(s)]
            self._ask([], [self._stage.name, *unknown])
        elif "judging" in said:
            self._waiting = list(said["judging"])
            self._running = ""
            for name in self._waiting:
                self._verdicts[name], self._printed[name] = [], {}
        elif "holds" in said:
            self._tell_first(said["check"], said["holds"], said["promise"])
        elif "check" in said:
            self._running = str(said["check"])
        elif "verdict" in said:
            self._keep(Verdict.from_json(said["verdict"]), said["printed"])
        elif "ended" in said:
            self._close(str(said["ended"]), said["why"])
        elif "done" in said:
            self._draw()

    def _look(self, told: bool) -> None:
        """Whether a stage was saved; what was not judged before is judged after it."""
        names = self._saves.changed(told)
        if not names:
            return
        stages = [stage for stage in self._course.stages() if stage.name in names]
        if stages and self._stage not in stages:
            self._stage = stages[0]
        mine = [self._stage.name] if self._stage in stages else []
        self._ask([*mine, *sorted(names - {*mine})], self._waiting)

    def _ask(self, saved: Sequence[str], also: Sequence[str] = ()) -> None:
        self._said_first = self._told_failure = False
        self._notes = []
        self._waiting = list(dict.fromkeys([*saved, *also]))
        self._verdicts.pop(self._stage.name, None)
        self._draw(Text("Judging …", "dim"))
        self._heard = time.monotonic()
        self._warm.ask(saved, also)

    def _tell_first(self, check: str, holds: bool, promise: str) -> None:
        """What failed last time is asked first, and said before its cause is known."""
        if self._said_first or not self._in_focus():
            return
        stand = self._progress.stands.get(self._stage.name)
        failed_before = stand is not None and check in stand.first
        if failed_before or not holds:
            self._said_first = True
            self._console.print(screen.first(promise, holds, failed_before))

    def _in_focus(self) -> bool:
        return self._waiting[:1] == [self._stage.name]

    def _keep(self, verdict: Verdict, printed: str) -> None:
        self._verdicts.setdefault(verdict.stage, []).append(verdict)
        self._printed.setdefault(verdict.stage, {})[verdict.check] = printed
        failed = verdict.kind in ("failed", "missing")
        if failed and self._in_focus() and not self._told_failure:
            self._told_failure = True
            self._console.print(screen.failure(verdict, printed))

    def _close(self, name: str, why: str | None) -> None:
        """A stage is judged, or its process ended."""
        self._waiting = [waiting for waiting in self._waiting if waiting != name]
        verdicts = self._verdicts.setdefault(name, [])
        if why is not None or not verdicts:
            said = f"{why or 'No check was run.'}"
            said += f" That was {name}.py, in {self._running}." if self._running else ""
            path, check = str(self._progress.folder), self._running or name
            verdicts.append(Verdict(path, name, check, "failed", message=said))
        self._running = ""
        was_done = self._progress.done(Stage(name))
        self._progress.note(name, verdicts)
        self._progress.write()
        if was_done and not self._progress.done(Stage(name)) and name != self._stage.name:
            self._notes.append(Text(f"{name}.py was right, and is not any more.", "red"))
        if name == self._stage.name:
            self._draw()

    def _give_up(self) -> None:
        name = self._waiting[0]
        self._ask([], self._waiting[1:])
        self._close(name, f"It did not answer for {_SILENCE:.0f} seconds, and was ended.")

    # -- the screen -----------------------------------------------------------------

    def _draw(self, *below: RenderableType) -> None:
        """All of it anew."""
        head = screen.head(self._progress, self._course, self._stage)
        notes = [Text(), *self._notes] if self._notes else []
        parts = [head, *self._verdict(), *notes, *below, Text(), screen.keys()]
        self._size = self._console.size
        self._console.clear()
        self._console.print(Group(*parts))

    def _verdict(self) -> list[RenderableType]:
        verdicts = self._verdicts.get(self._stage.name)
        if not verdicts or self._in_focus():
            return []
        printed = self._printed.get(self._stage.name, {})
        said = [screen.row(self._progress, self._course, self._stage), Text()]
        return [*said, *screen.failures(verdicts, printed), *map(Text, self._now())]

    def _now(self) -> list[str]:
        """What to do."""
        if self._waiting:
            return [f"Judging {', '.join(self._waiting)}, too …"]
        if self._progress.next(self._course) is None:
            return ["All ten stages are right.", "", *afterwards(self._progress.folder)]
        if self._progress.done(self._stage):
            return [f"Stage {self._stage.number} is right. Type n for the next one."]
        stand = self._progress.stands[self._stage.name]
        if stand.grade("", "").untouched:
            return ["Read the lesson in this file, write below it, and save. s asks for shapes."]
        return ["Change the file and save it. h gives a hint."] if stand.failed else []

    def _note(self, *said: str) -> None:
        self._notes += map(Text, said)
        self._draw()

    # -- keys -------------------------------------------------------------------------

    def _press(self, key: str) -> None:
        if key in self._keys:
            self._notes = []
            try:
                self._keys[key](self._stage)
            except UserError as error:
                self._note(foreign(str(error)))

    def _hint(self, stage: Stage) -> None:
        hint = next_hint(self._course, stage, self._progress)
        self._notes = [Text(hint.title, "bold cyan"), Text(), Text(hint.text), Text()]
        self._note(hint.after)

    def _next(self, stage: Stage) -> None:
        following = self._progress.next(self._course)
        if not self._progress.done(stage):
            self._note(
                f"Stage {stage.number} is not right yet. l chooses another one all the same."
            )
        elif following is None:
            self._note("There is no next stage: all are right.")
        else:
            self._go(following)

    def _go(self, stage: Stage) -> None:
        self._stage = stage
        self._progress.stage = stage.name
        self._ask([], [stage.name, *self._waiting])

    def _list(self, _: Stage) -> None:
        self._console.clear()
        self._console.print(screen.stages(self._progress, self._course))
        typed = self._typed("\nThe number of a stage, or Enter to go back: ")
        chosen = [s for s in self._course.stages() if str(s.number) == typed]
        if chosen:
            self._go(chosen[0])
        else:
            self._note(*([f"There is no stage {foreign(typed, 20)}."] if typed else []))

    def _check_all(self, stage: Stage) -> None:
        self._ask([], [stage.name, *(s.name for s in self._course.stages() if s != stage)])

    def _shapes(self, stage: Stage) -> None:
        self._console.clear()
        asked = list(questions(self._course, stage))
        if not asked:
            self._note(f"Stage {stage.number} has no tensors, and so no shapes.")
            return
        quiz(asked, self._typed, lambda text: self._console.print(Text(text)))
        self._typed("Enter goes back. ")
        self._draw()

    def _reset(self, stage: Stage) -> None:
        typed = self._typed(f"\nA fresh {stage.file}, your file kept beside it? Type yes: ")
        if typed.lower() not in ("yes", "y"):
            self._note("Nothing was changed.")
            return
        _, kept = reset(str(stage.number), self._course.reference, self._progress.folder)
        self._look(told=True)
        self._note(
            f"{stage.file} is a fresh stub." + (f" Your old file is {kept}." if kept else "")
        )

    def _typed(self, question: str) -> str:
        self._console.print(Text(question), end="")
        return self._keyboard.line()

    def lend(self, run: Callable[[], object]) -> None:
        """Let a program have the terminal, and draw anew when it is done."""
        with self._keyboard.lent():
            run()
        self._draw()
