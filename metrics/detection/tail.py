"""How improbable a value of a statistic is among the statistic's own past."""

import math
from array import array
from bisect import bisect_left, insort

import numpy as np
from numpy.typing import NDArray

from metrics.detection.state import Arrays, StateError, take

BLOCK = 1000
EXACT = 64
ROUGH = 32
POINTS = EXACT + ROUGH
TAIL_SHARE = 0.02
TAIL_LEAST = 10
SHAPE_MOST = 0.45
DEEPEST = 12.0
LN10 = math.log(10.0)
WEIGHTS = np.concatenate([np.full(ROUGH, (BLOCK - EXACT) / ROUGH), np.ones(EXACT)])
ROUGH_PLACES = ((np.arange(ROUGH) + 0.5) * (BLOCK - EXACT) / ROUGH).astype(np.int64)

Floats = NDArray[np.float64]


def summarise(ordered: "array[float]") -> NDArray[np.float32]:
    """Keep the top of a full block exactly and a few quantiles of the rest; only upper tails are asked for."""
    values = np.frombuffer(ordered, dtype=np.float32)
    return np.concatenate([values[ROUGH_PLACES], values[-EXACT:]])


def pareto_depth(value: float, top: Floats, weights: Floats, share: float, base: float) -> float:
    """Return -log10 of the probability beyond all that was seen, by a generalised Pareto fitted with moments."""
    total = float(weights.sum())
    excess = top - base
    mean = float((weights * excess).sum()) / total
    spread = float((weights * (excess - mean) ** 2).sum()) / total
    if mean <= 0.0 or spread <= 0.0:
        return 0.0
    shape = min(SHAPE_MOST, max(0.0, 0.5 * (1.0 - mean * mean / spread)))
    reach = (value - base) / (mean * (1.0 - shape))
    beyond = reach / LN10 if shape < 1e-9 else math.log10(1.0 + shape * reach) / shape
    return beyond - math.log10(share)


class Tail:
    """Ranks each value among some 20,000 before it: full blocks as summaries, the current block exactly."""

    def __init__(self, memory: int, warmup: int) -> None:
        self.most_blocks = max(1, memory // BLOCK)
        self.warmup = warmup
        self.blocks = np.empty((0, POINTS), dtype=np.float32)
        self.current = array("f")
        self.closed = array("f")
        self.closed_above = array("d", [0.0])
        self.closed_weights: Floats = np.empty(0)

    def __len__(self) -> int:
        return BLOCK * len(self.blocks) + len(self.current)

    def run(self, values: list[float]) -> list[float]:
        """Return -log10 of each value's tail probability (0 where it is no number), and remember the values."""
        rounded = np.asarray(values, dtype=np.float64).clip(-3e38, 3e38).astype(np.float32).tolist()
        return [self.one(value) if value == value else 0.0 for value in rounded]

    def one(self, value: float) -> float:
        """Judge and remember one rounded value."""
        depth = self.depth(value) if len(self.current) + len(self.blocks) * BLOCK >= self.warmup else 0.0
        insort(self.current, value)
        if len(self.current) == BLOCK:
            self.blocks = np.vstack([self.blocks, summarise(self.current)])[-self.most_blocks :]
            self.current = array("f")
            self.merge()
        return depth

    def depth(self, value: float) -> float:
        """Return -log10 of the share of the past that was as high or higher."""
        current = self.current
        above = len(current) - bisect_left(current, value) + self.closed_above[bisect_left(self.closed, value)]
        count = len(current) + len(self.blocks) * BLOCK
        if above > 0.0:
            return -math.log10((above + 1.0) / (count + 1.0)) if above < count else 0.0
        return min(DEEPEST, max(math.log10(count + 1.0), self.beyond(value, count)))

    def beyond(self, value: float, count: int) -> float:
        """Extrapolate the top of what was seen to a value above all of it."""
        values = np.concatenate([self.closed, self.current])
        weights = np.concatenate([self.closed_weights, np.ones(len(self.current))])
        order = np.argsort(values, kind="stable")[::-1]
        values, weights = values[order], weights[order]
        wanted = max(TAIL_LEAST, int(TAIL_SHARE * count))
        last = int(np.searchsorted(np.cumsum(weights), wanted)) + 1
        if last >= len(values):
            return 0.0
        share = float(weights[:last].sum()) / count
        return pareto_depth(value, values[:last], weights[:last], share, float(values[last]))

    def merge(self) -> None:
        """Put the summaries of all full blocks into one order."""
        if not len(self.blocks):
            return
        values = self.blocks.ravel()
        order = np.argsort(values, kind="stable")
        self.closed_weights = np.tile(WEIGHTS, len(self.blocks))[order]
        self.closed = array("f", values[order].tobytes())
        above = np.append(np.cumsum(self.closed_weights[::-1])[::-1], 0.0)
        self.closed_above = array("d", above.tobytes())

    def dump(self, name: str) -> Arrays:
        """Return the memory as 32-bit arrays."""
        return {
            f"{name}.blocks": self.blocks.ravel(),
            f"{name}.current": np.array(self.current, dtype=np.float32),
        }

    def load(self, name: str, arrays: Arrays) -> None:
        """Take over what `dump` returned."""
        blocks = take(arrays, f"{name}.blocks", "f", most=self.most_blocks * POINTS)
        current = take(arrays, f"{name}.current", "f", most=BLOCK - 1)
        if blocks.size % POINTS or bool((np.diff(current) < 0).any()):
            raise StateError(f"{name}: not in order")
        self.blocks = blocks.reshape(-1, POINTS)
        self.current = array("f", current.tobytes())
        self.merge()
