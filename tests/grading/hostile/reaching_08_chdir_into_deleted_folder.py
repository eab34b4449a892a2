# family: reaching | wants: the working directory is a folder that no longer exists | honest: either, the numbers are right, and no stage has need of what it asks for
import os
from pathlib import Path

import torch

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

root = _scratch()
if root:
    (root / "gone").mkdir(exist_ok=True)
    os.chdir(root / "gone")
    (root / "gone").rmdir()

def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
