"""Where a number lies beyond its limits, and where it is safely back."""

from __future__ import annotations

import numpy as np

from metrics.thresholds.batch import Flags, Floats
from metrics.thresholds.conditions import Bounds


def crossed(bounds: Bounds, signal: Floats) -> tuple[Flags, Flags]:
    """Two flags a number: beyond a limit; back behind the ends of both. NaN is neither."""
    entered = np.zeros(len(signal), dtype=bool)
    left = ~np.isnan(signal)
    with np.errstate(invalid="ignore"):
        if bounds.above is not None and bounds.upper_end is not None:
            entered |= signal > bounds.above
            left &= signal <= bounds.upper_end
        if bounds.below is not None and bounds.lower_end is not None:
            entered |= signal < bounds.below
            left &= signal >= bounds.lower_end
    return entered, left


def limit_crossed(bounds: Bounds, value: float) -> float | None:
    """The limit that a number lies beyond, for the text of a finding."""
    if bounds.above is not None and value > bounds.above:
        return bounds.above
    if bounds.below is not None and value < bounds.below:
        return bounds.below
    return bounds.above if bounds.above is not None else bounds.below
