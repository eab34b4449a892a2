"""What the kit's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from token_journey.models.fetch import fetch


@pytest.fixture(scope="session")
def whole_smollm2() -> Path:
    """The folder of the whole SmolLM2, fetched into the user's cache the first time."""
    return fetch()
