"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
