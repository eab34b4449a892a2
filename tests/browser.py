"""A real browser for the tests of pages, and axe-core, which looks for barriers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from token_journey.course.course import find_course

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_AXE = Path(".venv", "npm", "node_modules", "axe-core", "axe.min.js")
# As root, and without anything that asks the network by itself.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESK, PHONE, NARROW = (
    {"width": 1280, "height": 900},
    {"width": 390, "height": 844},
    {"width": 360, "height": 780},
)


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser, through playwright; skips where there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("There is no Chromium here: install it to test the page in a browser.")
    api = pytest.importorskip(
        "playwright.sync_api",
        reason="playwright is not installed: `make test` installs what tests need.",
    )
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield browser
        browser.close()


def axe() -> str:
    """axe-core's script; skips where it was not fetched."""
    file = find_course().home / _AXE
    if not file.is_file():
        pytest.skip("axe-core is not here: `make test` fetches it where npm and a network are.")
    return file.read_text()


class Visit:
    """A page opened from disk, with all that it asked for and complained of."""

    def __init__(self, browser: Any, file: Path, size: dict[str, int] = DESK, **options: Any):
        self.context = browser.new_context(viewport=size, **options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.goto(file.as_uri())

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _dialog(self, dialog: Any) -> None:
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def unfold(self) -> None:
        """Open all that is folded, and draw all charts, as it would be on paper."""
        self.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        self.page.wait_for_function(
            "[...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('svg'))"
        )
