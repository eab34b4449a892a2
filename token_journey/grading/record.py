"""`--grade-json FILE`: what each check said, one JSON line a check, as they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


class Record:
    """Writes verdicts down; a run that is killed leaves those that it had."""

    def __init__(self, file: Path):
        try:
            self._lines = file.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise pytest.UsageError(f"{file} can't be written: {error.strerror}.") from None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        about = getattr(report, "token_journey", None)
        if about is not None:
            self._lines.write(json.dumps(about, ensure_ascii=False) + "\n")
            self._lines.flush()

    def pytest_unconfigure(self) -> None:
        self._lines.close()
