"""Files and folders: whole or not at all, their SHA-256, JSON, and where fetched ones lie."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Fill an empty folder that takes the place of `folder` when the block ends.

    What was at `folder` stays until then, and for good if the block raises. The
    new one grows beside it, so that the last step is a rename within one file
    system; it is removed if anything goes wrong. Raises OSError.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        # A folder inside the private one: it has the user's usual permissions.
        fresh, replaced = Path(scratch, "fresh"), Path(scratch, "replaced")
        fresh.mkdir()
        yield fresh
        if folder.exists():
            folder.rename(replaced)
        try:
            fresh.rename(folder)
        except OSError:
            if replaced.exists():
                replaced.rename(folder)
            raise


def write_whole(file: Path, content: bytes) -> None:
    """Write a file that takes the place of what is there once it is complete. Raises OSError."""
    # Inside a private folder it has the user's usual permissions.
    with tempfile.TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as scratch:
        fresh = Path(scratch, file.name)
        fresh.write_bytes(content)
        os.replace(fresh, file)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, read in pieces. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def plain_json(content: bytes, constant: Callable[[str], Any] | None = None) -> Any:
    """JSON in UTF-8 in which no name stands twice.

    constant: called with NaN and Infinity, which Python reads as numbers

    Raises ValueError and RecursionError.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) != len(pairs):
            raise ValueError("a name stands twice")
        return table

    return json.loads(content.decode(), object_pairs_hook=once, parse_constant=constant)


def cache_folder() -> Path:
    """Where fetched models lie: $TOKEN_JOURNEY_CACHE, or the platform's place for caches."""
    chosen = os.environ.get("TOKEN_JOURNEY_CACHE")
    return Path(chosen) if chosen else user_cache_path("token-journey", appauthor=False)
