"""Samples as they are stored: one row holds those of a series in a quarter of an hour, as two arrays of bytes.

`at` has milliseconds since the slice began (int32, little endian), `value` float64. New samples are appended, so
late ones stand out of order: whoever reads sorts. A row per sample would cost ten times as much.
"""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from metrics.points import Floats, Integers
from metrics.storage import partitions, rows

SLICE_MS: Final = 900_000
OFFSET: Final = np.dtype("<i4")
VALUE: Final = np.dtype("<f8")

# The blobs are constants of the statement: PostgreSQL cuts a row's part out of them without copying the rest.
_APPEND: Final = """
INSERT INTO sample_chunk AS c (tenant_id, number, slice_at, at, value)
SELECT %(tenant)s, n.number, to_timestamp(n.slice), substring(%(at)s FROM n.first * 4 + 1 FOR n.samples * 4),
       substring(%(value)s FROM n.first * 8 + 1 FOR n.samples * 8)
FROM unnest(%(numbers)s::bigint[], %(slices)s::bigint[], %(firsts)s::int[], %(samples)s::int[])
     AS n (number, slice, first, samples)
ON CONFLICT (tenant_id, number, slice_at) DO UPDATE SET at = c.at || excluded.at, value = c.value || excluded.value
"""
_EXACT: Final = """
SELECT c.number, extract(epoch FROM c.slice_at)::bigint, c.at, c.value
FROM unnest(%(numbers)s::bigint[], %(slices)s::bigint[]) AS n (number, slice)
JOIN sample_chunk c ON c.tenant_id = %(tenant)s AND c.number = n.number AND c.slice_at = to_timestamp(n.slice)
WHERE c.slice_at BETWEEN to_timestamp(%(first)s) AND to_timestamp(%(last)s)
"""
_RANGE: Final = """
SELECT c.number, extract(epoch FROM c.slice_at)::bigint, c.at, c.value FROM sample_chunk c
WHERE c.tenant_id = %(tenant)s AND c.number = ANY (%(numbers)s::bigint[])
  AND c.slice_at BETWEEN to_timestamp(%(first)s) AND to_timestamp(%(last)s)
"""


def slice_of(ms: Integers) -> Integers:
    """The beginnings, in seconds since 1970, of the slices that times belong to."""
    return ms // SLICE_MS * (SLICE_MS // 1000)


def append(tenant_id: UUID, numbers: Integers, ms: Integers, values: Floats) -> None:
    """Store samples that come sorted by series and time; every one of them is new."""
    if not len(ms):
        return
    slices = slice_of(ms)
    begins = np.flatnonzero(np.r_[True, (numbers[1:] != numbers[:-1]) | (slices[1:] != slices[:-1])])
    partitions.ensure(partitions.SAMPLES, (rows.moment(day * 86_400_000.0) for day in np.unique(ms // 86_400_000)))
    offsets = (ms - slices * 1000).astype(OFFSET)
    rows.execute(
        _APPEND,
        {
            "tenant": tenant_id,
            "at": offsets.tobytes(),
            "value": values.astype(VALUE).tobytes(),
            "numbers": rows.integers(numbers[begins]),
            "slices": rows.integers(slices[begins]),
            "firsts": rows.integers(begins),
            "samples": rows.integers(np.diff(np.r_[begins, len(ms)])),
        },
    )


def read_slices(tenant_id: UUID, numbers: Integers, slices: Integers) -> tuple[Integers, Integers, Floats]:
    """The samples stored in exactly these slices of these series: numbers, times and values, in no order."""
    if not len(numbers):
        return _flat([])
    params: dict[str, Any] = {
        "tenant": tenant_id,
        "numbers": rows.integers(numbers),
        "slices": rows.integers(slices),
        "first": int(slices.min()),
        "last": int(slices.max()),
    }
    return _flat(rows.fetch(_EXACT, params))


def read_range(
    tenant_id: UUID, numbers: Iterable[int], start_ms: int, end_ms: int
) -> tuple[Integers, Integers, Floats]:
    """The samples of series from one time to before another, sorted by series and time."""
    wanted = np.fromiter(numbers, dtype=np.int64)
    if end_ms <= start_ms or not len(wanted):
        return _flat([])
    first, last = slice_of(np.array([start_ms, end_ms - 1]))
    params = {"tenant": tenant_id, "numbers": rows.integers(wanted), "first": int(first), "last": int(last)}
    found, ms, values = _flat(rows.fetch(_RANGE, params))
    inside = (ms >= start_ms) & (ms < end_ms)
    found, ms, values = found[inside], ms[inside], values[inside]
    order = np.lexsort((ms, found))
    return found[order], ms[order], values[order]


def _flat(found: list[tuple[Any, ...]]) -> tuple[Integers, Integers, Floats]:
    """Rows of chunks as three flat arrays."""
    lengths = np.array([len(at) // 4 for _number, _slice, at, _value in found], dtype=np.int64)
    numbers: NDArray[np.int64] = np.repeat(np.array([row[0] for row in found], dtype=np.int64), lengths)
    begins = np.repeat(np.array([row[1] for row in found], dtype=np.int64) * 1000, lengths)
    offsets = np.frombuffer(b"".join([row[2] for row in found]), dtype=OFFSET)
    values = np.frombuffer(b"".join([row[3] for row in found]), dtype=VALUE)
    return numbers, begins + offsets, values.astype(np.float64)
