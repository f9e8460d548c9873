"""Rollups as arrays: made of samples, made coarser, put together, and as the bytes of a stored chunk.

A `Rollup` has one row per series and bucket, sorted by both, and the counted bins of each bucket's sketch.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from metrics.storage import sketch

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_HEAD: Final = struct.Struct("<BHI")
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Rollup:
    """What was measured per bucket: `at` is its beginning in milliseconds; `bucket` says whose bin a bin is."""

    series: Integers
    at: Integers
    count: Floats
    sum: Floats
    min: Floats
    max: Floats
    sumsq: Floats
    bucket: Integers
    bin: Integers
    weight: Floats

    def only(self, chosen: Flags) -> Rollup:
        """Some of the buckets."""
        place = np.cumsum(chosen) - 1
        bins = chosen[self.bucket]
        rows = (column[chosen] for column in _columns(self))
        return _of(rows, place[self.bucket[bins]], self.bin[bins], self.weight[bins])

    def quantile(self, share: float) -> Floats:
        """This quantile of each bucket."""
        edges = np.searchsorted(self.bucket, np.arange(len(self.at) + 1))
        return np.array(
            [
                sketch.quantile(self.bin[begin:end], self.weight[begin:end], share)
                for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
            ]
        )


def _of(columns: Iterable[Any], bucket: Integers, bin: Integers, weight: Floats) -> Rollup:
    whole: list[Any] = [*columns, bucket, bin, weight]
    return Rollup(*whole)


def _columns(rollup: Rollup) -> tuple[Any, ...]:
    return rollup.series, rollup.at, rollup.count, rollup.sum, rollup.min, rollup.max, rollup.sumsq


_NONE: Final[tuple[Any, ...]] = (
    (np.empty(0, dtype=np.int64),) * 2 + (np.empty(0),) * 5 + (np.empty(0, dtype=np.int64),) * 2
)
EMPTY: Final = Rollup(*(*_NONE, np.empty(0)))


def from_samples(series: Integers, ms: Integers, values: Floats, width: int) -> Rollup:
    """Roll samples, sorted by series and time, up into buckets of so many milliseconds."""
    if not len(ms):
        return EMPTY
    at = ms // width * width
    begins = _begins(series, at)
    bucket = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(ms)]))
    bins = sketch.gather(bucket, sketch.bins_of(values), np.ones(len(values)))
    return Rollup(
        series[begins],
        at[begins],
        np.diff(np.r_[begins, len(ms)]).astype(np.float64),
        np.add.reduceat(values, begins),
        np.minimum.reduceat(values, begins),
        np.maximum.reduceat(values, begins),
        np.add.reduceat(values * values, begins),
        *bins,
    )


def coarsen(rollup: Rollup, start_of: Callable[[Integers], Integers]) -> Rollup:
    """Roll buckets up into those that begin where `start_of` says."""
    if not len(rollup.at):
        return EMPTY
    at = start_of(rollup.at)
    begins = _begins(rollup.series, at)
    place = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(at)]))
    return Rollup(
        rollup.series[begins],
        at[begins],
        np.add.reduceat(rollup.count, begins),
        np.add.reduceat(rollup.sum, begins),
        np.minimum.reduceat(rollup.min, begins),
        np.maximum.reduceat(rollup.max, begins),
        np.add.reduceat(rollup.sumsq, begins),
        *sketch.gather(place[rollup.bucket], rollup.bin, rollup.weight),
    )


def together(parts: Sequence[Rollup]) -> Rollup:
    """Rollups without a common bucket as one, sorted by series and time."""
    if not parts:
        return EMPTY
    sizes = np.cumsum([0] + [len(part.at) for part in parts[:-1]])
    rows: list[Any] = [np.concatenate(columns) for columns in zip(*(_columns(part) for part in parts), strict=True)]
    bucket = np.concatenate([part.bucket + before for part, before in zip(parts, sizes, strict=True)])
    bins = np.concatenate([part.bin for part in parts])
    weights = np.concatenate([part.weight for part in parts])
    order = np.lexsort((rows[1], rows[0]))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return _of((column[order] for column in rows), *sketch.gather(place[bucket], bins, weights))


def _begins(series: Integers, at: Integers) -> Integers:
    return np.flatnonzero(np.r_[True, (series[1:] != series[:-1]) | (at[1:] != at[:-1])])


def encode(rollup: Rollup, begin: int, end: int, chunk_at: int, width: int) -> bytes:
    """The bytes of the rows from `begin` to `end`, which all belong to one chunk of one series."""
    first, last = np.searchsorted(rollup.bucket, [begin, end])
    sizes = np.bincount(rollup.bucket[first:last] - begin, minlength=end - begin)
    return b"".join(
        (
            _HEAD.pack(_VERSION, end - begin, int(last - first)),
            ((rollup.at[begin:end] - chunk_at) // width).astype("<u2").tobytes(),
            sizes.astype("<u2").tobytes(),
            rollup.count[begin:end].astype("<u4").tobytes(),
            rollup.sum[begin:end].astype("<f8").tobytes(),
            rollup.min[begin:end].astype("<f8").tobytes(),
            rollup.max[begin:end].astype("<f8").tobytes(),
            rollup.sumsq[begin:end].astype("<f8").tobytes(),
            rollup.bin[first:last].astype("<i4").tobytes(),
            rollup.weight[first:last].astype("<u4").tobytes(),
        )
    )


def decode(series: int, chunk_at: int, width: int, body: bytes | memoryview) -> Rollup:
    """The rows of a stored chunk."""
    version, count, bins = _HEAD.unpack_from(body)
    if version != _VERSION:
        raise ValueError(f"rollup of an unknown version: {version}")
    offset = _HEAD.size

    def take(kind: str, length: int) -> Any:
        nonlocal offset
        array: NDArray[Any] = np.frombuffer(body, dtype=kind, count=length, offset=offset)
        offset += array.nbytes
        return array

    position, sizes = take("<u2", count).astype(np.int64), take("<u2", count).astype(np.int64)
    columns = [
        np.full(count, series, dtype=np.int64),
        chunk_at + position * width,
        take("<u4", count).astype(np.float64),
        *(take("<f8", count).astype(np.float64) for _column in range(4)),
    ]
    bucket = np.repeat(np.arange(count), sizes)
    return _of(columns, bucket, take("<i4", bins).astype(np.int64), take("<u4", bins).astype(np.float64))
