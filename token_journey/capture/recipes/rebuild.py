"""The packs that the repository ships, and how each is made again.

`rebuild` makes them in a process of its own that is told, before torch starts,
to use one thread and none of the instructions that only some processors have,
so that the same versions give the same numbers to the last bit, again and again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from token_journey.course.course import find_clone
from token_journey.errors import PackError, install
from token_journey.packs.manifest import PUBLISHED

if TYPE_CHECKING:
    from token_journey.packs.writer import PackWriter

_SAME_EVERYWHERE = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}

# The exit code of a process that has said in one sentence why it can't.
_REFUSED = 3


def _published() -> PackWriter:
    from token_journey.capture.recipes.published import build_pack

    return build_pack(find_clone().packs / PUBLISHED / "figures.json")


def _smollm2() -> PackWriter:
    from token_journey.capture.recipes.smollm2 import build_pack

    return build_pack()


def _witness(name: str) -> Callable[[], PackWriter]:
    def recipe() -> PackWriter:
        from token_journey.capture.recipes.witnesses import build_pack

        return build_pack(name)

    return recipe


RECIPES: dict[str, Callable[[], PackWriter]] = {
    PUBLISHED: _published,
    "smollm2-135m": _smollm2,
    **{name: _witness(name) for name in ("witness-gqa", "witness-mha", "witness-mqa")},
}


def rebuild(names: Sequence[str], folder: Path) -> None:
    """Make packs again, each in `folder`/<name>.

    Raises PackError for a name that is none of ours, or where one can't be
    made; its one sentence is what the process that tried had to say.
    """
    for name in names:
        if name not in RECIPES:
            raise PackError(f"{name} is not one of the packs shipped: {', '.join(RECIPES)}.")
    if find_spec("transformers") is None:
        raise PackError(f"Making packs needs transformers: {install('models')}.")
    made = subprocess.run(
        [
            sys.executable,
            "-m",
            "token_journey.capture.recipes.rebuild",
            str(folder.resolve()),
            *names,
        ],
        env={**os.environ, **_SAME_EVERYWHERE},
        stderr=subprocess.PIPE,
        text=True,
        cwd=find_clone().home,
    )
    if made.returncode == _REFUSED:
        raise PackError(made.stderr.strip().splitlines()[-1])
    if made.returncode:
        # Nothing that a user can mend: show where it broke.
        raise RuntimeError(made.stderr)


def _build(folder: Path, names: Sequence[str]) -> int:
    import torch

    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    for name in names:
        try:
            RECIPES[name]().write(folder / name)
        except PackError as error:
            print(error, file=sys.stderr)
            return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(_build(Path(sys.argv[1]), sys.argv[2:]))
