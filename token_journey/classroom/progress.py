"""A bar with the time that is left, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from token_journey.classroom.hand_ins import HandIn


@contextmanager
def progress(count: int) -> Iterator[Callable[[HandIn], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = TextColumn("hand-ins"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    bar = Progress(
        *columns, TextColumn("left"), TimeRemainingColumn(), console=Console(file=sys.stderr)
    )
    with bar:
        task = bar.add_task("", total=count)
        yield lambda hand_in: bar.advance(task)
