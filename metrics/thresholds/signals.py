"""Makes of raw samples the number that a condition looks at."""

from __future__ import annotations

import numpy as np

from metrics.thresholds.batch import Batch, Floats
from metrics.thresholds.conditions import Comparison, Plain, Rate, Static
from metrics.thresholds.windows import over_windows


def signal(condition: Plain, batch: Batch, past: Batch | None = None, *, is_counter: bool = False) -> Floats:
    """The number at each sample of the batch; NaN where it cannot be told.

    `past` are the same series in older times, for a comparison; without it the batch itself holds them.
    """
    if isinstance(condition, Static):
        return windowed(condition, batch)
    if isinstance(condition, Rate):
        return rate(condition, batch, is_counter=is_counter)
    return compared(condition, batch, past or batch)


def windowed(condition: Static, batch: Batch) -> Floats:
    """The value itself, or an aggregate of its last seconds."""
    if not condition.over or condition.take == "last":
        return batch.value
    starts, ends = batch.before(condition.over)
    return over_windows(batch, starts, ends, condition.take)


def rate(condition: Rate, batch: Batch, *, is_counter: bool) -> Floats:
    """The change within the window, extrapolated to nothing: what was seen, over the time it took.

    A counter that falls began anew, so what it shows then is its increase.
    """
    starts, ends = batch.before(condition.over)
    steps = np.diff(batch.value, prepend=batch.value[:1])
    if is_counter:
        steps = np.where(steps < 0, batch.value, steps)
    steps[batch.bounds[:-1][np.diff(batch.bounds) > 0]] = 0.0
    # The step into the first sample of the window happened before the window.
    total = over_windows(batch.with_values(steps), starts + 1, np.maximum(ends, starts + 1), "sum")
    taken = batch.at - batch.at[np.minimum(starts, max(len(batch.at) - 1, 0))] if len(batch.at) else batch.at
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(taken > 0, total / taken * condition.per, np.nan)


def compared(condition: Comparison, batch: Batch, past: Batch) -> Floats:
    """By how many per cent the mean of the last seconds differs from the mean at the same time before."""
    starts, ends = batch.before(condition.over)
    now = over_windows(batch, starts, ends, "mean")
    starts, ends = batch.before(condition.over, shift=condition.ago, other=past)
    then = over_windows(past, starts, ends, "mean")
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(then != 0, (now - then) / np.abs(then) * 100.0, np.nan)


def ratio(numerators: Batch, denominators: Batch, times: Batch, *, over: float, least: float) -> Floats:
    """At each time of `times` the windowed sum of one over that of the other; NaN where too little lies below."""
    starts, ends = times.before(over, other=numerators)
    top = over_windows(numerators, starts, ends, "sum")
    starts, ends = times.before(over, other=denominators)
    bottom = over_windows(denominators, starts, ends, "sum")
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((bottom > 0) & (bottom >= least), np.nan_to_num(top) / bottom, np.nan)
