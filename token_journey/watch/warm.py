"""The warm judge as the desk sees it: a process of its own that is asked, and answers in events."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from token_journey.watch.progress import Progress

Heard = Callable[[Mapping[str, Any]], object]
FORKS = sys.platform != "win32"
_KIT = str(Path(__file__).resolve().parents[2])


class Warm:
    """`ask` begins a run and ends the one before; what is said of it goes to `heard`."""

    def __init__(self, progress: Progress, heard: Heard, *, forks: bool = FORKS):
        """heard: called from another thread"""
        self._progress = progress
        self._heard = heard
        self._forks = forks
        self._run = 0
        self._idle = True
        self._closing = False
        self._start()

    def _start(self) -> None:
        here = [] if self._forks else ["--here"]
        paths = [_KIT, os.environ.get("PYTHONPATH")]
        module = [sys.executable, "-P", "-m", "token_journey.watch.judge"]
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [*module, str(self._progress.folder), *here],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,  # Ctrl-C is the desk's business
        )
        self._closing = False
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def ask(self, saved: Collection[str], also: Collection[str] = ()) -> None:
        if not self._forks and not self._idle:  # nothing else ends what it is doing
            self.close()
            self._start()
        self._run += 1
        self._idle = False
        first = {name: stand.first for name, stand in self._progress.stands.items()}
        asked = {"run": self._run, "saved": [*saved], "also": [*also], "first": first}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:  # it is gone, which `_listen` has said
            return

    def close(self) -> None:
        """End the judge, and with it what it runs."""
        self._closing = True
        assert self._process.stdin is not None
        with suppress(OSError, subprocess.TimeoutExpired):
            self._process.stdin.close()
            self._process.wait(2 if self._forks else 0)
        self._process.kill()
        self._process.wait()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                said = json.loads(line)
            except ValueError:  # a child was ended while it wrote
                continue
            if "ready" in said and self._run:  # it was started anew
                continue
            if said.get("run", self._run) == self._run:
                self._idle = self._idle or "done" in said
                self._heard(said)
        if process is self._process and not self._closing:
            self._heard({"error": self._last_words()})

    def _last_words(self) -> str:
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        why = f" ({lines[-1]})" if lines else ""
        return f"The process that judges has ended{why}: try once more, or type `pytest`."
