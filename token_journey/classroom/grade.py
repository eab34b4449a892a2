"""Grade a class: what is known already is kept, and what is known now is written at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from token_journey.classroom.collecting import Collected, collect
from token_journey.classroom.engines import Engine
from token_journey.classroom.hand_ins import HandIn
from token_journey.classroom.judging import Judged, JudgeTask
from token_journey.classroom.likeness import fingerprint
from token_journey.classroom.result import Result, stage_results
from token_journey.classroom.results import Results, cannot_write
from token_journey.course.course import VERSION, Course
from token_journey.files import sha256_of

if TYPE_CHECKING:
    from token_journey.packs.pack import Pack


@dataclass
class Grading:
    """One run: what is judged by which course and packs, and into which file."""

    course: Course
    packs: Sequence[Path]
    results: Results
    regrade: bool = False
    heard: Callable[[HandIn], object] = lambda hand_in: None
    of_other_versions: int = 0
    _version: str = field(init=False)
    _packs: dict[str, str] = field(init=False)
    _held_back: list[str] = field(init=False)
    _waiting: dict[str, tuple[HandIn, Collected]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._version = version_of(self.course)
        opened = [_opened(pack) for pack in self.packs]
        # A pack's own description has the hashes of all its files.
        self._packs = {pack.name: sha256_of(pack.folder / "pack.json") for pack in opened}
        self._held_back = [pack.name for pack in opened if pack.held_back]

    def run(self, hand_ins: Sequence[HandIn], engine: Engine) -> None:
        """Raises ClassError; what is known then is written, and the next run goes on."""
        for judged in engine(self._orders(hand_ins)):
            hand_in, collected = self._waiting.pop(judged.hand_in)
            self._add(hand_in, collected, judged)
        self.results.tidy({hand_in.key for hand_in in hand_ins})

    def _orders(self, hand_ins: Sequence[HandIn]) -> Iterator[JudgeTask]:
        packs = tuple(str(pack.resolve()) for pack in self.packs)
        for hand_in in hand_ins:
            try:
                collected = collect(hand_in, self.course)
            except OSError as error:
                raise cannot_write(self.results.file.parent, error) from None
            if self._is_known(hand_in, collected):
                self.heard(hand_in)
            elif not collected.files:
                self._add(hand_in, collected, Judged(hand_in.key))
            else:
                self._waiting[hand_in.key] = hand_in, collected
                yield JudgeTask(hand_in.key, collected.files, packs)

    def _is_known(self, hand_in: HandIn, collected: Collected) -> bool:
        known = self.results.get(hand_in.key)
        if known is None or known.hash != collected.hash or known.lost:
            return False
        same = known.judged_by(self._version, self._packs)
        self.of_other_versions += not same
        if not same and self.regrade:
            return False
        if known.remarks != list(collected.remarks):  # what is judged is the same
            self.results.add(replace(known, remarks=list(collected.remarks)))
        return True

    def _add(self, hand_in: HandIn, collected: Collected, judged: Judged) -> None:
        stages = {stage.file: stage.name for stage in self.course.stages()}
        self.results.add(
            Result(
                hand_in.key,
                hand_in.name,
                hand_in.number,
                collected.hash,
                self._version,
                self._packs,
                self._held_back,
                stage_results(judged.verdicts),
                list(collected.remarks),
                {stages[n]: fingerprint(s) for n, s in collected.files.items() if n in stages},
                judged.stopped,
                list(judged.open),
                judged.lost,
                judged.seconds,
            )
        )
        self.heard(hand_in)


def _opened(folder: Path) -> Pack:
    """Raises PackError for a damaged one, before anything is judged by it."""
    from token_journey.packs.pack import Pack

    return Pack(folder)


def version_of(course: Course) -> str:
    """The course's number, and a hash of what judges: somebody may have changed a check."""
    files = [*course.checks.rglob("*.py"), *course.reference.glob("*.py")]
    files += course.packs.glob("*/pack.json")
    hashes = "".join(sha256_of(file) for file in sorted(files))
    return f"{VERSION}+{hashlib.sha256(hashes.encode()).hexdigest()[:8]}"
