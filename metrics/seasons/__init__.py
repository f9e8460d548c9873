"""What a series repeats by the hour of the day and the day of the week, learned from its past."""

from metrics.seasons.calendar import Calendar
from metrics.seasons.cells import Cells, cells_of
from metrics.seasons.points import BadSeries, Floats, Points, points_of, spacing_of
from metrics.seasons.season import NO_SEASON, Kind, Season, learn_season

__all__ = [
    "NO_SEASON",
    "BadSeries",
    "Calendar",
    "Cells",
    "Floats",
    "Kind",
    "Points",
    "Season",
    "cells_of",
    "learn_season",
    "points_of",
    "spacing_of",
]
