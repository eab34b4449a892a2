"""What the kit's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from token_journey.models.fetch import fetch


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: works on the whole SmolLM2, for tens of seconds.")


@pytest.fixture(scope="session")
def whole_smollm2() -> Path:
    """The folder of the whole SmolLM2, fetched into the user's cache the first time."""
    return fetch()
