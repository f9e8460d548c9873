"""How far a value lies from every value seen lately."""

import math
from array import array
from bisect import bisect_left

import numpy as np

from metrics.detection.state import Arrays, take

NONE = np.empty(0, dtype=np.float32)


class Gap:
    """Distance to the nearest remembered value as a share of their range, at most 1.

    Values are kept as 32-bit differences from the first one, so that a small wave on a great level keeps its shape.
    """

    def __init__(self, memory: int, warmup: int) -> None:
        self.memory = memory
        self.warmup = warmup
        self.reference = 0.0
        self.seen = 0
        self.ring = array("f")
        self.ordered = array("f")

    def run(self, values: list[float]) -> list[float]:
        """Return the gap of each value (0 where it is no number or too early), and remember the values."""
        if self.seen == 0:
            self.reference = next((value for value in values if value == value), 0.0)
        with np.errstate(over="ignore"):
            rounded = (np.asarray(values) - self.reference).astype(np.float32).tolist()
        return [self.one(value) if abs(value) < math.inf else 0.0 for value in rounded]

    def one(self, value: float) -> float:
        """Judge and remember one rounded value."""
        ordered, gap = self.ordered, 0.0
        place = bisect_left(ordered, value)
        if self.seen >= self.warmup:
            above = ordered[place] - value if place < len(ordered) else math.inf
            below = value - ordered[place - 1] if place else math.inf
            span = ordered[-1] - ordered[0]
            nearest = min(below, above)
            gap = min(1.0, nearest / span) if span > 0.0 else float(nearest > 0.0)
        ordered.insert(place, value)
        slot = self.seen % self.memory
        if self.seen >= self.memory:
            del ordered[bisect_left(ordered, self.ring[slot])]
            self.ring[slot] = value
        else:
            self.ring.append(value)
        self.seen += 1
        return gap

    def dump(self, name: str) -> Arrays:
        """Return the memory as arrays; the sorted order is found again when it is read."""
        return {
            f"{name}.ring": np.frombuffer(self.ring, dtype=np.float32) if self.ring else NONE,
            f"{name}.reference": np.array([self.reference]),
            f"{name}.seen": np.array([self.seen], dtype=np.int64),
        }

    def load(self, name: str, arrays: Arrays) -> None:
        """Take over what `dump` returned."""
        self.seen = int(take(arrays, f"{name}.seen", "q", least=1, most=1)[0])
        kept = min(max(self.seen, 0), self.memory)
        ring = take(arrays, f"{name}.ring", "f", least=kept, most=kept)
        self.ring = array("f", ring.tobytes())
        self.ordered = array("f", np.sort(ring).tobytes())
        self.reference = float(take(arrays, f"{name}.reference", "d", least=1, most=1)[0])
