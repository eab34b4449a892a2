"""The seconds that a run may take, shared out among what is still to be timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence


class Budget:
    """What each may take, so that all of them end in time, however slow the machine is.

    weights: about how long one call of each takes beside the others, in the order of the run
    now:     reads the time in seconds
    """

    def __init__(
        self,
        seconds: float,
        weights: Sequence[float],
        now: Callable[[], float] = time.perf_counter,
    ):
        self._weights = weights
        self._now = now
        self._until = now() + seconds

    def share(self, place: int) -> float:
        """Seconds for one of them, of those that are left."""
        left = self._weights[place:]
        seconds = max(self._until - self._now(), 0.0)
        return seconds * left[0] / sum(left) if left[0] else 0.0
