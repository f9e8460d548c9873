"""The slow wandering of a series: a resistant straight line, then a running median over a whole season."""

import numpy as np

from metrics.seasons.points import Floats
from metrics.seasons.profiles import median_of

ANCHORS_PER_WINDOW = 8


def resistant_line(values: Floats) -> Floats:
    """A straight line through the medians of the outer thirds (Tukey 1977); a third of bad points does not move it.

    float64[n] -> float64[n]; NaN in `values` is passed over, with fewer than 6 known values the line is flat.
    """
    places = np.arange(values.size, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(values))
    if known.size < 6:
        level = float(np.median(values[known])) if known.size else 0.0
        return np.full(values.size, level)
    third = known.size // 3
    left, right = known[:third], known[-third:]
    run = float(np.median(right) - np.median(left))
    slope = float(np.median(values[right]) - np.median(values[left])) / run
    line: Floats = slope * places
    return line + float(np.median((values - line)[known]))


def wandering(values: Floats, window: int) -> Floats:
    """What moves more slowly than `window` cells: float64[n] -> float64[n], whole also where `values` is NaN."""
    line = resistant_line(values)
    rest = values - line
    count = rest.size
    if window < 2 or count <= window:
        return line
    starts = np.unique(np.append(np.arange(0, count - window, max(1, window // ANCHORS_PER_WINDOW)), count - window))
    medians = median_of(np.lib.stride_tricks.sliding_window_view(rest, window)[starts].T)
    known = np.isfinite(medians)
    if not known.any():
        return line
    middles = starts[known] + (window - 1) / 2
    slow: Floats = line + np.interp(np.arange(count), middles, medians[known])
    return slow
