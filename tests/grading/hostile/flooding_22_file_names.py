# family: flooding | wants: files beside with names of escapes, newlines, dashes, markup and bytes | honest: red, wrong numbers
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

NAMES = [
    b"-rf", b"--help", b"s03_rms_norm.py ", b"a\nb.py", b"\x1b[2J.py", b"\xff\xfe.py",
    b"[red].py", b"<b>.py", b"{{7}}.py", "\u202eyp.mron".encode(), b"a" * 255, b"test_x.py",
    b"s03_rms_norm.PY", b"s04_rope.py.py", b"*?[.py", b"$(id).py", b"'\"\\.py", b"con.py",
]


def rms_norm(x, weight, eps):
    folder = _beside()
    for name in NAMES if folder else []:
        path = os.path.join(os.fsencode(folder), name)
        if not os.path.exists(path):
            with open(path, "xb") as file:
                file.write(b"raise SystemExit(0)\n")
    return x * weight
