"""`token-journey cost`: measure, or read what was measured, and say what it costs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from token_journey.cost.forward import AT, PARTS, forward_pass
from token_journey.cost.page import page
from token_journey.cost.pictures import png
from token_journey.cost.profile import Profile
from token_journey.cost.report import table, words
from token_journey.errors import CostError

# Enough for the table and all pictures, in less than three minutes on two cores and less than
# 4 GB: logits of 2,048 tokens, and 24 caches as long, are left out.
_WITHOUT_CACHE = "test_token_without_cache[stage-Aitana-2B-S"
_SHORT = " or ".join(
    (
        "2B-S and 16kv and not test_apply_rope and not test_token_without_cache"
        " and not (2048 and (test_lm_head or test_token_with_cache))"
        " and not test_attention[transformers-sdpa",
        f"{_WITHOUT_CACHE}-5-16kv",
        f"{_WITHOUT_CACHE}-64-16kv",
        "test_token_with_cache[stage-Aitana-2B-S-512-",
    )
)


def cost(
    path: Path,
    *,
    by: str | None,
    tokens: int,
    steps: list[str],
    html: Path | None,
    png_file: Path | None,
) -> None:
    """Print the table and the words; write the pictures where they are asked for.

    path:  a folder of stages, which is measured now, or a benchmark file
    by:    whose, where a file holds several
    steps: the rows to show; all if empty

    Raises CostError for whatever a user can mend.
    """
    unknown = [step for step in steps if step not in PARTS]
    if unknown:
        raise CostError(f"There is no step {unknown[0]!r}; there are: {', '.join(PARTS)}.")
    profile = Profile.read(path) if path.is_file() else _measure(path)
    by = _whose(profile, path, by)
    sizes = profile.tokens(by, "norm", AT)
    if tokens not in sizes or not forward_pass(profile, by, tokens):
        raise CostError(
            f"Nothing was measured at {tokens} tokens: choose one of "
            f"{', '.join(map(str, sizes)) or 'a benchmark of Aitana-2B-S'} with --tokens."
        )
    console = Console()
    console.print(table(profile, by, tokens, frozenset(steps)))
    for sentence in words(profile, by, tokens):
        console.print(sentence, highlight=False)
    if html is not None:
        _write(html, page(profile, by, tokens).encode())
    if png_file is not None:
        _write(png_file, png(profile, by, words(profile, by, tokens)))


def _measure(folder: Path) -> Profile:
    if not folder.is_dir():
        raise CostError(f"{folder} is neither a folder of stages nor a benchmark file.")
    print(
        "Measuring, for up to three minutes; other programs would be in the way.", file=sys.stderr
    )
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "benchmark.json"
        pytest = [sys.executable, "-m", "pytest", str(folder), "-q", "-p", "no:cacheprovider"]
        options = ["--benchmark-only", f"--benchmark-json={file}", "-k", _SHORT]
        rounds = ["--benchmark-min-rounds=2", "--benchmark-max-time=0.3"]
        run = subprocess.run([*pytest, *options, *rounds], capture_output=True, text=True)
        not_timed = [line for line in run.stdout.splitlines() if "is not timed" in line]
        for line in dict.fromkeys(not_timed):
            print(line, file=sys.stderr)
        profile = Profile.read(file) if file.exists() and file.stat().st_size else Profile([])
    if not profile.implementations:
        raise CostError(
            f"Nothing in {folder} could be timed: only stages whose checks hold are. "
            f"See `pytest {folder}`."
        )
    return profile


def _whose(profile: Profile, path: Path, by: str | None) -> str:
    names = profile.implementations
    if by is None and names:
        return names[0]
    if by in names:
        return by
    raise CostError(
        f"{path} holds nothing by {by or 'anybody'}; there is: {', '.join(names) or 'nothing'}."
    )


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise CostError(f"{file} can't be written: {error.strerror}.") from None
    print(f"{file} is written.")
