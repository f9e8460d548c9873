"""A series cut into cells of equal length, each with the median of its points."""

from dataclasses import dataclass

import numpy as np

from metrics.seasons.points import BadSeries, Floats, Points

MOST_CELLS = 200_000


@dataclass(frozen=True, slots=True)
class Cells:
    """`values[i]` is the median of the points in [start + i*length, start + (i+1)*length), NaN where there is none.

    `last` holds the last raw value of each cell: one true sample, with all of its noise.
    """

    start: float
    length: float
    values: Floats
    last: Floats

    @property
    def centres(self) -> Floats:
        """The middle of each cell in unix seconds."""
        middle: Floats = self.start + (np.arange(self.values.size, dtype=np.float64) + 0.5) * self.length
        return middle


def cells_of(points: Points, length: float) -> Cells:
    """Cut a series into cells whose edges are multiples of `length` seconds. Raises BadSeries without a point."""
    if not points.at.size:
        raise BadSeries("a series without points has no cells")
    numbers = np.floor(points.at / length)
    span = int(numbers[-1] - numbers[0]) + 1
    if span > MOST_CELLS:
        raise BadSeries(f"{span} cells of {length:g} s, at most {MOST_CELLS} are handled")
    places = (numbers - numbers[0]).astype(np.int64)
    values, last = np.full(span, np.nan), np.full(span, np.nan)
    last[places] = points.values  # of several assignments to one place numpy keeps the last
    order = np.lexsort((points.values, places))
    ranked = points.values[order]
    found, first, counts = np.unique(places, return_index=True, return_counts=True)
    values[found] = (ranked[first + (counts - 1) // 2] + ranked[first + counts // 2]) / 2
    return Cells(float(numbers[0]) * length, length, values, last)
