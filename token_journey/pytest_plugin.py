"""What pytest loads: the kit's options, and the plugins behind them."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("token-journey")
    group.addoption(
        "--pack",
        action="append",
        default=[],
        metavar="DIR",
        help="judge by this pack too; may be given more than once",
    )
    group.addoption(
        "--whole-model",
        action="store_true",
        help="judge by all 30 layers of SmolLM2 too, once `token-journey fetch` has fetched them",
    )
    group.addoption(
        "--chained",
        action="store_true",
        help="instead of checks: walk through all stages, each on what the last one produced",
    )

    group.addoption(
        "--isolated",
        nargs="?",
        const="possible",
        default="",
        choices=("possible", "strict"),
        help="run every stage file in a process of its own that can't reach the judge",
    )
    group.addoption(
        "--device",
        default="cpu",
        metavar="DEVICE",
        help="where --benchmark-only times: cpu (default) or cuda",
    )


# Not later than here: its own hooks read the command line.
pytest_plugins = ["token_journey.grading.plugin"]


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("benchmark_only", False):
        from token_journey.cost import plugin

        config.pluginmanager.register(plugin)
