"""Profiles of a week fitted to a table of days."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from metrics.seasons.points import Floats, Ints

WEEK = 7
# A weekday seen n times is believed n / (n + this); the rest comes from what all days have in common.
LEVEL_DOUBT = 1.0
SHAPE_DOUBT = 2.0
NORMAL_MEDIAN_SQUARE = 0.455  # of a standard normal
MEDIAN_LOSS = 1.3  # a median of few varies this much more than their mean


class Days(NamedTuple):
    """`values` float64[days, buckets], NaN where unknown; `weekdays` and `numbers` (days since 1970) int64[days]."""

    values: Floats
    weekdays: Ints
    numbers: Ints


Fit = Callable[[Days], Floats]


def median_of(table: Floats) -> Floats:
    """The median along the first axis of what is known; NaN where nothing is.

    Faster than numpy's nanmedian, and quiet about columns without a number.
    """
    ranked = np.sort(table, axis=0)  # NaN comes last
    counts = np.isfinite(ranked).sum(axis=0)
    low = np.maximum(counts - 1, 0) // 2
    high = np.minimum(counts // 2, max(table.shape[0] - 1, 0))
    if not table.shape[0]:
        return np.full(table.shape[1:], np.nan)
    pair = np.take_along_axis(ranked, np.stack([low, high]), axis=0)
    middle: Floats = pair.mean(axis=0)
    return middle


def fit_daily(days: Days) -> Floats:
    """One profile for every day."""
    return np.tile(np.nan_to_num(median_of(days.values)), (WEEK, 1))


def fit_levels(days: Days) -> Floats:
    """One profile for every day, raised or lowered by the weekday."""
    daily = fit_daily(days)
    rest = days.values - daily[0]
    levels = np.zeros(WEEK)
    for weekday in range(WEEK):
        mine = rest[days.weekdays == weekday]
        known = mine[np.isfinite(mine)]
        if known.size:
            levels[weekday] = np.median(known) * len(mine) / (len(mine) + LEVEL_DOUBT)
    return daily + levels[:, None]


def fit_weekly(days: Days) -> Floats:
    """A profile for each weekday, drawn towards the common one by how much of it may be noise (James & Stein 1961)."""
    base = fit_levels(days)
    rest = days.values - base[days.weekdays]
    for weekday in range(WEEK):
        mine = rest[days.weekdays == weekday]
        own = np.nan_to_num(median_of(mine))
        smooth = (np.roll(own, 1) + 2 * own + np.roll(own, -1)) / 4
        base[weekday] += smooth * belief(mine, own)
    return base


def belief(mine: Floats, own: Floats) -> float:
    """The share of a weekday's own profile that is no noise; `mine` float64[days, buckets] is its source."""
    count = len(mine)
    if count < 2:
        return count / (count + SHAPE_DOUBT)
    away = (mine - own)[np.isfinite(mine)]
    if not away.size:
        return 0.0
    variance = float(np.median(away**2)) / NORMAL_MEDIAN_SQUARE * count / (count - 1)
    found = float(np.mean(own**2))
    return max(0.0, 1 - MEDIAN_LOSS * variance / count / found) if found > 0 else 0.0
