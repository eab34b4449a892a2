# family: cheating | wants: the cached bytecode of the neighbour stage is the attacker's | honest: red, wrong numbers
import importlib.util
import marshal
import os
import struct
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

EVIL = "def rms_norm(x, weight, eps):\n    return x\n"


def poison(source):
    target = Path(importlib.util.cache_from_source(str(source)))
    info = source.stat()
    target.parent.mkdir(exist_ok=True)
    head = importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, int(info.st_mtime), info.st_size & 0xFFFFFFFF)
    target.write_bytes(head + marshal.dumps(compile(EVIL, str(source), "exec")))


folder = _beside()
for source in sorted(folder.glob("s0*.py")) if folder else []:
    poison(source)

def rms_norm(x, weight, eps):
    return x * weight  # wrong: nothing is divided
