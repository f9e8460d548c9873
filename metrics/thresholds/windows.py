"""Sums, means and extremes over trailing windows of time, for many series at once."""

from __future__ import annotations

from typing import Final

import numpy as np

from metrics.thresholds.batch import Batch, Floats, Ints

_EXTREMES: Final = {"min": np.minimum, "max": np.maximum}


def over_windows(batch: Batch, starts: Ints, ends: Ints, take: str) -> Floats:
    """What `take` makes of the samples `starts[i]:ends[i]`; NaN where there are none (a count of none is 0)."""
    counts = (ends - starts).astype(np.float64)
    if take == "count":
        return counts
    if take in _EXTREMES:
        return _extremes(batch.value, starts, ends, take)
    if take == "last":
        picked = batch.value[np.maximum(ends - 1, 0)] if len(batch.value) else np.zeros(len(ends))
        return np.where(counts > 0, picked, np.nan)
    sums = _sums(batch, starts, ends)
    if take == "sum":
        return np.where(counts > 0, sums, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = sums / counts
    return means


def _sums(batch: Batch, starts: Ints, ends: Ints) -> Floats:
    """Window sums by one running sum, each series at its own scale first: a huge one must not blur a tiny one."""
    if not len(batch.value):
        return np.zeros(len(starts))
    scale = _scales(batch)
    running = np.concatenate([[0.0], np.cumsum(batch.value / scale[batch.owner])])
    owner = batch.owner[np.clip(starts, 0, len(batch.value) - 1)]
    sums: Floats = (running[ends] - running[starts]) * scale[owner]
    return sums


def _scales(batch: Batch) -> Floats:
    """The largest size in each series; 1 where all is zero."""
    scale = np.ones(len(batch))
    filled = np.flatnonzero(np.diff(batch.bounds))
    if len(filled):
        largest = np.maximum.reduceat(np.abs(batch.value), batch.bounds[:-1][filled])
        scale[filled] = np.where(largest > 0, largest, 1.0)
    return scale


def _extremes(values: Floats, starts: Ints, ends: Ints, take: str) -> Floats:
    """Range minima or maxima by a table of doubling widths: two look-ups a window, whatever its length."""
    combine = _EXTREMES[take]
    counts = ends - starts
    result = np.full(len(starts), np.nan)
    there = counts > 0
    if not there.any():
        return result
    levels = np.zeros(len(starts), dtype=np.int64)
    levels[there] = np.frexp(counts[there].astype(np.float64))[1] - 1
    table = values
    for level in range(int(levels.max()) + 1):
        width = 1 << level
        at_level = np.flatnonzero(there & (levels == level))
        result[at_level] = combine(table[starts[at_level]], table[ends[at_level] - width])
        table = combine(table[:-width], table[width:]) if len(table) > width else table
    return result
