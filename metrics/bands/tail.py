"""The far end of what a series does by chance: peaks over a threshold and their generalised Pareto distribution.

Pickands 1975 and Balkema & de Haan 1974 for why; Hosking & Wallis 1987 for the estimate by probability-weighted
moments, which needs no iteration; Siffer et al. 2017 (SPOT) for thresholds of streams.
"""

from dataclasses import dataclass

import numpy as np

from metrics.seasons.points import Floats

SHARE_OVER = 0.2  # of the peaks, this share makes the tail
LEAST_PEAKS = 40
SHAPE_MOST = 0.5
# Too few peaks tell the shape badly, and a guess that is now too light and now too heavy lets too much through on
# average: the shape is drawn to a slightly heavy one as by 40 peaks more, then made heavier by 3 / peaks.
SHAPE_USUAL, SHAPE_WEIGHT, SHAPE_DOUBT = 0.1, 40, 3.0
YOUNG_ROOM = 1.3  # with few peaks: the highest so far and this much more


@dataclass(frozen=True, slots=True)
class Tail:
    """P(peak > x) = share * (1 + shape * (x - start) / scale) ** (-1 / shape) beyond `start`."""

    start: float
    scale: float
    shape: float
    share: float

    def quantile(self, risk: float) -> float:
        """The height that a peak passes with probability `risk` (at most `share`)."""
        ratio = risk / self.share
        if ratio >= 1:
            return self.start
        if abs(self.shape) < 1e-6:
            return self.start - self.scale * float(np.log(ratio))
        return self.start + self.scale / self.shape * float(ratio**-self.shape - 1)

    def probability(self, height: float) -> float:
        """How likely a peak is to pass `height`; never more than `share`."""
        over = (height - self.start) / self.scale if self.scale > 0 else (np.inf if height > self.start else 0.0)
        if over <= 0:
            return self.share
        if abs(self.shape) < 1e-6:
            return self.share * float(np.exp(-over))
        base = 1 + self.shape * over
        return self.share * float(base ** (-1 / self.shape)) if base > 0 else 0.0


def tail_of(peaks: Floats) -> Tail:
    """The tail of peaks (one per cell, in scales of the series, float64[n], n >= 1)."""
    if peaks.size < LEAST_PEAKS:
        top = max(float(peaks.max()), 0.0)
        # An exponential tail that leaves the highest peak so far by the room wanted for one in a thousand.
        return Tail(top, max(top * (YOUNG_ROOM - 1), 1e-12) / 7, 0.0, 1 / (peaks.size + 1))
    kept = max(10, round(peaks.size * SHARE_OVER))
    ranked = np.sort(peaks)
    start = float(ranked[-kept - 1])
    over = ranked[-kept:] - start
    mean = float(over.mean())
    if mean <= 0:
        return Tail(start, 1e-12, 0.0, kept / peaks.size)
    weights = 1 - (np.arange(1, kept + 1) - 0.35) / kept
    moment = float((weights * over).mean())
    shape = 2 - mean / (mean - 2 * moment) if mean > 2 * moment else SHAPE_MOST
    shape = (kept * min(SHAPE_MOST, max(-SHAPE_MOST, shape)) + SHAPE_WEIGHT * SHAPE_USUAL) / (kept + SHAPE_WEIGHT)
    return Tail(start, mean * (1 - shape), shape + SHAPE_DOUBT / kept, kept / peaks.size)
