"""What is typed behind a command, as far as it can be judged before anything is loaded."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import NoReturn

from token_journey.foreign import foreign

_LONGEST_NAME = 1000


class Parser(argparse.ArgumentParser):
    """argparse's, which says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {foreign(message)}; see `{self.prog} --help`.\n")


def path(given: str) -> Path:
    """What can be the name of a file. Raises ArgumentTypeError."""
    _refuse_what_no_file_is_called(given)
    return Path(given)


def model(given: str) -> str:
    """The name of a model: a folder's, a pack's, one on the hub, an address."""
    if len(given) > _LONGEST_NAME:
        raise argparse.ArgumentTypeError(f"{foreign(given, 60)} is too long for a model's name")
    _refuse_what_no_file_is_called(given)
    return given


def text(given: str) -> str:
    """A prompt. Raises ArgumentTypeError for what is no text."""
    if not _is_text(given):
        raise argparse.ArgumentTypeError("the text is not UTF-8: type it anew")
    return given


def _is_text(given: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in given)


def _refuse_what_no_file_is_called(given: str) -> None:
    if not _is_text(given):  # which safetensors refuses when all is computed
        raise argparse.ArgumentTypeError(
            f"the name {foreign(given, 60)} is not UTF-8: choose another"
        )
    try:
        os.lstat(given)
    except (FileNotFoundError, NotADirectoryError):
        if not given:
            raise argparse.ArgumentTypeError("a name is missing") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds what no name can"
        raise argparse.ArgumentTypeError(f"{foreign(given, 60)} is no name: {why}") from None
