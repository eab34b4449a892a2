"""When a stage file is saved: told by the system or, where that tells nothing, found by looking."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from watchfiles import watch

# Milliseconds without another change that end a save, and the longest that is waited for them.
_QUIET, _LONGEST = 15, 60
# Seconds between looks where events come, where none come, and to wait for an event.
_SELDOM, _OFTEN, _PATIENCE = 1.0, 0.2, 2.0

State = tuple[int, int, int]


class Saves:
    """What changed in a folder, by name without ending; `polls` once no events come from it."""

    def __init__(self, folder: Path, wake: Callable[[], object], *, events: bool = True):
        """wake: called from another thread when there may be something new"""
        self._folder = folder
        self._wake = wake
        self._seen = self._look()
        self._looked = time.monotonic()
        self._unheard = 0.0  # when a change was found that no event had told
        self.polls = not events
        self._over = threading.Event()
        if events:
            threading.Thread(target=self._listen, daemon=True).start()

    def changed(self, told: bool = False) -> set[str]:
        """What was saved or deleted since the last call. told: there was an event"""
        now = time.monotonic()
        if told:
            self._unheard = 0.0
        elif now - self._looked < (_OFTEN if self.polls else _SELDOM):
            return set()
        self._looked, before, self._seen = now, self._seen, self._look()
        found = {n for n in before | self._seen if before.get(n) != self._seen.get(n)}
        if found and not told and not self._unheard:
            self._unheard = now
        if self._unheard and now - self._unheard > _PATIENCE:
            self.polls = True
        return found

    def close(self) -> None:
        self._over.set()

    def _look(self) -> dict[str, State]:
        """Every stage file and helper, and how to tell that it is another one."""
        found: dict[str, State] = {}
        with suppress(OSError):
            for entry in os.scandir(self._folder):
                if entry.name.endswith(".py") and not entry.name.endswith(".old.py"):
                    with suppress(OSError):  # it is gone already
                        about = entry.stat()
                        found[entry.name[:-3]] = about.st_mtime_ns, about.st_size, about.st_ino
        return found

    def _listen(self) -> None:
        try:
            for _ in watch(
                self._folder,
                watch_filter=lambda _, path: path.endswith(".py"),
                debounce=_LONGEST,
                step=_QUIET,
                stop_event=self._over,
                recursive=False,
                raise_interrupt=False,
            ):
                self._wake()
        except OSError:  # the folder is gone, or the system has no room for another watch
            self.polls = True
