"""Fitting a forecast: season, level and slope, chosen and judged by forecasts that could have been made in the past."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metrics.forecasting.forecast import Forecast
from metrics.forecasting.states import states_of
from metrics.seasons import (
    BadSeries,
    Calendar,
    Cells,
    Floats,
    Points,
    Season,
    cells_of,
    learn_season,
    points_of,
    spacing_of,
)
from metrics.seasons.points import Ints

LENGTHS = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 21600.0, 43200.0, 86400.0, 604800.0)
MOST_CELLS = 2016
LEAST_CELLS = 16
REFITS = 8
MOST_ORIGINS = 240
MOST_HORIZONS = 28
FIRST_ORIGIN = 3  # a third of the past is kept for the first fit
SEASON_CELL = 3600.0
LEAST_TOLD = 5
HOLE_SHARE = 4  # at most this part of the past is left out of a season


class Judged(NamedTuple):
    """Errors float64[candidates, origins, horizons] against single samples and against medians of cells."""

    samples: Floats
    medians: Floats


def fit_forecast(
    at: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    ahead: float,
    calendar: Calendar | None = None,
    floor: float | None = None,
    ceiling: float | None = None,
) -> Forecast:
    """Fit a forecast for the next `ahead` seconds to a series (unix seconds, unit of the series; float64[n]).

    `floor` and `ceiling` are bounds that the series cannot leave (0 and 100 for a percentage). Raises BadSeries with
    fewer than 16 cells of data, or when asked for more than twice as far as the past reaches.
    """
    points = points_of(at, values, at_least=LEAST_CELLS)
    span = float(points.at[-1] - points.at[0])
    if not 0 < ahead <= 2 * span:
        raise BadSeries(f"{ahead:g} s ahead from {span:g} s of past; at most twice the past can be forecast")
    calendar = calendar or Calendar()
    cells = cells_of(points, cell_length(points, span))
    if int(np.isfinite(cells.values).sum()) < LEAST_CELLS:
        raise BadSeries(f"{int(np.isfinite(cells.values).sum())} cells with data, at least {LEAST_CELLS} are needed")
    origins, horizons = grid(cells, ahead)
    judged = rehearse(points, cells, calendar, origins, horizons)
    best = choices(judged)
    season = learn_season(cells_of(points, max(SEASON_CELL, cells.length)), calendar)
    states = states_of(cells.values - season.at(cells.centres))
    places = np.arange(horizons.size)
    return Forecast(
        end=float(cells.centres[-1]),
        step=cells.length,
        base=states.level[best, -1] + states.slope[best, -1] * horizons,
        slope=float(states.slope[best[-1], -1]),
        season=season,
        horizons=horizons,
        sample_errors=judged.samples[best, :, places].T,
        level_errors=judged.medians[best, :, places].T,
        reach=int(origins[-1] - origins[0]) + 1,
        floor=floor,
        ceiling=ceiling,
    )


def cell_length(points: Points, span: float) -> float:
    """The shortest usual length that is no shorter than the spacing and gives at most 2016 cells."""
    least = max(spacing_of(points.at) * 0.999, span / MOST_CELLS)
    return next((length for length in LENGTHS if length >= least), least)


def grid(cells: Cells, ahead: float) -> tuple[Ints, Floats]:
    """The cells from which the past is forecast again, and how many cells ahead, close at first and then wider."""
    count = cells.values.size
    first = max(LEAST_CELLS // 2, count // FIRST_ORIGIN)
    origins = np.unique(np.linspace(first, count - 2, min(MOST_ORIGINS, count - 1 - first)).astype(np.int64))
    furthest = max(1, int(np.ceil(ahead / cells.length)))
    horizons = np.unique(np.round(np.geomspace(1, furthest, MOST_HORIZONS)))
    return origins, horizons.astype(np.float64)


def season_without(points: Points, cells: Cells, calendar: Calendar, *, start: float, end: float) -> Season:
    """The season as it is known from all but the points in [start, end)."""
    kept = (points.at < start) | (points.at >= end)
    rest = Points(points.at[kept], points.values[kept])
    return learn_season(cells_of(rest, max(SEASON_CELL, cells.length)), calendar)


def rehearse(points: Points, cells: Cells, calendar: Calendar, origins: Ints, horizons: Floats) -> Judged:
    """Forecast the past from each origin; levels and slopes with what was known then.

    The season is learned for each block of origins from all but the time forecast from them (cross-fitting): what came
    later tells no more of that time than what came before, and the season is as well known as today's.
    """
    samples, medians = [], []
    hole = min(horizons[-1], cells.values.size / HOLE_SHARE)
    for block in np.array_split(origins, min(REFITS, origins.size)):
        start = cells.start + float(block[0] + 1) * cells.length
        end = cells.start + (float(block[-1] + 1) + float(hole)) * cells.length
        season = season_without(points, cells, calendar, start=start, end=end)
        added = season.at(cells.centres)
        states = states_of((cells.values - added)[: block[-1] + 1])
        targets = block[:, None] + horizons[None, :].astype(np.int64)
        inside = targets < cells.values.size
        targets = np.where(inside, targets, 0)
        expected = states.level[:, block][:, :, None] + states.slope[:, block][:, :, None] * horizons + added[targets]
        samples.append(np.where(inside, cells.last[targets], np.nan) - expected)
        medians.append(np.where(inside, cells.values[targets], np.nan) - expected)
    return Judged(np.concatenate(samples, axis=1), np.concatenate(medians, axis=1))


def choices(judged: Judged) -> Ints:
    """The candidate with the least absolute error at each horizon (int64[horizons]); neighbours have a say.

    What is near is best told by the last value, what is far by the usual one: the forecast moves from one to the other.
    """
    known = np.isfinite(judged.medians)
    counts = known.sum(axis=1)
    errors = np.where(known, np.abs(judged.medians), 0.0).sum(axis=1) / np.maximum(counts, 1)
    told = int((counts[0] >= LEAST_TOLD).sum())
    if not told:
        return np.zeros(counts.shape[1], dtype=np.int64)
    best = errors.min(axis=0)
    relative = np.where(best > 0, errors / np.where(best > 0, best, 1.0), np.where(errors > 0, 2.0, 1.0))[:, :told]
    padded = np.pad(relative, ((0, 0), (2, 2)), mode="edge")
    shared = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=1).mean(axis=2)
    chosen = np.argmin(np.round(shared, 9), axis=0)
    return np.concatenate((chosen, np.full(counts.shape[1] - told, chosen[-1]))).astype(np.int64)
