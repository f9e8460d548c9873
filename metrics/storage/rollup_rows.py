"""Chunks of rollups as rows: written whole, read by their keys or by range."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

import numpy as np

from metrics.points import Integers
from metrics.storage import buckets, partitions, rows
from metrics.storage.buckets import Rollup
from metrics.storage.levels import Level

_WRITE: Final = """
INSERT INTO {table} AS r (tenant_id, number, chunk_at, body)
SELECT %(tenant)s, n.number, to_timestamp(n.at / 1000.0), substring(%(body)s FROM n.first + 1 FOR n.size)
FROM unnest(%(numbers)s::bigint[], %(at)s::bigint[], %(firsts)s::int[], %(sizes)s::int[]) AS n (number, at, first, size)
ON CONFLICT (tenant_id, number, chunk_at) DO UPDATE SET body = excluded.body
"""
_EXACT: Final = """
SELECT r.number, extract(epoch FROM r.chunk_at)::bigint * 1000, r.body
FROM unnest(%(numbers)s::bigint[], %(at)s::bigint[]) AS n (number, at)
JOIN {table} r ON r.tenant_id = %(tenant)s AND r.number = n.number AND r.chunk_at = to_timestamp(n.at / 1000.0)
WHERE r.chunk_at BETWEEN to_timestamp(%(first)s / 1000.0) AND to_timestamp(%(last)s / 1000.0)
"""
_RANGE: Final = """
SELECT r.number, extract(epoch FROM r.chunk_at)::bigint * 1000, r.body FROM {table} r
WHERE r.tenant_id = %(tenant)s AND r.number = ANY (%(numbers)s::bigint[])
  AND r.chunk_at BETWEEN to_timestamp(%(first)s / 1000.0) AND to_timestamp(%(last)s / 1000.0)
"""


def write(tenant_id: UUID, level: Level, rollup: Rollup) -> None:
    """Store whole chunks: what a chunk held before is replaced."""
    if not len(rollup.at):
        return
    chunk_at = level.chunk_of(rollup.at)
    begins = np.flatnonzero(np.r_[True, (rollup.series[1:] != rollup.series[:-1]) | (chunk_at[1:] != chunk_at[:-1])])
    ends = np.r_[begins[1:], len(chunk_at)]
    bodies = [
        buckets.encode(rollup, begin, end, at, level.width)
        for begin, end, at in zip(begins.tolist(), ends.tolist(), chunk_at[begins].tolist(), strict=True)
    ]
    partitions.ensure(level.partitioned, (rows.moment(at) for at in np.unique(chunk_at).tolist()))
    sizes = np.array([len(body) for body in bodies], dtype=np.int64)
    rows.execute(
        _WRITE.format(table=level.partitioned.table),
        {
            "tenant": tenant_id,
            "body": b"".join(bodies),
            "numbers": rows.integers(rollup.series[begins]),
            "at": rows.integers(chunk_at[begins]),
            "firsts": rows.integers(np.cumsum(sizes) - sizes),
            "sizes": rows.integers(sizes),
        },
    )


def read_exact(tenant_id: UUID, level: Level, numbers: Integers, chunk_at: Integers) -> Rollup:
    """What these chunks of these series hold."""
    if not len(numbers):
        return buckets.EMPTY
    params = {"numbers": rows.integers(numbers), "at": rows.integers(chunk_at)}
    return _read(_EXACT, tenant_id, level, params, int(chunk_at.min()), int(chunk_at.max()))


def read_range(tenant_id: UUID, level: Level, numbers: Iterable[int], start: int, end: int) -> Rollup:
    """The buckets of series that begin from one time to before another."""
    wanted = np.fromiter(numbers, dtype=np.int64)
    if end <= start or not len(wanted):
        return buckets.EMPTY
    first, last = level.chunk_of(np.array([start, end - 1]))
    found = _read(_RANGE, tenant_id, level, {"numbers": rows.integers(wanted)}, int(first), int(last))
    return found.only((found.at >= start) & (found.at < end))


def _read(sql: str, tenant_id: UUID, level: Level, params: dict[str, Any], first: int, last: int) -> Rollup:
    found = rows.fetch(
        sql.format(table=level.partitioned.table), {**params, "tenant": tenant_id, "first": first, "last": last}
    )
    return buckets.together([buckets.decode(number, at, level.width, body) for number, at, body in found])
