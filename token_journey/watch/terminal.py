"""Single keys and typed lines from a terminal, which is left as it was."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

# What an arrow or a function key sends.
_SEQUENCE = re.compile(r"\x1b(\[[0-9;?]*.|O.|.)?", re.DOTALL)


class Keyboard(Protocol):
    def pressed(self) -> str:
        """The key that was pressed, or nothing."""

    def line(self) -> str:
        """A typed line, without its end."""

    @contextmanager
    def lent(self) -> Iterator[None]:
        """The terminal as it was, for an editor or a question."""


class Terminal:
    """A Unix terminal: keys come one by one, and Ctrl-C still interrupts."""

    def __init__(self) -> None:
        import termios
        import tty

        self._termios, self._tty = termios, tty
        self._input = sys.stdin.fileno()
        self._typed: list[str] = []
        self._before = termios.tcgetattr(self._input)
        self._continued = signal.signal(signal.SIGCONT, lambda *_: self._take())
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of `close`
        self._take()

    def _take(self) -> None:
        self._tty.setcbreak(self._input)

    def close(self) -> None:
        signal.signal(signal.SIGCONT, self._continued)
        self._termios.tcsetattr(self._input, self._termios.TCSADRAIN, self._before)

    def pressed(self) -> str:
        if not self._typed and select.select([self._input], [], [], 0)[0]:
            given = os.read(self._input, 64)
            if not given:  # the window was closed
                raise KeyboardInterrupt
            self._typed = list(_SEQUENCE.sub("", given.decode(errors="replace")).lower())
        return self._typed.pop(0) if self._typed else ""

    def line(self) -> str:
        with self.lent():
            return os.read(self._input, 4096).decode(errors="replace").strip()

    @contextmanager
    def lent(self) -> Iterator[None]:
        self._termios.tcsetattr(self._input, self._termios.TCSADRAIN, self._before)
        try:
            yield
        finally:
            self._take()


class WindowsConsole:
    """Windows' console reads single keys without being told so."""

    def __init__(self) -> None:
        import msvcrt

        self._msvcrt: Any = msvcrt

    def close(self) -> None:
        """Nothing was changed."""

    def pressed(self) -> str:
        if not self._msvcrt.kbhit():
            return ""
        key: str = self._msvcrt.getwch()
        if key in "\x00\xe0":  # an arrow, and which one
            self._msvcrt.getwch()
            return ""
        if key == "\x03":
            raise KeyboardInterrupt
        return key.lower()

    def line(self) -> str:
        return sys.stdin.readline().strip()

    @contextmanager
    def lent(self) -> Iterator[None]:
        yield


@contextmanager
def keyboard() -> Iterator[Keyboard]:
    """The keys of this terminal, which is put back however the block ends."""
    terminal = WindowsConsole() if sys.platform == "win32" else Terminal()
    try:
        yield terminal
    finally:
        terminal.close()
