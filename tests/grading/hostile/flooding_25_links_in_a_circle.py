# family: flooding | wants: links beside that lead to themselves, upward, to /proc and to /dev/zero | honest: red, wrong numbers
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

folder = _beside()
for name, target in {"loop.py": "loop.py", "up": "..", "all": "/proc", "s05_attention.py": "/dev/zero"}.items():
    if folder and not (folder / name).is_symlink() and not (folder / name).exists():
        (folder / name).symlink_to(target)

def rms_norm(x, weight, eps):
    return x * weight  # wrong: nothing is divided
