"""Reads samples, rollups and quantiles of series: always as of now, also where rolling up is still to be done.

Hours that are open or due are rolled up on the fly from their samples and take the place of what is stored.
Inside the tenant's context; times are seconds since 1970, from `start` to before `end`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

import numpy as np

from metrics.points import Floats, Integers
from metrics.storage import buckets, chunks, rollup_rows, rollups, rows
from metrics.storage.buckets import Rollup
from metrics.storage.levels import DAY, HOUR, HOUR_MS, LEVELS, MINUTE, Level, day_of, hour_of

_FRESH: Final = """
SELECT number, extract(epoch FROM hour_at)::bigint * 1000 FROM rollup_due
WHERE tenant_id = %(tenant)s AND number = ANY (%(numbers)s::bigint[])
  AND hour_at BETWEEN to_timestamp(%(first)s / 1000.0) AND to_timestamp(%(last)s / 1000.0)
UNION
SELECT number, extract(epoch FROM date_trunc('hour', last_at, 'UTC'))::bigint * 1000 FROM series
WHERE tenant_id = %(tenant)s AND number = ANY (%(numbers)s::bigint[])
  AND last_at >= to_timestamp(%(first)s / 1000.0) AND last_at < to_timestamp((%(last)s + 3600000) / 1000.0)
"""


@dataclass(frozen=True, slots=True)
class Arrays:
    """The rollup of one series: `at` in seconds, the beginning of each bucket that holds samples."""

    at: Floats
    count: Floats
    sum: Floats
    min: Floats
    max: Floats
    sumsq: Floats

    @property
    def mean(self) -> Floats:
        """The mean of each bucket."""
        return self.sum / self.count

    @property
    def variance(self) -> Floats:
        """The variance of each bucket's values."""
        return np.maximum(self.sumsq / self.count - self.mean**2, 0.0)


def samples(tenant_id: UUID, numbers: Collection[int], start: float, end: float) -> dict[int, tuple[Floats, Floats]]:
    """Times and values of each series that has any, by number."""
    found, ms, values = chunks.read_range(tenant_id, numbers, _ms(start), _ms(end))
    edges = _edges(found)
    at = ms / 1000.0
    return {int(found[begin]): (at[begin:finish], values[begin:finish]) for begin, finish in pairwise(edges)}


def rollup(tenant_id: UUID, numbers: Collection[int], level: str, start: float, end: float) -> dict[int, Arrays]:
    """The buckets of a level ("1m", "1h", "1d") that begin in the range, by number of the series."""
    return arrays(table(tenant_id, numbers, LEVELS[level], _ms(start), _ms(end)))


def stepped(tenant_id: UUID, numbers: Collection[int], step: float, start: float, end: float) -> Rollup:
    """Buckets of any width (seconds), made of the coarsest level that fits; of samples below a minute."""
    width = max(1, _ms(step))
    first, last = _ms(start) // width * width, _ms(end)
    for level in (DAY, HOUR, MINUTE):
        if width % level.width == 0:
            return buckets.coarsen(table(tenant_id, numbers, level, first, last), lambda at: at // width * width)
    return buckets.from_samples(*chunks.read_range(tenant_id, numbers, first, last), width)


def quantile(tenant_id: UUID, numbers: Sequence[int], share: float, start: float, end: float) -> dict[int, float]:
    """A quantile of each series over a range of whole minutes, within one per cent of its value."""
    found = table(tenant_id, numbers, _widest(_ms(start), _ms(end)), _ms(start), _ms(end))
    whole = buckets.coarsen(found, np.zeros_like)
    values = whole.quantile(share)
    return dict(zip(whole.series.tolist(), values.tolist(), strict=True))


def arrays(found: Rollup) -> dict[int, Arrays]:
    """A rollup by series."""
    edges = _edges(found.series)
    at = found.at / 1000.0
    return {
        int(found.series[begin]): Arrays(
            at[begin:end],
            found.count[begin:end],
            found.sum[begin:end],
            found.min[begin:end],
            found.max[begin:end],
            found.sumsq[begin:end],
        )
        for begin, end in pairwise(edges)
    }


def _edges(series: Integers) -> list[int]:
    """Where the rows of each series begin, and the end of all."""
    if not len(series):
        return [0]
    changes: list[int] = np.flatnonzero(series[1:] != series[:-1]).tolist()
    return [0, *(change + 1 for change in changes), len(series)]


def table(tenant_id: UUID, numbers: Collection[int], level: Level, start: int, end: int) -> Rollup:
    """The buckets of a level that begin in a range of milliseconds, sketches included."""
    if end <= start or not numbers:
        return buckets.EMPTY
    first = start // level.width * level.width
    series, hours = _fresh_hours(tenant_id, numbers, first, -(-end // level.width) * level.width)
    stored = rollup_rows.read_range(tenant_id, level, numbers, first, end)
    fresh = _rolled_now(tenant_id, level, series, hours)
    replaced = rollups.is_among(stored, fresh.series, fresh.at) if level is not MINUTE else _in_hours(stored, fresh)
    whole = buckets.together([stored.only(~replaced), fresh])
    return whole.only((whole.at >= start) & (whole.at < end))


def _fresh_hours(tenant_id: UUID, numbers: Collection[int], start: int, end: int) -> tuple[Integers, Integers]:
    """The hours of series whose stored rollups are not, or not any more, right."""
    params: dict[str, Any] = {
        "tenant": tenant_id,
        "numbers": rows.integers(np.fromiter(numbers, dtype=np.int64)),
        "first": start // HOUR_MS * HOUR_MS,
        "last": (end - 1) // HOUR_MS * HOUR_MS,
    }
    found = np.array(rows.fetch(_FRESH, params), dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _rolled_now(tenant_id: UUID, level: Level, series: Integers, hours: Integers) -> Rollup:
    minutes = rollups.minutes(tenant_id, series, hours)
    if level is MINUTE or not len(minutes.at):
        return minutes
    fresh = buckets.coarsen(minutes, hour_of)
    if level is HOUR:
        return fresh
    # A day is made of its hours: those stored, with the fresh ones in place of theirs.
    return buckets.coarsen(rollups.replaced(tenant_id, HOUR, fresh), day_of)


def _in_hours(stored: Rollup, fresh: Rollup) -> buckets.Flags:
    """Which stored minutes lie in hours that were rolled up now."""
    wanted = set(zip(fresh.series.tolist(), hour_of(fresh.at).tolist(), strict=True))
    pairs = zip(stored.series.tolist(), hour_of(stored.at).tolist(), strict=True)
    return np.fromiter((pair in wanted for pair in pairs), dtype=bool, count=len(stored.at))


def _widest(start: int, end: int) -> Level:
    """The coarsest level whose buckets make up a range exactly."""
    for level in (DAY, HOUR):
        if start % level.width == 0 and end % level.width == 0:
            return level
    return MINUTE


def _ms(seconds: float) -> int:
    return round(seconds * 1000.0)


__all__ = ["Arrays", "Rollup", "arrays", "quantile", "rollup", "samples", "stepped", "table"]
