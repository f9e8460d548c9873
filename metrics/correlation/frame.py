"""Many series brought onto one grid of time, without their seasons, in units of what is usual for each."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from metrics.seasons import (
    BadSeries,
    Calendar,
    Cells,
    Floats,
    Kind,
    Points,
    cells_of,
    learn_season,
    points_of,
    spacing_of,
)
from metrics.seasons.calendar import DAY

MOST_CELLS = 20_000
SEASON_CELL = 3600.0
SEASON_DAYS = 2
CLIP = 10.0
NORMAL_MAD = 1.4826
LONGEST_BRIDGE = 5  # cells of a gap that are bridged by a straight line

SeriesOf = Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]]


@dataclass(frozen=True, slots=True)
class Frame:
    """`values` float64[series, cells]: deviations from level and season, in usual deviations; 0 where nothing is known.

    Row `i` is the series `keys[i]`; cell `j` covers [begin + j*step, begin + (j+1)*step). `event` is the first cell of
    the time in question; all before it is the past that says what is usual.
    `doubt` float64[series]: how much further than in the past a series strays from its season, which knew the past.
    """

    keys: tuple[str, ...]
    values: Floats
    doubt: Floats
    begin: float
    step: float
    event: int

    def row(self, key: str) -> Floats:
        """One series."""
        found: Floats = self.values[self.keys.index(key)]
        return found


def frame_of(
    series: SeriesOf,
    *,
    start: float,
    end: float,
    history: float,
    step: float | None = None,
    calendar: Calendar | None = None,
) -> Frame:
    """Bring series onto one grid from `history` seconds before `start` to `end` (unix seconds).

    `step` is the length of a cell; without one it is the usual spacing of the series. Series without points in that
    time, and those that never move, are left out. Raises BadSeries when nothing is left or the times make no sense.
    """
    if not (start < end and history > 0):
        raise BadSeries("start must lie before end, and there must be a past before it")
    known = {key: within(points_of(at, values), start - history, end) for key, (at, values) in series.items()}
    known = {key: points for key, points in known.items() if points.at.size >= 2}
    if not known:
        raise BadSeries("no series has points in that time")
    length = step or float(np.median([spacing_of(points.at) for points in known.values()]))
    length = max(length, (end - start + history) / MOST_CELLS)
    begin = np.floor((start - history) / length) * length
    count = int(np.ceil((end - begin) / length))
    event = int(np.floor((start - begin) / length))
    grid = Cells(begin, length, np.empty(count), np.empty(count))
    keys, rows, doubts = [], [], []
    for key, points in known.items():
        if float(np.ptp(points.values)) <= 0:
            continue
        row, doubt = deviations(points, grid, start, calendar or Calendar())
        keys.append(key)
        rows.append(standard(row, event))
        doubts.append(doubt)
    if not rows:
        raise BadSeries("no series moves in that time")
    return Frame(tuple(keys), np.array(rows), np.array(doubts), float(begin), length, event)


def within(points: Points, begin: float, end: float) -> Points:
    """The points in [begin, end)."""
    first, last = np.searchsorted(points.at, [begin, end])
    return Points(points.at[first:last], points.values[first:last])


def deviations(points: Points, grid: Cells, start: float, calendar: Calendar) -> tuple[Floats, float]:
    """One series on the grid less its season, NaN where nothing is known; and the doubt about the season.

    A season learned from n days lies closer to those than to the next: errors of n - 1 against n + 1 parts of n.
    """
    cells = cells_of(points, grid.length)
    row = np.full(grid.values.size, np.nan)
    offset = round((cells.start - grid.start) / grid.length)
    row[offset : offset + cells.values.size] = cells.values[: row.size - offset]
    past = within(points, -np.inf, start)
    span = float(past.at[-1] - past.at[0]) if past.at.size > 1 else 0.0
    if span < SEASON_DAYS * DAY:
        return bridged(row), 1.0
    season = learn_season(cells_of(past, max(SEASON_CELL, grid.length)), calendar)
    if season.kind is Kind.NONE:
        return bridged(row), 1.0
    times = max(2.0, span / (7 * DAY if season.kind is Kind.WEEKLY else DAY))
    return bridged(row - season.at(grid.centres)), float(np.sqrt((times + 1) / (times - 1)))


def bridged(row: Floats) -> Floats:
    """Short gaps bridged by straight lines; long ones stay NaN."""
    known = np.flatnonzero(np.isfinite(row))
    if known.size < 2:
        return row
    places = np.arange(row.size)
    before = known[np.clip(np.searchsorted(known, places, side="right") - 1, 0, None)]
    after = known[np.clip(np.searchsorted(known, places), None, known.size - 1)]
    near = (after - before <= LONGEST_BRIDGE + 1) & (places >= known[0]) & (places <= known[-1])
    whole: Floats = np.where(near, np.interp(places, known, row[known]), np.nan)
    return whole


def standard(row: Floats, event: int) -> Floats:
    """In usual deviations of the past from its middle, cut off at ten; 0 where nothing is known."""
    past = row[:event][np.isfinite(row[:event])]
    if not past.size:
        return np.zeros(row.size)
    middle = float(np.median(past))
    usual = NORMAL_MAD * float(np.median(np.abs(past - middle))) or float(np.std(past))
    # What never moved before has no usual deviation: any movement of it is far out of the usual.
    usual = usual or float(np.nanmax(np.abs(row - middle))) / CLIP or 1.0
    clipped: Floats = np.nan_to_num(np.clip((row - middle) / usual, -CLIP, CLIP))
    return clipped
