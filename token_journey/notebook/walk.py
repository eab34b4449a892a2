"""WalkableModel inside a notebook: what a cell returns is shown as the page, in place."""

from __future__ import annotations

import atexit
import sys
from contextlib import ExitStack
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from token_journey.course.course import find_course
from token_journey.journey.journey import Journey
from token_journey.journey.opening import SMOLLM2, WalkableModel, opened, published


def walk(
    text: str | None = None,
    model: str | None = None,
    *,
    impl: str | Path | None = None,
    layer: int = 0,
) -> Journey:
    """A sentence's journey; a notebook shows it as a page, and its tensors are at hand.

    text:  the sentence; with neither a text nor a model it is the published walk of Aitana-2B-S
    model: `smollm2` (the default for a text), a pack, a folder or a repository on the hub; it
           is loaded once, and stays
    impl:  a folder of stages that walk it, such as "exercises"
    layer: the one to look into

    Raises JourneyError, and what opening a model raises.
    """
    if text is None and model is None and impl is None:
        return published(find_course()).walk(layer=layer)
    folder = None if impl is None else Path(impl)
    return _opened(model or SMOLLM2).walk(text, layer, folder)


def _framed(journey: Journey) -> str:
    from token_journey.journey.page.page import framed

    return framed(journey)


def _told(journey: Journey, printer: Any, cycle: bool) -> None:
    """In twelve lines, where no page can be shown."""
    from rich.console import Console

    from token_journey.journey.terminal.summary import summary

    text = StringIO()
    summary(journey, Console(file=text, markup=False, width=100))
    printer.text(text.getvalue())


def show_journeys_as_pages() -> None:
    """Tell IPython, where this is one of its sessions, how a cell shows a journey."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        shell.display_formatter.formatters["text/html"].for_type(Journey, _framed)
        shell.display_formatter.formatters["text/plain"].for_type(Journey, _told)


show_journeys_as_pages()


@cache
def _opened(model: str) -> WalkableModel:
    keeping = ExitStack()
    atexit.register(keeping.close)
    return keeping.enter_context(opened(model, find_course()))
