"""One warm judge, which grades one hand-in after the other and is started anew when it dies."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from token_journey.errors import ClassError
from token_journey.foreign import foreign
from token_journey.grading.verdict import Verdict
from token_journey.player.process import ENDED

_COMMAND = [sys.executable, "-P", "-m", "token_journey.grading.server"]
_KIT = Path(__file__).resolve().parents[2]
# Of the clock, for one check: a player's limits end a stage long before, on any machine.
_SILENCE = 1200.0
_TRIES = 2
_SECONDS_TO_END = 10
# What Python raises where the jail says no, and what is said of what it ended.
_REFUSED = ("PermissionError", "MemoryError", "BlockingIOError", "OSError")
_ENDED = (*ENDED, "did not end in time")


@dataclass(frozen=True)
class JudgeTask:
    """What a worker needs to know of a hand-in, wherever it runs."""

    hand_in: str
    files: dict[str, bytes]
    packs: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """All that a judge said of it, or why it was lost."""

    hand_in: str
    verdicts: tuple[Verdict, ...] = ()
    open: tuple[str, ...] = ()
    lost: str = ""
    seconds: float = 0.0

    @property
    def stopped(self) -> list[str]:
        """What the jail stopped, as far as it was told: a sentence for each stage and story."""
        told = (f"{v.stage}: {v.message.splitlines()[0]}" for v in self.verdicts if _is_stopped(v))
        return list(dict.fromkeys(told))


def _is_stopped(verdict: Verdict) -> bool:
    if verdict.kind != "failed":
        return False
    said = verdict.message if verdict.subject == "cannot load" else verdict.subject
    refused = any(f"{kind} " in said or f"{kind}:" in said for kind in _REFUSED)
    return refused or any(ended in verdict.message for ended in _ENDED)


def _refuse_no_pack(packs: tuple[str, ...]) -> None:
    """Raises ClassError: whoever gave the task saw them, and this may be another machine."""
    for pack in packs:
        if not Path(pack, "pack.json").is_file():
            raise ClassError(
                f"There is no pack in {pack} on {socket.gethostname()}: put it where every machine "
                "of the cluster finds it."
            )


class WarmJudge:
    """Talks to the process; `close` ends it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""

    def grade(self, task: JudgeTask) -> Judged:
        """A hand-in that the judge does not survive is tried again, alone, and then lost."""
        began = time.perf_counter()
        _refuse_no_pack(task.packs)
        with tempfile.TemporaryDirectory(prefix="hand-in-") as folder:
            for name, source in task.files.items():
                Path(folder, name).write_bytes(source)
            for _ in range(_TRIES):
                verdicts, last = self._asked(folder, task.packs)
                if "id" in last:
                    break
                self.close()
        return Judged(
            task.hand_in,
            tuple(verdicts),
            tuple(last.get("open", ())),
            foreign(last.get("error", "")),
            round(time.perf_counter() - began, 2),
        )

    def _asked(self, folder: str, packs: tuple[str, ...]) -> tuple[list[Verdict], dict[str, Any]]:
        """The verdicts, and the line that ends them."""
        process = self._started()
        assert process.stdin
        question = {"id": 1, "paths": [folder], "packs": list(packs)}
        verdicts: list[Verdict] = []
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            while "verdict" in (said := json.loads(self._line(process))):
                verdicts.append(Verdict.from_json(said["verdict"]))
            return verdicts, said
        except (OSError, ValueError) as error:
            why = "said nothing for too long" if isinstance(error, TimeoutError) else "ended"
            return [], {"error": f"the judge {why} while it graded this: look at it by hand"}

    def _line(self, process: subprocess.Popen[bytes]) -> bytes:
        """Raises ValueError where it has ended, and TimeoutError."""
        assert process.stdout
        while b"\n" not in self._unread:
            ready, _, _ = select.select([process.stdout], [], [], _SILENCE)
            if not ready:
                raise TimeoutError
            if not (block := os.read(process.stdout.fileno(), 1 << 16)):
                raise ValueError
            self._unread += block
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _started(self) -> subprocess.Popen[bytes]:
        """Raises ClassError where none can be started, which is no hand-in's fault."""
        if self._process is None:
            self._unread = b""
            with tempfile.TemporaryFile() as said:
                self._process = subprocess.Popen(
                    _COMMAND,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    env={**os.environ, "PYTHONPATH": str(_KIT), "OMP_NUM_THREADS": "1"},
                )
                self._greet(self._process, said)
        return self._process

    def _greet(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        """A line that asks for nothing: who answers has course and packs open."""
        try:
            assert process.stdin
            process.stdin.write(b"\n")
            process.stdin.flush()
            self._line(process)
        except (OSError, ValueError):
            self.close()
            said.seek(0)
            why = said.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            raise ClassError(f"No judge can be started: {foreign(''.join(why))}") from None

    def close(self) -> None:
        """It ends with its standard input, and ends its players; or is killed."""
        if self._process is None:
            return
        process, self._process = self._process, None
        assert process.stdin and process.stdout
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def __enter__(self) -> WarmJudge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
