"""Keeps rollups in step with samples: an hour of a series that is over, or that samples came late for, is rolled
up anew from all its samples, and with it the day and the month it belongs to.

Nothing is ever added to a stored figure. So a sample that was sent twice cannot count twice, one that came late
counts as if it had been in time, and rolling the same hour up again changes nothing.
"""

from typing import Final
from uuid import UUID

import numpy as np

from metrics.ingest import take_turn
from metrics.points import Integers
from metrics.storage import buckets, chunks, rollup_rows, rows
from metrics.storage.buckets import Rollup
from metrics.storage.levels import DAY, HOUR, HOUR_MS, MINUTE, Level, day_of, hour_of
from tenants.context import tenant_context

#: Hours of series in one transaction.
MOST_HOURS: Final = 4_000
_SLICES_AN_HOUR: Final = HOUR_MS // chunks.SLICE_MS

_CLAIM: Final = """
DELETE FROM rollup_due WHERE tenant_id = %(tenant)s AND (number, hour_at) IN
    (SELECT number, hour_at FROM rollup_due WHERE tenant_id = %(tenant)s ORDER BY number, hour_at LIMIT %(limit)s)
RETURNING number, extract(epoch FROM hour_at)::bigint * 1000
"""
# The hour of a series' last sample stays open until the next sample; where none comes, it is closed here.
_CLOSE: Final = """
INSERT INTO rollup_due (tenant_id, number, hour_at)
SELECT tenant_id, number, date_trunc('hour', last_at, 'UTC') FROM series
WHERE tenant_id = %(tenant)s AND last_at BETWEEN now() - interval '7 days' AND now() - interval '2 hours'
ON CONFLICT (tenant_id, number, hour_at) DO NOTHING
"""


def roll(tenant_id: UUID, limit: int = MOST_HOURS) -> int:
    """Roll up hours that are due; return how many there were."""
    with tenant_context(tenant_id):
        take_turn(tenant_id)
        claimed = rows.fetch(_CLAIM, {"tenant": tenant_id, "limit": limit})
        if not claimed:
            return 0
        due = np.array(claimed, dtype=np.int64)
        by_minute = minutes(tenant_id, due[:, 0], due[:, 1])
        rollup_rows.write(tenant_id, MINUTE, by_minute)
        hours = replaced(tenant_id, HOUR, buckets.coarsen(by_minute, hour_of))
        rollup_rows.write(tenant_id, HOUR, hours)
        rollup_rows.write(tenant_id, DAY, replaced(tenant_id, DAY, buckets.coarsen(hours, day_of)))
        return len(due)


def close_idle(tenant_id: UUID) -> int:
    """Mark the last hours of series that fell silent as due; return how many."""
    with tenant_context(tenant_id):
        take_turn(tenant_id)
        return rows.execute(_CLOSE, {"tenant": tenant_id})


def minutes(tenant_id: UUID, numbers: Integers, hours: Integers) -> Rollup:
    """The minutes of whole hours, from all their samples. Hours without samples (dropped by now) are left out."""
    slices = (hours[:, None] + np.arange(_SLICES_AN_HOUR) * chunks.SLICE_MS).ravel() // 1000
    found, ms, values = chunks.read_slices(tenant_id, np.repeat(numbers, _SLICES_AN_HOUR), slices)
    order = np.lexsort((ms, found))
    return buckets.from_samples(found[order], ms[order], values[order], MINUTE.width)


def replaced(tenant_id: UUID, level: Level, new: Rollup) -> Rollup:
    """The chunks that new buckets belong to, with the new buckets in place of the old ones."""
    if not len(new.at):
        return new
    keys = np.unique(np.column_stack([new.series, level.chunk_of(new.at)]), axis=0)
    old = rollup_rows.read_exact(tenant_id, level, keys[:, 0], keys[:, 1])
    return buckets.together([old.only(~is_among(old, new.series, new.at)), new])


def is_among(rollup: Rollup, series: Integers, at: Integers) -> buckets.Flags:
    """Which buckets are among these pairs of series and beginning."""
    wanted = set(zip(series.tolist(), at.tolist(), strict=True))
    pairs = zip(rollup.series.tolist(), rollup.at.tolist(), strict=True)
    return np.fromiter((pair in wanted for pair in pairs), dtype=bool, count=len(rollup.at))
