"""How much of what looks like a change is chance."""

from typing import Final

import numpy as np

from metrics.changes.change import Kind
from metrics.seasons.points import Floats
from metrics.seasons.profiles import median_of

BLOCKS = (1, 4, 16, 64)
LEAST_BLOCKS = 24
NORMAL_MAD = 1.4826
SPIKE_WINDOW = 5
SPIKE_WIDTH = 4.0


def long_run_scale(values: Floats) -> float:
    """The deviation that means of many points show, told for one point (float64[n], n >= 2).

    Where neighbours cling to one another, means vary more than independent points would let them: the scale is taken
    from differences of neighbouring block means of several lengths, and the largest counts. A few changes do not move
    it (medians), nor does a straight trend (its differences are alike).
    """
    found = 0.0
    for block in BLOCKS:
        count = values.size // block
        if block > 1 and count < LEAST_BLOCKS:
            break
        means = values[values.size - count * block :].reshape(count, block).mean(axis=1)
        steps = np.diff(means)
        if not steps.size:
            break
        spread = NORMAL_MAD * float(np.median(np.abs(steps - np.median(steps))))
        # Where most steps are alike (a counter of rare events, rounded values), the median tells nothing.
        spread = spread or float(np.std(steps)) / 2
        found = max(found, spread * float(np.sqrt(block / 2)))
    return found


def without_spikes(values: Floats) -> Floats:
    """Values (float64[n]) drawn to the median of five where one or two stand out alone; lasting changes stay sharp."""
    if values.size < SPIKE_WINDOW:
        return values
    half = SPIKE_WINDOW // 2
    padded = np.pad(values, half, mode="reflect")
    middle = median_of(np.lib.stride_tricks.sliding_window_view(padded, SPIKE_WINDOW).T)
    away = values - middle
    usual = float(np.median(np.abs(away))) or float(np.mean(np.abs(away)))
    calm: Floats = middle + np.clip(away, -SPIKE_WIDTH * NORMAL_MAD * usual, SPIKE_WIDTH * NORMAL_MAD * usual)
    return calm


#: Powers of ten of improbability at this many standard errors, and how many each further one adds; measured on white,
#: heavy-tailed and clinging noise (tests/metrics/changes/test_chance.py), told a little too likely rather than not.
_TAILS: Final = {Kind.LEVEL: (3.9, 3.2, 1.2), Kind.TREND: (3.9, 3.2, 1.2), Kind.VARIANCE: (3.6, 3.6, 1.3)}


def chance_of(kind: Kind, score: float) -> float:
    """How often a point of a series that never changes would be taken for a change so far out of chance, or farther."""
    depth, begin, each = _TAILS[kind]
    return float(min(1.0, 10.0 ** -(depth + each * (score - begin))))


def score_of(kind: Kind, chance: float) -> float:
    """The standard errors that chance reaches so often: `chance_of` the other way round."""
    depth, begin, each = _TAILS[kind]
    return begin + (-float(np.log10(chance)) - depth) / each
