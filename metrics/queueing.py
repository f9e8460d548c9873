"""Marks what a batch leaves to do: series to be judged, hours to be rolled up."""

from typing import Final
from uuid import UUID

import numpy as np

from metrics.points import Floats, Integers
from metrics.storage import rows

HOUR_MS: Final = 3_600_000

_JUDGE: Final = """
INSERT INTO series_due AS d (tenant_id, number, from_at)
SELECT %s, n.number, to_timestamp(n.ms / 1000) FROM unnest(%s::bigint[], %s::float8[]) AS n (number, ms)
ON CONFLICT (tenant_id, number) DO UPDATE SET from_at = excluded.from_at WHERE d.from_at > excluded.from_at
"""
_ROLL: Final = """
INSERT INTO rollup_due (tenant_id, number, hour_at)
SELECT %s, n.number, to_timestamp(n.ms / 1000.0) FROM unnest(%s::bigint[], %s::bigint[]) AS n (number, ms)
ON CONFLICT (tenant_id, number, hour_at) DO NOTHING
"""


def judge(tenant_id: UUID, numbers: Integers, from_ms: Floats) -> None:
    """Mark series as having samples from a time on that nobody judged yet."""
    if len(numbers):
        rows.execute(_JUDGE, [tenant_id, rows.integers(numbers), rows.floats(from_ms)])


def roll(tenant_id: UUID, numbers: Integers, hours_ms: Integers) -> None:
    """Mark hours of series as not rolled up, or not any more."""
    if len(numbers):
        rows.execute(_ROLL, [tenant_id, rows.integers(numbers), rows.integers(hours_ms)])


def hours_to_roll(series: Integers, ms: Integers, before_ms: Floats, last_ms: Floats) -> tuple[Integers, Integers]:
    """Which hours (series, beginning) new samples leave to be rolled up: all they touch but each series' open one.

    The open hour is the one of the series' last sample; it is read from the samples until it is over. When samples
    moved it on, the hour that was open before them is over too.
    """
    hours = ms // HOUR_MS
    open_hour = np.floor(last_ms / HOUR_MS)
    touched = hours < open_hour[series]
    left = np.flatnonzero(~np.isnan(before_ms) & (np.floor(before_ms / HOUR_MS) < open_hour))
    pairs = np.column_stack(
        [
            np.r_[series[touched], left],
            np.r_[hours[touched], np.floor(before_ms[left] / HOUR_MS).astype(np.int64)],
        ]
    )
    if not len(pairs):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    unique = np.unique(pairs, axis=0)
    return unique[:, 0], unique[:, 1] * HOUR_MS
