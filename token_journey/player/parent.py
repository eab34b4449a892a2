"""What players are forked from: a process that holds torch, and no pack, check or reference.

It works with one thread, never runs an operation, and does what the judge says: start a
player on a socket, end one and say how it ended.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from typing import Any, NoReturn


def main(sock: socket.socket) -> NoReturn:
    """Serve one judge until it is gone; players go with it."""
    _prepare()
    players: set[int] = set()
    while True:
        data, given, _, _ = socket.recv_fds(sock, 1 << 16, 1)
        if not data:
            break
        asked = json.loads(data)
        if asked["do"] == "start":
            answer = _start(asked, given[0], sock, players)
        else:
            answer = _end(asked["player"], players)
        sock.send(json.dumps(answer).encode())
    for player in list(players):
        _end(player, players)
    os._exit(0)


def _prepare() -> None:
    import einops  # noqa: F401
    import jaxtyping  # noqa: F401
    import torch

    from token_journey.player import server  # noqa: F401

    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()  # so that a player's collector leaves what it shares with others alone
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a person's Ctrl-C is the judge's business


def _start(
    asked: dict[str, Any], given: int, sock: socket.socket, players: set[int]
) -> dict[str, Any]:
    player = os.fork()
    if not player:
        _play(asked, given, sock)
    os.close(given)
    players.add(player)
    return {"player": player}


def _play(asked: dict[str, Any], given: int, sock: socket.socket) -> NoReturn:
    try:
        sock.close()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _only(given)
        from token_journey.player.protocol import Channel
        from token_journey.player.server import Server

        Server(Channel(socket.socket(fileno=given))).serve()
    finally:
        os._exit(0)


def _only(given: int) -> None:
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
        return {"status": 0}
    players.discard(player)
    ended, status = os.waitpid(player, os.WNOHANG)
    if not ended:
        os.kill(player, signal.SIGKILL)
        os.waitpid(player, 0)
        return {"status": None}
    return {"status": os.waitstatus_to_exitcode(status)}


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
