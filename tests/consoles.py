"""A command on a console that has few signs: one encoding, 60 columns, no colour."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass

import pytest

from token_journey.commands.main import main

FEW_SIGNS = ["cp1252", "ascii"]
ENCODINGS = [*FEW_SIGNS, "cp437", "utf-8"]


@dataclass(frozen=True)
class Said:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str


def said_on(encoding: str, line: list[str]) -> Said:
    """What a command writes where only an encoding's signs can be; no terminal, so no bars."""
    streams = [io.BytesIO(), io.BytesIO()]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COLUMNS", "60")
        patched.setenv("NO_COLOR", "1")
        for name, stream in zip(("stdout", "stderr"), streams, strict=True):
            patched.setattr(sys, name, io.TextIOWrapper(stream, encoding=encoding))
        code = main(line)
        sys.stdout.flush()
        sys.stderr.flush()
        out, err = (stream.getvalue().decode(encoding) for stream in streams)
    assert "\x1b" not in out + err and "\r" not in err
    return Said(code, out, err)
