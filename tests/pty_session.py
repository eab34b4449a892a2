"""A command in a terminal of its own, driven as a person would: type, and wait for what appears."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

# Nothing here is measured: this only keeps a broken desk from hanging the tests.
PATIENCE = 60.0
CLEAR = "\x1b[2J"
_ESCAPES = re.compile(r"\x1b\][^\x1b\x07]*(?:\x1b\\|\x07)|\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")


class Terminal:
    """`screen` is what was written since something was typed, from the last clearing on."""

    def __init__(self, *command: str, cwd: Path, columns: int = 80, rows: int = 50, **environment):
        given = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "", **environment}
        given = {name: value for name, value in given.items() if value}
        self.written = ""
        self.mark = 0
        self.status: int | None = None
        self.process, self.fd = pty.fork()
        if not self.process:
            os.chdir(cwd)
            os.execvpe(command[0], command, given)
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)

    @property
    def screen(self) -> str:
        return plain(self.written[self.mark :].rpartition(CLEAR)[2])

    def type(self, text: str) -> None:
        self.mark = len(self.written)
        os.write(self.fd, text.encode())

    def expect(self, text: str, gone: str = "") -> str:
        """Wait until it stands on the screen, and `gone` does not; all of the screen."""
        until = time.monotonic() + PATIENCE
        while text not in flat(self.screen) or (gone and gone in flat(self.screen)):
            assert time.monotonic() < until, f"no {text!r} on the screen:\n{self.screen}"
            assert self.read(0.2) or self.status is None, f"no {text!r}, but:\n{self.screen}"
        return self.screen

    def read(self, seconds: float) -> bool:
        """Take in what is written now; whether something was."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            given = os.read(self.fd, 1 << 16)
        except OSError:  # Linux's way to say that nobody has the other end any more
            given = b""
        if not given:
            self.end()
        self.written += given.decode(errors="replace")
        return bool(given)

    def ended(self) -> int:
        """Wait for the end; the exit code."""
        until = time.monotonic() + PATIENCE
        while self.status is None:
            assert time.monotonic() < until, f"it does not end:\n{self.screen}"
            self.read(0.2)
        return self.status

    def end(self) -> None:
        if self.status is None:
            _, status = os.waitpid(self.process, 0)
            self.status = os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        if self.status is None:
            os.kill(self.process, signal.SIGKILL)
            self.end()
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def plain(text: str) -> str:
    """Without colours, links and carriage returns."""
    return _ESCAPES.sub("", text).replace("\r", "")


def flat(text: str) -> str:
    """In one line, so that it does not matter where a narrow terminal breaks it."""
    return " ".join(text.split())


def desk(folder: Path, *arguments: str, **options) -> Terminal:
    """`token-journey watch` in a folder."""
    command = [sys.executable, "-m", "token_journey", "watch", *arguments]
    return Terminal(*command, cwd=folder, **options)
