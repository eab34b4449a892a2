"""All that one grading run knows. Nothing of it outlives the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch

from token_journey.course.course import Course
from token_journey.course.implementation import Implementation
from token_journey.course.installed import refuse_damage
from token_journey.course.stage import Stage
from token_journey.course.under_test import Stages
from token_journey.errors import PackError
from token_journey.grading.diagnosis.answers import Question
from token_journey.grading.diagnosis.bank import Bank
from token_journey.grading.diagnosis.doctor import Diagnosis, Doctor
from token_journey.grading.judge import Judge
from token_journey.packs.pack import Pack, find_packs
from token_journey.player.process import Players
from token_journey.player.remote import RemoteImplementation

# More than are told; what is not told needs no diagnosis.
DIAGNOSES_A_STAGE = 6


def packs_of(course: Course) -> list[Pack]:
    """The course's own packs, opened. Raises CourseError for an installed course with damage."""
    refuse_damage(course)
    try:
        return [Pack(folder) for folder in find_packs(course.packs)]
    except PackError:
        refuse_damage(course, packs=True)  # what mends it is not git there
        raise


class Session:
    """The course, its packs, and the folders that are being graded.

    With `one_thread` torch works on one while it lasts: the tensors are so
    small that waiting for a second thread costs more than it brings, above all
    on a machine that is busy grading others.
    """

    made = False  # whether this process ever held a course and its packs

    def __init__(
        self,
        course: Course,
        packs: list[Pack],
        asked_for: Sequence[Pack] = (),
        *,
        one_thread: bool = True,
        players: Players | None = None,
    ):
        """asked_for: those of the packs that a check must say of where it can't use them

        players: who starts processes for stages; without, they are run in this one
        """
        Session.made = True
        self._threads = torch.get_num_threads()
        if one_thread:
            torch.set_num_threads(1)
        self.course = course
        self.packs = packs
        self.asked_for = asked_for
        self.checks = Implementation(course.checks)
        self._misconceptions = Implementation(course.checks / "misconceptions")
        self.reference = Implementation(course.reference) if course.reference.is_dir() else None
        self._folders: dict[Path, Implementation] = {}
        self._players = players
        self._judges: list[Judge] = []
        self._endless: dict[Path, set[str]] = {}  # of each folder the stages that go on for ever
        self._banks: dict[Stage, Bank] = {}
        self._doctors: dict[Judge, Doctor] = {}
        self._diagnoses: dict[Judge, dict[str, Diagnosis]] = {}

    def judge(self, stage: Stage, folder: Path, refusal: str | None = None) -> Judge:
        """Who runs the checks on one stage file. refusal: why none of the folder is run, if so"""
        endless = self._endless.setdefault(folder, set())
        judge = Judge(stage, self._implementation(folder, refusal), self.reference, endless)
        self._judges.append(judge)
        return judge

    def bank(self, stage: Stage, reference: Implementation) -> Bank:
        """The known mistakes of a stage, written into a reference's."""
        if stage not in self._banks:
            self._banks[stage] = Bank(stage.name, reference, self._misconceptions)
        return self._banks[stage]

    def diagnosis(
        self,
        judge: Judge,
        question: Question,
        implementation: Stages,
        questions: Callable[[], Iterable[Question]],
    ) -> Diagnosis:
        """What is known of a failure: asked once for each check, and of a stage's first few.

        questions: all of the stage
        """
        if self.reference is None or judge.reference is None:
            return Diagnosis()  # a mistake is known by where the reference has none
        earlier = self._diagnoses.setdefault(judge, {})
        if question.of not in earlier:
            if len(earlier) == DIAGNOSES_A_STAGE:
                return Diagnosis()
            if judge not in self._doctors:
                bank = self.bank(judge.stage, self.reference)
                stage = judge.stage_in(implementation)
                self._doctors[judge] = Doctor(bank, stage, questions())
            earlier[question.of] = self._doctors[judge].diagnose(question)
        return earlier[question.of]

    def _implementation(self, folder: Path, refusal: str | None) -> Stages:
        """One package a folder, so that its stages share what they import; or a player a stage."""
        if self._players is not None:
            return self._players.implementation(folder, refusal)
        folder = folder.resolve()
        if folder not in self._folders:
            self._folders[folder] = Implementation(folder, refusal=refusal)
        return self._folders[folder]

    def grades(self, folder: Path) -> bool:
        """Whether this folder's stages are graded, or were."""
        return folder in self._folders

    def close(self) -> None:
        """Forget every module that was loaded, and give torch its threads back."""
        torch.set_num_threads(self._threads)
        for judge in self._judges:
            judge.unload()
            if isinstance(judge.folder, RemoteImplementation):
                judge.folder.unload()
        for folder in [self.checks, self._misconceptions, *self._folders.values()]:
            folder.unload()
        if self.reference:
            self.reference.unload()
