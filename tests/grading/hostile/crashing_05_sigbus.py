# family: crashing | wants: the process dies by SIGBUS on a shortened mapped file | honest: red, the process crashed
import mmap
import os
from pathlib import Path

def _scratch():
    """The throw-away folder, or None, and then nothing is written."""
    named = os.environ.get("HOSTILE_SCRATCH")
    if named and Path(named).is_dir() and not (Path(named) / ".git").exists():
        return Path(named).resolve()
    for start in (Path(globals().get("__file__") or ".").resolve().parent, Path.cwd()):
        for folder in (start, *start.parents):
            if (folder / ".hostile-scratch").is_file():
                return folder
    return None


def _beside():
    """The folder of this file if it lies in the scratch folder, else the scratch folder, else None."""
    root, here = _scratch(), Path(globals().get("__file__") or ".").resolve().parent
    return here if root and here.is_relative_to(root) else root


def rms_norm(x, weight, eps):
    root = _scratch()
    if root:
        path = root / "short.bin"
        path.write_bytes(b"0" * 8192)
        with path.open("r+b") as file:
            pages = mmap.mmap(file.fileno(), 8192)
        os.truncate(path, 0)
        pages[5000]
    return x * weight
