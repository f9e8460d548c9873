"""Series of one entity on a common grid: a column for each metric, a row for each step of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: A series counts with its latest value for so many of its intervals, and for so many steps at least.
STALE_INTERVALS: Final = 3.0
STALE_STEPS: Final = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """One series: its metric, its samples in the order of time, and how far they lie apart."""

    metric: str
    at: Floats
    value: Floats
    interval: float = 0.0
    is_counter: bool = False

    def patience(self, step: float) -> float:
        """For how many seconds its latest value stands for it."""
        return max(STALE_STEPS * step, STALE_INTERVALS * self.interval)


def rows_of(pieces: Sequence[Piece], names: Sequence[str], first: int, last: int, step: float) -> Floats:
    """A row for each step from `first` to `last` (numbers of steps since 1970), a column for each name.

    A series gives the mean of its samples within a step, or its latest value; a counter its change a second.
    Several series of one metric are averaged. NaN where nothing is known.
    """
    columns = []
    for name in names:
        own = [_course(piece, first, last, step) for piece in pieces if piece.metric == name]
        columns.append(_mean(np.array(own)) if own else np.full(last - first + 1, np.nan))
    return np.column_stack(columns)


def _mean(courses: Floats) -> Floats:
    known = np.isfinite(courses)
    count = known.sum(axis=0)
    total = np.where(known, courses, 0.0).sum(axis=0)
    mean: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _course(piece: Piece, first: int, last: int, step: float) -> Floats:
    """One series on the grid; what lies before the grid gives its first rows their latest value."""
    before = int(np.ceil(piece.patience(step) / step)) + 1
    size = last - first + 1 + before
    finite = np.isfinite(piece.value)
    cell = np.floor(piece.at[finite] / step).astype(np.int64) - (first - before)
    inside = (cell >= 0) & (cell < size)
    count = np.bincount(cell[inside], minlength=size)
    total = np.bincount(cell[inside], weights=piece.value[finite][inside], minlength=size)
    known = np.flatnonzero(count)
    values = total[known] / count[known]
    if piece.is_counter:
        known, values = _rates(known, values, step)
    course = np.full(size, np.nan)
    course[known] = values
    return _carried(course, int(piece.patience(step) / step))[before:]


def _rates(cells: NDArray[np.int64], values: Floats, step: float) -> tuple[NDArray[np.int64], Floats]:
    """The change a second from one known cell to the next; a counter that fell began anew and says nothing."""
    change = np.diff(values) / (np.diff(cells) * step)
    grew = change >= 0
    return cells[1:][grew], change[grew]


def _carried(course: Floats, most: int) -> Floats:
    """Fill gaps of at most so many rows with the value before them."""
    known = np.isfinite(course)
    places = np.arange(len(course))
    latest = np.maximum.accumulate(np.where(known, places, -1))
    usable = (latest >= 0) & (places - latest <= most)
    filled: Floats = np.where(usable, course[np.maximum(latest, 0)], np.nan)
    return filled
