"""How many calls a provider takes before it asks for patience: a bucket for each key, on a clock that can be set."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil


class Pace:
    """So many calls a second for each key, and a few at once."""

    def __init__(self, per_second: float, burst: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.burst, self.clock = per_second, burst, clock
        self.refused = 0
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, key: str) -> int:
        """Take one call of a key; else return after how many whole seconds there is room again."""
        now = self.clock()
        left, since = self._buckets.get(key, (float(self.burst), now))
        left = min(float(self.burst), left + (now - since) * self.per_second)
        if left >= 1:
            self._buckets[key] = (left - 1, now)
            return 0
        self._buckets[key] = (left, now)
        self.refused += 1
        return max(1, ceil((1 - left) / self.per_second))
