"""What a series is to the numerics: two checked arrays, in the order of time, without holes."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class BadSeries(ValueError):
    """The arrays given are no series: shapes differ, times are not finite, or too little is left to work with."""


class Points(NamedTuple):
    """A series: `at` in unix seconds, strictly rising; `values` finite, in the unit of the series. Both float64[n]."""

    at: Floats
    values: Floats


def points_of(at: npt.ArrayLike, values: npt.ArrayLike, *, at_least: int = 0) -> Points:
    """Check two arrays and make a series of them.

    Values that are not finite are left out, points are put in order, and of several at one time the last given stays.
    Raises BadSeries when the shapes differ, a time is not finite, or fewer than `at_least` points are left.
    """
    times, numbers = np.asarray(at, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if times.ndim != 1 or times.shape != numbers.shape:
        raise BadSeries(f"times {times.shape} and values {numbers.shape} must be one-dimensional and of one length")
    if not np.isfinite(times).all():
        raise BadSeries("every time must be a finite number of unix seconds")
    kept = np.isfinite(numbers)
    times, numbers = times[kept], numbers[kept]
    if times.size > 1 and not (np.diff(times) > 0).all():
        order = np.argsort(times, kind="stable")
        times, numbers = times[order], numbers[order]
        last = np.append(np.diff(times) > 0, True)
        times, numbers = times[last], numbers[last]
    if times.size < at_least:
        raise BadSeries(f"{times.size} usable points, at least {at_least} are needed")
    return Points(times, numbers)


def spacing_of(at: Floats) -> float:
    """The usual distance of two points in seconds: the median, which gaps do not move. 60 when there is but one."""
    return float(np.median(np.diff(at))) if at.size > 1 else 60.0
