"""Players for the tests of players: one parent for all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from token_journey.course.under_test import StageUnderTest
from token_journey.errors import IsolationError
from token_journey.player.process import Players
from token_journey.player.remote import RemoteImplementation

STAGE = "s03_rms_norm"

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def players() -> Iterator[Players]:
    try:
        found = Players()
    except IsolationError as error:
        pytest.skip(str(error))
    yield found
    found.close()


Hand = Callable[[str], RemoteImplementation]


@pytest.fixture
def hand_in(players: Players, tmp_path: Path) -> Iterator[Hand]:
    """Makes an implementation from the source of one stage."""
    made: list[RemoteImplementation] = []

    def hand(source: str) -> RemoteImplementation:
        (tmp_path / f"{STAGE}.py").write_text(source, encoding="utf-8")
        made.append(players.implementation(tmp_path))
        return made[-1]

    yield hand
    for implementation in made:
        implementation.unload()


@pytest.fixture
def stage(hand_in: Hand) -> Callable[[str], StageUnderTest]:
    return lambda source: hand_in(source).under_test(STAGE)
