"""Turns fused strangeness into one stream in which an anomaly is raised once, whatever threshold is put on it."""

import math
from collections.abc import Sequence

import numpy as np

from metrics.detection.config import Config
from metrics.detection.state import Arrays, StateError, take

BELOW = 0.999
QUIET = 0.5


class Alarms:
    """Levels of strangeness, each of which rests after its alarm unless things get several times worse.

    A point that raises an alarm of a level scores its own strangeness, kept under the next level when that one
    rests. All other points score less than half the lowest level, in the order of their strangeness. A threshold
    at any level therefore meets each anomaly once.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.raised_at = [-1] * len(config.levels)
        self.worst = [0.0] * len(config.levels)
        self.seen = 0

    def run(self, strangeness: Sequence[float]) -> list[float]:
        """Return the score of each point."""
        return [self.one(value) for value in strangeness]

    def one(self, value: float) -> float:
        """Return the score of one point."""
        levels, score = self.config.levels, 0.0
        if value >= levels[0]:
            rest = min(float(self.config.rest_most), self.config.rest_share * self.seen)
            for place, level in enumerate(levels):
                if value < level:
                    break
                if self.wakes(place, value, rest):
                    above = levels[place + 1] if place + 1 < len(levels) else math.inf
                    score = min(value, BELOW * above)
        self.seen += 1
        quiet = QUIET * levels[0] * value / (1.0 + value)
        return (score or quiet) / self.config.alarm

    def wakes(self, place: int, value: float, rest: float) -> bool:
        """Say whether a level raises an alarm now, and remember it."""
        raised_at = self.raised_at[place]
        if raised_at >= 0 and self.seen - raised_at <= rest and value <= self.config.growth * self.worst[place]:
            self.worst[place] = max(self.worst[place], value)
            return False
        self.raised_at[place], self.worst[place] = self.seen, value
        return True

    def dump(self, name: str) -> Arrays:
        """Return the memory as arrays."""
        return {
            f"{name}.raised": np.array([*self.raised_at, self.seen], dtype=np.int64),
            f"{name}.worst": np.array(self.worst),
        }

    def load(self, name: str, arrays: Arrays) -> None:
        """Take over what `dump` returned."""
        count = len(self.config.levels)
        *self.raised_at, self.seen = take(arrays, f"{name}.raised", "q", least=count + 1, most=count + 1).tolist()
        self.worst = take(arrays, f"{name}.worst", "d", least=count, most=count).tolist()
        if self.seen < 0:
            raise StateError(f"{name}: negative")
