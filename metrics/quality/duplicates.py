"""Samples that were there already, sent twice or stored before: equal ones go, differing ones are put aside."""

import numpy as np
from numpy.typing import NDArray

from metrics.quality.reasons import Reason

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Reasons = NDArray[np.int8]


def in_batch(series: Integers, ms: Integers, values: Floats) -> Reasons:
    """Judge samples sorted by series, time and arrival: of those at one time the first stays."""
    reasons = np.zeros(len(ms), dtype=np.int8)
    is_repeat = np.r_[False, (series[1:] == series[:-1]) & (ms[1:] == ms[:-1])]
    if not is_repeat.any():
        return reasons
    first = np.maximum.accumulate(np.where(is_repeat, 0, np.arange(len(ms))))
    reasons[is_repeat] = np.where(values[is_repeat] == values[first[is_repeat]], Reason.DUPLICATE, Reason.CONFLICT)
    return reasons


def against_stored(
    series: Integers,
    ms: Integers,
    values: Floats,
    stored: tuple[Integers, Integers, Floats],
) -> Reasons:
    """Judge samples against those stored (series, times and values, in any order)."""
    reasons = np.zeros(len(ms), dtype=np.int8)
    stored_series, stored_ms, stored_values = stored
    if not len(stored_ms) or not len(ms):
        return reasons
    base = min(int(ms.min()), int(stored_ms.min()))
    span = max(int(ms.max()), int(stored_ms.max())) - base + 1
    keys, wanted = stored_series * span + (stored_ms - base), series * span + (ms - base)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    is_there = keys[place] == wanted
    is_equal = stored_values[order[place]] == values
    reasons[is_there] = np.where(is_equal, Reason.DUPLICATE, Reason.CONFLICT)[is_there]
    return reasons
