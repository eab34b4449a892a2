"""Memory: how much is free, and what was freed given back to the system."""

from __future__ import annotations

import ctypes
import sys


def free_memory() -> int:
    """How many bytes programs can still have."""
    import psutil  # not there where only grading is installed

    free: int = psutil.virtual_memory().available
    return free


def give_back() -> None:
    """Let the C library part with what it keeps for later use.

    glibc keeps what was freed in pieces below 32 MB. A layer is made of those, and so
    is a vocabulary, and what comes after them is made of others.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "malloc_trim"):  # other C libraries have none
            libc.malloc_trim(0)
