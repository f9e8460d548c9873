"""What is learned from remembered cells: season, level, scale by the hour, and the tails on both sides."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from metrics.bands.config import BandConfig
from metrics.bands.memory import Memory
from metrics.bands.tail import Tail, tail_of
from metrics.seasons import NO_SEASON, Floats, Season, learn_season
from metrics.seasons.calendar import DAY
from metrics.seasons.points import Ints

HOURS = 24
HOUR_DOUBT = 3.0  # an hour of the day seen n times is believed n / (n + this)
SCALE_FLOOR = 0.2
LEVEL_REACH = 7  # half-lives; what is older weighs less than a hundredth
CHANCE_A_DAY = 2
EARLY = 72  # cells; before, the season is looked for more often
HALF_OF_POINTS = 0.5
UNKNOWN = Tail(0.0, 1.0, 0.0, 1.0)


@dataclass(slots=True)
class Model:
    """`level` and `scale` (float64[24], by local hour) in the unit of the series; tails in scales."""

    season: Season = field(default_factory=lambda: NO_SEASON)
    level: float = 0.0
    scale: Floats = field(default_factory=lambda: np.ones(HOURS))
    upper: Tail = field(default_factory=lambda: UNKNOWN)
    lower: Tail = field(default_factory=lambda: UNKNOWN)

    def expected(self, at: Floats) -> Floats:
        """Level and season at each moment."""
        return self.level + self.season.at(at)

    def scales(self, at: Floats, config: BandConfig) -> Floats:
        """The scale at each moment, straight lines between the middles of the hours."""
        _, _, seconds = config.calendar.place(at)
        place = seconds / DAY * HOURS - 0.5
        left = np.floor(place).astype(np.int64)
        share = place - left
        mixed: Floats = self.scale[left % HOURS] * (1 - share) + self.scale[(left + 1) % HOURS] * share
        return mixed


def refit(model: Model, memory: Memory, config: BandConfig, closed: int) -> Model:
    """The model after one more cell; `closed` counts all cells so far and tells when the season is due."""
    season = model.season
    centres = memory.start + config.cell_seconds / 2
    if len(memory) >= HOURS and closed % (HOURS // 2 if closed < EARLY else HOURS) == 0:
        season = learn_season(memory.cells(config.cell_seconds), config.calendar)
        added = season.at(centres)
        same = season.kind is model.season.kind
        memory.retell(added, memory.level if same else levels_before(memory.start, memory.middle - added, config))
    level = level_of(memory.start, memory.middle - memory.season, config)
    scale, hours = scale_of(memory, config, centres, level)
    full = (memory.count >= HALF_OF_POINTS * np.median(memory.count)) & ~incidents(memory.outside)
    unit = scale[hours][full]
    return Model(season, level, scale, tail_of(memory.high[full] / unit), tail_of(-memory.low[full] / unit))


def level_of(start: Floats, rest: Floats, config: BandConfig) -> float:
    """The weighted median of the cells without their season (`rest`), weights halving every `level_cells`.

    What lasts shorter than a half-life does not move it; what lasts longer is the new normal.
    """
    ages = (start[-1] - start) / config.cell_seconds
    weights = 0.5 ** (ages / config.level_cells)
    order = np.argsort(rest)
    total = np.cumsum(weights[order])
    return float(rest[order[np.searchsorted(total, total[-1] / 2)]])


def levels_before(start: Floats, rest: Floats, config: BandConfig) -> Floats:
    """The level that would have been known before each cell, had the season been known; the first knows its own."""
    reach = int(LEVEL_REACH * config.level_cells)
    levels = [
        level_of(start[max(0, end - reach) : end], rest[max(0, end - reach) : end], config)
        for end in range(1, rest.size)
    ]
    return np.array([levels[0] if levels else rest[0], *levels])


def incidents(outside: Floats) -> npt.NDArray[np.bool_]:
    """Which cells stayed outside after the first of a day; were they chance, they would not come in a row."""
    total = np.cumsum(outside)
    before = np.concatenate((np.zeros(min(HOURS, total.size)), total[:-HOURS]))
    lasting: npt.NDArray[np.bool_] = (outside > 0) & (total - before > CHANCE_A_DAY)
    return lasting


def scale_of(memory: Memory, config: BandConfig, centres: Floats, level: float) -> tuple[Floats, Ints]:
    """The usual deviation at each local hour (float64[24]), and the local hour of each cell (int64[cells])."""
    _, _, seconds = config.calendar.place(centres)
    hours = np.minimum((seconds / DAY * HOURS).astype(np.int64), HOURS - 1)
    usual = np.hypot(memory.spread, memory.miss)
    whole = float(np.median(usual)) or float(usual.mean())
    whole = max(whole, config.least_share / 4 * abs(level), 1e-9)
    order = np.lexsort((usual, hours))
    ranked = usual[order]
    found, first, counts = np.unique(hours[order], return_index=True, return_counts=True)
    median = (ranked[first + (counts - 1) // 2] + ranked[first + counts // 2]) / 2
    scale = np.full(HOURS, whole)
    scale[found] = (counts * median + HOUR_DOUBT * whole) / (counts + HOUR_DOUBT)
    scale = (np.roll(scale, 1) + 2 * scale + np.roll(scale, -1)) / 4
    return np.maximum(scale, SCALE_FLOOR * whole), hours
