"""What players are forked from: a process that holds torch, and no pack, check or reference.

It works with one thread, never runs an operation, and does what the judge says: start a
player on a socket, end one and say how it ended.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from importlib import import_module
from pathlib import Path
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
    sys.dont_write_bytecode = True
    players: dict[int, Path] = {}
    paths = jail.importable()
    while True:
        data, given, _, _ = socket.recv_fds(sock, 1 << 16, 1)
        if not data:
            break
        asked = json.loads(data)
        if asked["do"] == "start":
            answer = _start(Path(asked["folder"]), given[0], sock, players, paths)
        else:
            answer = _end(asked["player"], players)
        sock.send(json.dumps(answer).encode())
    for player in list(players):
        _end(player, players)
    os._exit(0)


def _prepare() -> None:
    torch.set_num_threads(1)
    slowness()  # measured once for all
    torch.ones(2, 2) @ torch.ones(2, 2)  # it looks once at the processor, which a player can't
    for name in _LINKED:
        import_module(name)
    gc.collect()
    gc.freeze()  # so that a player's collector leaves what it shares with others alone
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a person's Ctrl-C is the judge's business


def _start(
    handed_in: Path,
    given: int,
    sock: socket.socket,
    players: dict[int, Path],
    paths: tuple[list[Path], list[Path]],
) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="player-"))
    player = os.fork()
    if not player:
        _play(handed_in, folder, given, sock, paths)
    os.close(given)
    players[player] = folder
    return {"player": player}


def _play(
    handed_in: Path,
    folder: Path,
    given: int,
    sock: socket.socket,
    paths: tuple[list[Path], list[Path]],
) -> NoReturn:
    """Become a player: shut the jail, say what of it does not hold, and serve."""
    end_at_once = os._exit
    try:
        sock.close()
        jail.die_with_parent()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _only(given)
        os.environ["TMPDIR"] = str(folder)
        tempfile.tempdir = None
        os._exit = sys.exit  # type: ignore[assignment]  # an exit like any other, with its line
        channel = Channel(socket.socket(fileno=given))
        channel.send({"open": jail.shut(handed_in, folder, paths)}, [])
        Server(channel).serve()
    finally:
        end_at_once(0)


def _only(given: int) -> None:
    """Keep one socket, and nothing of standard input and output."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    highest = max(int(fd) for fd in os.listdir("/proc/self/fd")) + 1
    os.closerange(3, given)
    os.closerange(given + 1, highest)


def _end(player: int, players: dict[int, Path]) -> dict[str, Any]:
    """Kill it, unless it has ended by itself, and say how it ended."""
    if player not in players:
        return {"status": None}
    ended, status = os.waitpid(player, os.WNOHANG)
    if not ended:
        os.kill(player, signal.SIGKILL)
        os.waitpid(player, 0)
    shutil.rmtree(players.pop(player), ignore_errors=True)
    return {"status": os.waitstatus_to_exitcode(status) if ended else None}


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
