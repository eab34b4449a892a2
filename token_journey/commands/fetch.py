"""`token-journey fetch`: the whole SmolLM2, once, for walks and for grading."""

from __future__ import annotations

import argparse
from typing import Any

from token_journey.foreign import foreign


def add(commands: Any) -> None:
    parser = commands.add_parser("fetch", help="fetch the whole SmolLM2-135M-Instruct (93 MB)")
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> None:
    """Raises FetchError."""
    from token_journey.models.fetch import fetch

    print(f"SmolLM2-135M-Instruct lies in {foreign(str(fetch()))}")
