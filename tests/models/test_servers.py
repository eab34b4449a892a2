"""Web servers that behave badly, each on loopback: a right answer, or one sentence in time.

What is right has seconds of patience, for a busy machine; what is wrong has none to lose.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from token_journey.errors import CheckpointError
from token_journey.models.source import HubRepository, WebFolder

CONTENT = bytes(range(256)) * 40
SHORT, LONG = 0.2, 5.0
Opened = Callable[["Server", float], WebFolder]


class Server(ThreadingHTTPServer):
    """Answers each request as `behave` says; `asked` counts them, `over` ends what stalls."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, behave: Callable[[Asked], None]):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behave = behave
        self.asked = 0
        self.over = threading.Event()

    def handle_error(self, *_: Any) -> None:
        """Whoever was asked hung up."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/api/") and "other" not in self.path:
            return self._describe()  # which is not counted
        self.server.asked += 1
        asked = self.headers.get("range", "bytes=0-0")
        begin, _, end = asked.removeprefix("bytes=").partition("-")
        self.server.behave(Asked(self, int(begin), int(end) + 1, self.server.asked))

    do_HEAD = do_POST = do_GET

    def _describe(self) -> None:
        """As the hub says what a repository has."""
        files = [{"rfilename": "model.safetensors", "size": len(CONTENT)}]
        about = {"id": "someone/small", "sha": 40 * "0", "siblings": files}
        content = json.dumps(about).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@dataclass
class Asked:
    """A request for bytes `begin` to `end`, the `count`th."""

    handler: _Handler
    begin: int
    end: int
    count: int

    @property
    def body(self) -> bytes:
        return CONTENT[self.begin : self.end]

    def start(self, status: int = 206, **head: str | None) -> None:
        told = {
            "Content-Length": str(len(self.body)),
            "Content-Range": f"bytes {self.begin}-{self.end - 1}/{len(CONTENT)}",
        }
        told |= {key.replace("_", "-"): value for key, value in head.items()}
        self.handler.send_response(status)
        for key, value in told.items():
            if value is not None:
                self.handler.send_header(key, value)
        self.handler.end_headers()

    def send(self, content: bytes) -> None:
        self.handler.wfile.write(content)
        self.handler.wfile.flush()

    def drip(self, content: bytes, step: int, seconds: float) -> None:
        for place in range(0, len(content), step):
            if self.handler.server.over.wait(seconds):
                return
            self.send(content[place : place + step])

    def stall(self) -> None:
        self.handler.server.over.wait(30)
        self.hang_up()

    def hang_up(self) -> None:
        self.handler.close_connection = True

    def reset(self) -> None:
        """An RST, not an end: what a machine that crashed sends."""
        linger = b"\x01\0\0\0\0\0\0\0"
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.handler.connection.close()
        self.hang_up()


@contextmanager
def serving(behave: Callable[[Asked], None]) -> Iterator[Server]:
    with Server(behave) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()


@pytest.fixture(params=["a web server", "the hub"])
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """What opens a server's files, as those of a folder or of a repository on the hub."""

    def source(server: Server, patience: float) -> WebFolder:
        address = f"http://127.0.0.1:{server.server_port}"
        if request.param == "a web server":
            return WebFolder(address, patience)
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        hub = HubRepository("someone/small", None, LONG)  # which is no test of its description
        hub._patience = patience
        return hub

    return source


def read(
    server: Server,
    patience: float,
    opened: Opened = lambda server, patience: WebFolder(
        f"http://127.0.0.1:{server.server_port}", patience
    ),
    begin: int = 16,
) -> bytes:
    end = len(CONTENT)
    into = bytearray(end - begin)
    source = opened(server, patience)
    source.read_into("model.safetensors", begin, memoryview(into))
    assert source.counted.total == end - begin
    return bytes(into)


# -- right answers, some of them late -----------------------------------------------------


def plain(asked: Asked) -> None:
    asked.start()
    asked.send(asked.body)


def fast_enough(asked: Asked) -> None:
    """More than a second in all, with patience for less."""
    asked.start()
    asked.drip(asked.body, 160, 0.02)


def chunks(asked: Asked) -> None:
    asked.start(Content_Length=None, Transfer_Encoding="chunked")
    for place in range(0, len(asked.body), 1000):
        part = asked.body[place : place + 1000]
        asked.send(f"{len(part):x}\r\n".encode() + part + b"\r\n")
    asked.send(b"0\r\n\r\n")


def without_length(asked: Asked) -> None:
    asked.start(Content_Length=None, Connection="close")
    asked.send(asked.body)
    asked.hang_up()


def moved_once(asked: Asked) -> None:
    if asked.handler.path.startswith("/there"):
        return plain(asked)
    asked.start(302, Location="/there/model.safetensors", Content_Length="0")


def breaks_off_twice(asked: Asked) -> None:
    asked.start(Connection="close")
    asked.send(asked.body[:1000] if asked.count < 3 else asked.body)
    asked.hang_up()


def stalls(after: int) -> Callable[[Asked], None]:
    def behave(asked: Asked) -> None:
        if after >= 0:
            asked.start()
            asked.send(asked.body[:after])
        asked.stall()

    return behave


def stalls_once(asked: Asked) -> None:
    return stalls(1000)(asked) if asked.count == 1 else plain(asked)


def once(status: int) -> Callable[[Asked], None]:
    def behave(asked: Asked) -> None:
        if asked.count > 1:
            return plain(asked)
        asked.start(status, Content_Length="0")

    return behave


def reset_once(asked: Asked) -> None:
    return asked.reset() if asked.count == 1 else plain(asked)


RIGHT: dict[str, tuple[Callable[[Asked], None], int]] = {
    "plain": (plain, 1),
    "a drip that is fast enough": (fast_enough, 1),
    "in chunks": (chunks, 1),
    "without a length": (without_length, 1),
    "moved": (moved_once, 2),
    "breaks off, twice": (breaks_off_twice, 3),
    "stalls in the middle, once": (stalls_once, 2),
    "reset, once": (reset_once, 2),
    **{f"{status}, once": (once(status), 2) for status in (408, 429, 500, 502, 503)},
}


@pytest.mark.parametrize("kind", RIGHT)
def test_what_arrives_is_right(kind: str, opened: Opened) -> None:
    behave, requests = RIGHT[kind]
    patience = 0.9 if behave in (fast_enough, stalls_once) else LONG
    with serving(behave) as server:
        begun = time.monotonic()
        assert read(server, patience, opened) == CONTENT[16:]
        assert behave is not fast_enough or time.monotonic() - begun > patience
        assert server.asked == requests or patience < LONG


def test_a_small_file_may_come_whole(opened: Opened) -> None:
    """Where all of it was asked for; a server that has ranges may do so for what it compresses."""
    with serving(plain) as server:
        source = opened(server, LONG)
        assert source.size("model.safetensors") == len(CONTENT)
    with serving(answering(200, CONTENT)) as server:
        source._base = f"http://127.0.0.1:{server.server_port}/"
        into = bytearray(len(CONTENT))
        source.read_into("model.safetensors", 0, memoryview(into))
        assert into == CONTENT
        with pytest.raises(CheckpointError, match="not served by byte ranges"):
            source.read_into("model.safetensors", 0, memoryview(into)[1:])


def test_what_broke_off_is_not_asked_for_again() -> None:
    begins = []

    def behave(asked: Asked) -> None:
        begins.append(asked.begin)
        breaks_off_twice(asked)

    with serving(behave) as server:
        assert read(server, LONG) == CONTENT[16:]
    assert begins == [16, 1016, 2016]


# -- wrong answers ------------------------------------------------------------------------


def answering(status: int = 206, body: bytes | None = None, **head: str | None) -> Any:
    def behave(asked: Asked) -> None:
        content = asked.body if body is None else body
        asked.start(status, **({"Content_Length": str(len(content))} | head))
        asked.send(content)

    return behave


def drips(asked: Asked) -> None:
    asked.start()
    asked.drip(asked.body, 1, 0.02)
    asked.hang_up()


def drips_its_head(asked: Asked) -> None:
    asked.send(b"HTTP/1.1 206 Partial Content\r\nX-Drip: ")
    asked.drip(b"x" * 2000, 1, 0.02)
    asked.hang_up()


def drips_chunks(asked: Asked) -> None:
    """A chunk's first line that never ends: not one byte of the body."""
    asked.start(Content_Length=None, Transfer_Encoding="chunked")
    asked.drip(b"0" * 2000, 1, 0.02)
    asked.hang_up()


def half(asked: Asked) -> None:
    """Each answer ends before half of what it promised."""
    asked.start(Connection="close")
    asked.send(asked.body[: len(asked.body) // 3])
    asked.hang_up()


def cut_with_a_right_length(asked: Asked) -> None:
    asked.start(Content_Length="5")
    asked.send(asked.body[:5])


def nothing_of_http(asked: Asked) -> None:
    asked.send(b"SSH-2.0-OpenSSH_9.6\r\n")
    asked.hang_up()


def more_than_asked_for(asked: Asked) -> None:
    asked.start(Content_Length=str(len(asked.body) + 1))
    asked.send(asked.body + b"!")


def in_a_circle(asked: Asked) -> None:
    asked.start(302, Location=asked.handler.path, Content_Length="0")


MOVING, CIRCLE = "made no progress for 0.2 seconds, in 3 tries", "can't be reached"
WRONG: dict[str, tuple[Callable[[Asked], None], str]] = {
    "stalls at once": (stalls(-1), MOVING),
    "stalls after its head": (stalls(0), MOVING),
    "stalls in the middle": (stalls(1000), MOVING),
    "drips": (drips, MOVING),
    "drips its head": (drips_its_head, MOVING),
    "drips chunks": (drips_chunks, MOVING),
    "hangs up at once": (lambda asked: asked.hang_up(), CIRCLE),
    "resets": (lambda asked: asked.reset(), CIRCLE),
    "always breaks off": (half, "in 3 tries"),
    "a short answer that says so": (cut_with_a_right_length, "broke off, in 3 tries"),
    "an empty answer": (answering(body=b""), "broke off, in 3 tries"),
    "no HTTP": (nothing_of_http, CIRCLE),
    "no length that is one": (answering(Content_Length="many"), CIRCLE),
    "more": (more_than_asked_for, "gave more than asked for"),
    "another range": (answering(Content_Range="bytes 0-99/10240"), "other bytes than asked for"),
    "a range beyond the file": (
        answering(Content_Range=f"bytes 16-{len(CONTENT) - 1}/100"),
        "other bytes than asked for",
    ),
    "no range": (answering(Content_Range=None), "does not say how large it is"),
    "a range without a size": (answering(Content_Range="bytes 16-10239/*"), "how large it is"),
    "a range in words": (answering(Content_Range="bytes ²-³/¹"), "how large it is"),
    "a size beyond sense": (
        answering(Content_Range=f"bytes 16-10239/{'9' * 5000}"),
        "how large it is",
    ),
    "the whole file": (answering(200, CONTENT), "not served by byte ranges"),
    "compressed": (answering(Content_Encoding="gzip"), "is sent compressed"),
    "a redirect in a circle": (in_a_circle, CIRCLE),
    "a redirect to a file": (answering(302, b"", Location="file:///etc/passwd"), CIRCLE),
    "401": (answering(401), "status 401: check the address"),
    "403": (answering(403), "status 403: check the address"),
    "always 500": (answering(500), "refused with status 500, in 3 tries"),
    "always 503": (answering(503, b"<html>later</html>"), "status 503, in 3 tries"),
    "always 429": (answering(429, Retry_After="100000"), "status 429, in 3 tries"),
    "not there": (answering(404), "broke off, in 3 tries"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_ends_in_one_sentence(kind: str, opened: Opened) -> None:
    behave, said = WRONG[kind]
    with serving(behave) as server:
        with pytest.raises(CheckpointError) as caught:
            read(server, SHORT if said == MOVING else LONG, opened)
        message = str(caught.value)
        assert said in message and message.endswith(".") and "\n" not in message
        assert len(message) < 300
        repeated = "in 3 tries" in message
        assert server.asked == (3 if repeated else 1) or said == CIRCLE


def test_sizes() -> None:
    with serving(plain) as server:
        source = WebFolder(f"http://127.0.0.1:{server.server_port}", LONG)
        assert source.size("model.safetensors") == source.size("model.safetensors") == len(CONTENT)
        assert server.asked == 1
    for status in (404, 416):
        with serving(answering(status)) as server:
            assert WebFolder(f"http://127.0.0.1:{server.server_port}", LONG).size("x") is None


def test_a_hub_that_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(stalls(-1)) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        with pytest.raises(CheckpointError, match="can't be opened on the hub"):
            HubRepository("someone/other", None, SHORT)


def test_nobody_is_left_listening() -> None:
    """The thread of an answer that was given up ends, too."""
    before = threading.active_count()
    with serving(stalls(0)) as server, pytest.raises(CheckpointError):
        read(server, SHORT)
    until = time.monotonic() + 30
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.05)
    assert threading.active_count() <= before
