"""Learning the profile of a day and of a week, and whether there is one at all.

A season is used only when it predicts days it has not seen better than no season does (cross-validation by days or
weeks), so that noise, drifts and random walks get none.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from metrics.seasons.calendar import DAY, Calendar
from metrics.seasons.cells import Cells
from metrics.seasons.points import Floats, Ints
from metrics.seasons.profiles import Days, Fit, fit_daily, fit_levels, fit_weekly, median_of
from metrics.seasons.trend import wandering

DAILY_GAIN = 0.90  # a profile must leave at most this share of the error that the simpler one leaves
WEEKLY_GAIN = 0.92
LEAST_DAYS = 2
LEAST_WEEKS = 2
MOST_BUCKETS = 24
OUTLIER = 3.0
OUTLIER_SHARE = 0.1  # weekends are two days of seven and no outliers


class Kind(StrEnum):
    """What repeats."""

    NONE = "none"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Season:
    """`profile` float64[7, buckets]: what is added to the level at each part of each day, Monday first, mean 0.

    `strength` 0..1 is the share of the usual deviation that the season explains on days it had not seen.
    """

    kind: Kind = Kind.NONE
    profile: Floats = field(default_factory=lambda: np.zeros((7, 1)))
    strength: float = 0.0
    calendar: Calendar = field(default_factory=Calendar)

    def at(self, at: Floats) -> Floats:
        """What the season adds at each moment (unix seconds, float64[n]), straight lines between the buckets."""
        if self.kind is Kind.NONE:
            return np.zeros(at.shape)
        _, weekdays, seconds = self.calendar.place(at)
        buckets = self.profile.shape[1]
        flat = self.profile.ravel()
        place = weekdays * buckets + seconds / DAY * buckets - 0.5
        left = np.floor(place)
        share = place - left
        index = left.astype(np.int64)
        mixed: Floats = flat[index % flat.size] * (1 - share) + flat[(index + 1) % flat.size] * share
        return mixed


NO_SEASON = Season()


def learn_season(cells: Cells, calendar: Calendar | None = None) -> Season:
    """Learn what repeats daily or weekly; NO_SEASON when nothing does or less than two days are known.

    Cells of an hour suit most series; longer cells make fewer buckets a day, cells of a day leave the weekday alone.
    """
    calendar = calendar or Calendar()
    days = days_of(cells, calendar)
    if len(days.weekdays) < LEAST_DAYS:
        return NO_SEASON
    base = np.abs(days.values)
    error = none = float(np.nanmean(base)) if np.isfinite(base).any() else 0.0
    best: Fit | None = None
    kind = Kind.NONE
    for fit, gain in candidates(days):
        left = held_out_error(days, fit)
        if left < gain * error:
            best, error = fit, left
            kind = Kind.DAILY if fit is fit_daily else Kind.WEEKLY
    if best is None:
        return NO_SEASON
    profile = best(days)
    return Season(kind, profile - profile.mean(), 1 - error / none, calendar)


def days_of(cells: Cells, calendar: Calendar) -> Days:
    """The cells without their slow wandering, as a table of local days by buckets (NaN where nothing is known)."""
    centres = cells.centres
    span = cells.values.size * cells.length
    window = 7 * DAY if span >= 7 * LEAST_WEEKS * DAY else DAY
    rest = cells.values - wandering(cells.values, max(1, round(window / cells.length)))
    numbers, weekdays, seconds = calendar.place(centres)
    buckets = max(1, min(MOST_BUCKETS, int(DAY / cells.length)))
    bucket = np.minimum((seconds / DAY * buckets).astype(np.int64), buckets - 1)
    found, row = np.unique(numbers, return_inverse=True)
    # Several cells of one bucket are put beside each other as layers, and their median taken.
    layer = layers(row * buckets + bucket)
    table = np.full((int(layer.max()) + 1, found.size, buckets), np.nan)
    table[layer, row, bucket] = rest
    kinds = np.zeros(found.size, dtype=np.int64)
    kinds[row] = weekdays
    values = median_of(table)
    known = np.isfinite(values).any(axis=1)
    values = without_outliers(values)
    return Days(values[known], kinds[known], found[known])


def without_outliers(values: Floats) -> Floats:
    """The table (float64[days, buckets]) with what stands far off its bucket's median drawn in."""
    usual = median_of(values)
    away = values - usual
    known = np.abs(away[np.isfinite(away)])
    reach = OUTLIER * float(np.quantile(known, 1 - OUTLIER_SHARE)) if known.size else 0.0
    calm: Floats = usual + np.clip(away, -reach, reach)
    return calm if reach > 0 else values


def layers(keys: Ints) -> Ints:
    """For each key, how many equal ones came before it; equal keys stand together."""
    first = np.concatenate(([True], keys[1:] != keys[:-1]))
    starts = np.flatnonzero(first)
    place: Ints = np.arange(keys.size) - starts[np.cumsum(first) - 1]
    return place


def candidates(days: Days) -> list[tuple[Fit, float]]:
    """The profiles that this many days can carry, the simplest first, with the gain demanded of each."""
    found: list[tuple[Fit, float]] = []
    if days.values.shape[1] > 1:
        found.append((fit_daily, DAILY_GAIN))
    seen = np.bincount(days.weekdays, minlength=7)
    if (seen > 0).all() and int(days.numbers[-1] - days.numbers[0]) + 1 >= 7 * LEAST_WEEKS:
        found += [(fit_levels, WEEKLY_GAIN), (fit_weekly, WEEKLY_GAIN)]
    return found


def held_out_error(days: Days, fit: Fit) -> float:
    """The mean absolute error on days that the fit has not seen: four folds of weeks, or of days for daily profiles."""
    groups = days.numbers if fit is fit_daily else (days.numbers + 3) // 7
    names = np.unique(groups)
    folds = min(4, names.size)
    fold = np.searchsorted(names, groups) % folds
    total, count = 0.0, 0
    for number in range(folds):
        out = fold == number
        profile = fit(Days(days.values[~out], days.weekdays[~out], days.numbers[~out]))
        miss = np.abs(days.values[out] - profile[days.weekdays[out]])
        total += float(np.nansum(miss))
        count += int(np.isfinite(miss).sum())
    return total / count if count else np.inf
