"""A folder of stages, timed by pytest in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from token_journey.cost.profile import Profile
from token_journey.errors import CostError

# Of the three minutes; the rest is for starting, and for transformers.
_SECONDS = 150
# Enough for the table and all plots, in less than 4 GB: logits of 2,048 tokens, and 24 caches
# as long, are left out.
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


def measure(folder: Path) -> Profile:
    """What the table and the pictures need. Raises CostError."""
    if not folder.is_dir():
        raise CostError(f"{folder} is neither a folder of stages nor a benchmark file.")
    print(
        "Measuring, for up to three minutes; other programs would be in the way, and make it "
        "longer where they take most of the processor.",
        file=sys.stderr,
    )
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "benchmark.json"
        pytest = [sys.executable, "-m", "pytest", str(folder), "-q", "-p", "no:cacheprovider"]
        options = ["--benchmark-only", f"--benchmark-json={file}", "-k", _SHORT]
        options += [f"--benchmark-storage=file://{scratch}"]
        few = ["--benchmark-min-rounds=2", "--benchmark-max-time=0.3"]
        rounds = [f"--benchmark-within={_SECONDS}", *few]
        run = subprocess.run(
            [*pytest, *options, *rounds],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
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
