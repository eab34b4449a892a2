"""A bar with the time that is left, on standard error, where somebody sees it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from token_journey.classroom.hand_ins import HandIn


@contextmanager
def progress(count: int) -> Iterator[Callable[[HandIn], None]]:
    done = TextColumn("hand-ins"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    left = TextColumn("left"), TimeRemainingColumn()
    console = Console(file=sys.stderr)
    with Progress(*done, *left, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=count)
        yield lambda hand_in: bar.advance(task)
