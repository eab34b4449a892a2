"""Start players, and end them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from token_journey.errors import IsolationError
from token_journey.player import parent
from token_journey.player.conversation import Conversation
from token_journey.player.protocol import MOST_BYTES, MOST_TEXT, Channel, Closed
from token_journey.player.remote import RemoteImplementation

_MOST_ALIVE = 4
# With what is said of a player that did not end by the judge's own will.
ENDED = ("The process that ran it was ended", "It ended Python itself")
_KIT = Path(__file__).resolve().parents[2]


class Players:
    """The warm parent and what was forked from it; `close` ends them all."""

    def __init__(self, strict: bool = False, *, fork: bool = False) -> None:
        """Start what players are forked from.

        strict: refuse to run anything where the jail is not whole
        fork:   nothing of course or packs was ever in this process, so it may be forked, which
                spares an import of torch; with threads or CUDA another one is started all the same
        """
        if not hasattr(socket, "SOCK_SEQPACKET") or sys.platform != "linux":
            raise IsolationError("--isolated needs Linux: grade in a container or without it.")
        self._strict = strict
        self.open: tuple[str, ...] = ()  # what can't be closed on this machine
        self._parent, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = _forked(theirs) if fork and _is_plain() else _started(theirs)
        theirs.close()
        self._alive: list[Conversation] = []
        self._readers: dict[Path, Conversation] = {}
        self.start(Path(os.sep)).end()  # what holds here, before anything is graded

    @property
    def holds(self) -> str:
        """What of the jail holds on this machine, in a sentence."""
        if self.open:
            return f"Isolated, but not all is closed on this machine: {'; '.join(self.open)}."
        return (
            "Isolated: no stage can read, write, connect to, start or signal anything, or grow "
            "without end."
        )

    def implementation(self, folder: Path, refusal: str | None = None) -> RemoteImplementation:
        return RemoteImplementation(folder, self, refusal)

    def start(self, folder: Path, spare: bool = False) -> Conversation:
        """A conversation with a new player, which may read this folder.

        spare: nothing is lost with what it keeps, so it makes room for others
        """
        self._make_room()
        ours, theirs = socket.socketpair()
        player = self._ask({"do": "start", "folder": str(folder)}, theirs)["player"]
        theirs.close()
        channel = Channel(ours, MOST_TEXT, MOST_BYTES)
        try:
            said, _ = channel.receive()  # before it has heard of the hand-in
        except Closed:
            raise IsolationError("A player could not be started: is there memory left?") from None
        self.open = tuple(map(str, said["open"]))
        if self.open and self._strict:
            raise IsolationError(
                f"--isolated=strict: not all is closed on this machine ({'; '.join(self.open)}): "
                "grade in a container (docs/instructors.md), or leave out strict."
            )
        kill, clock = partial(self._end, player), _cpu_clock_of(player)
        self._alive.append(Conversation(channel, kill, clock, spare))
        return self._alive[-1]

    def _make_room(self) -> None:
        """End spare players, and then those that were asked least lately."""
        self._alive = [player for player in self._alive if player.alive]
        idle = [player for player in self._alive if not player.busy]
        idle.sort(key=lambda player: (not player.spare, player.began))
        for player in idle[: max(len(self._alive) - _MOST_ALIVE, 0)]:
            player.end()

    def reader(self, folder: Path) -> Conversation:
        """One with a player that runs nothing of the folder, and only reads it."""
        known = self._readers.get(folder)
        if known is None or not known.alive:
            known = self.start(folder)
            self._readers = {folder: known}
        return known

    def _end(self, player: int, why: str) -> str:
        status = self._ask({"do": "end", "player": player})["status"]
        return _how(status, why)

    def _ask(self, question: dict[str, Any], *given: socket.socket) -> dict[str, Any]:
        data = json.dumps(question).encode()
        socket.send_fds(self._parent, [data], [sock.fileno() for sock in given])
        answer: dict[str, Any] = json.loads(self._parent.recv(1 << 16))
        return answer

    def close(self) -> None:
        """End all players, and what they are forked from."""
        for player in self._alive:
            player.end()
        self._parent.close()
        os.waitpid(self._process, 0)


def _started(sock: socket.socket) -> int:
    """Another Python, which imports torch anew."""
    command = [sys.executable, "-P", "-m", "token_journey.player.parent", str(sock.fileno())]
    return subprocess.Popen(
        command,
        pass_fds=[sock.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        env={**_environment(), "PYTHONPATH": str(_KIT)},
        cwd="/",
    ).pid


def _is_plain() -> bool:
    """Whether this process can be forked and go on computing in both."""
    return len(os.listdir("/proc/self/task")) == 1 and not torch.cuda.is_initialized()  # type: ignore[no-untyped-call]


def _forked(sock: socket.socket) -> int:
    """A copy of this process that keeps nothing of its files and its environment."""
    sys.stdout.flush()
    process = os.fork()
    if not process:
        try:
            parent.forget(_environment(), keep=sock.fileno())
            parent.main(sock)
        finally:
            os._exit(1)
    return process


def _cpu_clock_of(process: int) -> Callable[[], float]:
    """The seconds that a process has computed, by the kernel's own count."""

    def clock() -> float:
        try:
            return time.clock_gettime((~process << 3) | 2)
        except OSError:  # it is gone
            return 0.0

    return clock


def _environment() -> dict[str, str]:
    """What a player may know of the judge's environment."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in os.environ}
    return kept | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "KINETO_LOG_LEVEL": "99"}


def _how(status: int | None, why: str) -> str:
    """How a player ended, for a learner."""
    if why:
        return f"{ENDED[0]}: {why}."
    if status is not None and status < 0:
        name = signal.Signals(-status).name
        return f"{ENDED[1]}, with {name}."
    return f"{ENDED[1]}."
