"""What players are forked from: a process that holds torch, and no pack, check or reference.

It works with one thread, never runs an operation, and does what the judge says: start a
player on a socket, end one and say how it ended.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import torch

from token_journey.guards.time_limit import slowness
from token_journey.player import jail
from token_journey.player.protocol import Channel
from token_journey.player.server import Server

# What a stage may import, and what of the standard library needs the system's own libraries,
# which a player can't read.
_LINKED = ("einops", "jaxtyping", "bz2", "ctypes", "decimal", "hashlib", "lzma", "sqlite3", "ssl")


def main(sock: socket.socket) -> NoReturn:
    """Serve one judge until it is gone; players go with it."""
    _prepare()
    players: set[int] = set()
    paths = jail.importable()
    try:
        while True:
            data, given, _, _ = socket.recv_fds(sock, 1 << 16, 1)
            asked = json.loads(data)
            if asked["do"] == "start":
                answer = _start(Path(asked["folder"]), given[0], sock, players, paths)
            else:
                answer = _end(asked["player"], players)
            sock.send(json.dumps(answer).encode())
    finally:  # there is no message any more: the judge is gone, and players go with their parent
        os._exit(0)


def _prepare() -> None:
    torch.set_num_threads(1)
    slowness()  # measured once for all
    torch.ones(2, 2) @ torch.ones(2, 2)  # it looks once at the processor, which a player can't
    for name in _LINKED:
        import_module(name)
    sys.dont_write_bytecode = True
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, _Allowed]
    gc.collect()
    gc.freeze()  # so that a player's collector leaves what it shares with others alone
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a person's Ctrl-C is the judge's business


class _Allowed(PathFinder):
    """Finds what a stage may import; of anything else Python says that it is not there."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top = fullname.partition(".")[0]
        if top[:1] == "_" or top in sys.stdlib_module_names or top in jail.PACKAGES:
            return PathFinder.find_spec(fullname, path, target)
        return None


def forget(environment: dict[str, str], keep: int) -> None:
    """In a copy of a judge: close its files, wipe its environment, and unload what graded."""
    os.setsid()
    os.chdir("/")
    close_all_but(keep)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    faulthandler.disable()
    for name, value in os.environ.items():  # the very bytes, which a player could read
        _wipe(os.fsencode(f"{name}={value}"))
    os.environ.clear()
    os.environ.update(environment)
    for name in [n for n in sys.modules if n.partition(".")[0] in ("pytest", "_pytest", "pluggy")]:
        del sys.modules[name]


def _wipe(line: bytes) -> None:
    """Overwrite a line of the environment where the C library keeps it."""
    place = ctypes.CDLL(None).getenv
    place.restype = ctypes.c_void_p
    name, _, value = line.partition(b"=")
    if at := place(name):
        ctypes.memset(at, 0, len(value))


def _start(
    handed_in: Path,
    given: int,
    sock: socket.socket,
    players: set[int],
    paths: tuple[list[Path], list[Path]],
) -> dict[str, Any]:
    player = os.fork()
    if not player:
        _play(handed_in, given, sock, paths)
    os.close(given)
    players.add(player)
    return {"player": player}


def _play(
    handed_in: Path, given: int, sock: socket.socket, paths: tuple[list[Path], list[Path]]
) -> NoReturn:
    """Become a player: shut the jail, say what of it does not hold, and serve."""
    end_at_once = os._exit
    try:
        sock.close()
        jail.die_with_parent()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        close_all_but(given)
        os.environ["TMPDIR"] = str(jail.FOLDER)
        tempfile.tempdir = None
        os._exit = sys.exit  # type: ignore[assignment]  # an exit like any other, with its line
        channel = Channel(socket.socket(fileno=given))
        channel.send({"open": jail.shut(handed_in, paths)}, [])
        Server(channel).serve()
    finally:
        end_at_once(0)


def close_all_but(given: int) -> None:
    """Keep one socket, and nothing of standard input and output."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    highest = max(int(fd) for fd in os.listdir("/proc/self/fd")) + 1
    os.closerange(3, given)
    os.closerange(given + 1, highest)


def _end(player: int, players: set[int]) -> dict[str, Any]:
    """Kill it, unless it has ended by itself, and say how it ended."""
    if player not in players:
        return {"status": None}
    ended, status = os.waitpid(player, os.WNOHANG)
    if not ended:
        os.kill(player, signal.SIGKILL)
        os.waitpid(player, 0)
    players.remove(player)
    return {"status": os.waitstatus_to_exitcode(status) if ended else None}


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
