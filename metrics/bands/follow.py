"""Following a series with a band: point by point as it comes, or whole months at once, by the same code."""

import itertools
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from metrics.bands import storing
from metrics.bands.config import BandConfig, Feedback
from metrics.bands.memory import Memory
from metrics.bands.model import Model, refit
from metrics.seasons import Floats, points_of

MOST_BUFFERED = 4096
YOUNG = 168  # cells
YOUNG_CLIP, CLIP = 1.5, 1.0
MOST_EMPTY = 1e-12


class Band(NamedTuple):
    """What is expected of one point. NaN while the band is warming up, and `score` for a value that is not finite.

    `score` is 0 at the expected value, 1 at the upper edge and -1 at the lower. `probability` is that of a whole cell
    reaching as far by chance.
    """

    expected: float
    low: float
    high: float
    score: float
    probability: float

    @property
    def is_outside(self) -> bool:
        """Whether the point lies beyond an edge."""
        return abs(self.score) > 1


@dataclass(frozen=True, slots=True)
class BandHistory:
    """The same for many points; all float64[n] but `outside`, bool[n]."""

    at: Floats
    expected: Floats
    low: Floats
    high: Floats
    score: Floats
    outside: npt.NDArray[np.bool_]


class Bands:
    """One series' band. Not for several threads at once.

    Within a cell (an hour) the band stands still; when the first point of a later cell comes, the closed one is learned
    from. So a backtest and the stream give the same numbers. What lay outside is remembered only up to the edge, and
    what stays outside not at all, as SPOT leaves alarms out of its tail.
    """

    def __init__(self, config: BandConfig | None = None) -> None:
        self.config = config or BandConfig()
        self.memory = Memory()
        self.model = Model()
        self.factors = np.ones(2)  # of the lower and the upper half-width; feedback moves them
        self.closed = 0
        self._cell: int | None = None
        self._at: Floats = np.empty(0)
        self._values: Floats = np.empty(0)

    @property
    def is_ready(self) -> bool:
        """Whether enough is known to judge."""
        return len(self.memory) >= self.config.warm_cells

    def update(self, at: float, value: float) -> Band:
        """Judge one point, then learn from it. A point older than the open cell is judged, not learned."""
        if not np.isfinite(value):
            expected, low, high = (float(edge[0]) for edge in self.edges(np.array([at])))
            return Band(expected, low, high, np.nan, np.nan)
        history = self.follow([at], [value])
        score = float(history.score[0])
        return Band(
            float(history.expected[0]),
            float(history.low[0]),
            float(history.high[0]),
            score,
            self._probability(at, value, float(history.expected[0])),
        )

    def follow(self, at: npt.ArrayLike, values: npt.ArrayLike) -> BandHistory:
        """Judge and learn many points (unix seconds, unit of the series; float64[n]); they are put in order first."""
        points = points_of(at, values)
        cells = np.floor(points.at / self.config.cell_seconds).astype(np.int64)
        edges = np.flatnonzero(np.diff(cells)) + 1
        bounds = np.concatenate(([0], edges, [cells.size])) if cells.size else np.zeros(1, dtype=np.int64)
        parts = [np.empty((0, 3))]
        for left, right in itertools.pairwise(bounds):
            piece = slice(int(left), int(right))
            if self._cell is not None and int(cells[left]) > self._cell:
                self._close()
            parts.append(np.column_stack(self.edges(points.at[piece])))
            self._remember(int(cells[left]), points.at[piece], points.values[piece])
        expected, low, high = np.concatenate(parts).T
        score = score_of(points.values, expected, low, high)
        return BandHistory(points.at, expected, low, high, score, np.abs(score) > 1)

    def edges(self, at: Floats) -> tuple[Floats, Floats, Floats]:
        """Expected value, lower and upper edge at each moment (float64[n]), as known now; NaN while warming up."""
        if not self.is_ready:
            unknown = np.full(at.shape, np.nan)
            return unknown, unknown.copy(), unknown.copy()
        expected = self.model.expected(at)
        scale = self.model.scales(at, self.config)
        least = self.config.least_share * abs(self.model.level) + MOST_EMPTY
        risk, limits = self.config.cell_risk, self.config.limits
        below = np.maximum(scale * max(self.model.lower.quantile(risk), 0.0), least) * self.factors[0]
        above = np.maximum(scale * max(self.model.upper.quantile(risk), 0.0), least) * self.factors[1]
        low = bounded(expected - below, limits.low_least, limits.low_most)
        high = bounded(expected + above, limits.high_least, limits.high_most)
        return expected, low, high

    def learn_from(self, feedback: Feedback) -> None:
        """Move the side that the feedback speaks of, within the limits a person set."""
        side = 1 if feedback.score >= 0 else 0
        factor = float(self.factors[side])
        self.factors[side] = self.config.limits.factor(factor, feedback.answer, abs(feedback.score))

    def dump(self) -> bytes:
        """All that is needed to go on, about 45 KB when full. The configuration is not in it."""
        return storing.dump(self)

    @classmethod
    def load(cls, data: bytes, config: BandConfig | None = None) -> Self:
        """Go on where `dump` was called. Raises BadModel for anything else."""
        bands = cls(config)
        storing.restore(bands, data)
        return bands

    def _remember(self, cell: int, at: Floats, values: Floats) -> None:
        if self._cell is not None and cell < self._cell:
            return
        if self._cell is None or cell > self._cell:
            self._cell, self._at, self._values = cell, at, values
            return
        self._at = np.concatenate((self._at, at))[-MOST_BUFFERED:]
        self._values = np.concatenate((self._values, values))[-MOST_BUFFERED:]

    def _close(self) -> None:
        """Learn from the open cell."""
        length = self.config.cell_seconds
        start = float(self._cell or 0) * length
        centre = np.array([start + length / 2])
        middle = float(np.median(self._values))
        if not len(self.memory):
            self.model.level = middle
        away = self._values - self.model.expected(self._at)
        miss = float(np.median(away))
        furthest = float(away.max()), float(away.min())
        high, low = self._clipped(*furthest)
        entry = {
            "start": start,
            "count": float(away.size),
            "middle": middle,
            "miss": miss,
            "spread": float(np.median(np.abs(away - miss))),
            "high": high,
            "low": low,
            "season": float(self.model.season.at(centre)[0]),
            "level": self.model.level,
            "outside": float(len(self.memory) >= YOUNG and (high, low) != furthest),
        }
        self.memory.add(entry, self.config.memory_cells)
        self.closed += 1
        self.model = refit(self.model, self.memory, self.config, self.closed)

    def _clipped(self, high: float, low: float) -> tuple[float, float]:
        """The furthest deviations of the open cell, cut at the edges of the band it was judged by."""
        if not self.is_ready:
            return high, low
        clip = YOUNG_CLIP if len(self.memory) < YOUNG else CLIP
        expected, lower, upper = self.edges(self._at)
        most, least = float((upper - expected).max()), float((lower - expected).min())
        return min(high, clip * most) if most > 0 else high, max(low, clip * least) if least < 0 else low

    def _probability(self, at: float, value: float, expected: float) -> float:
        if not np.isfinite(expected):
            return np.nan
        away = (value - expected) / float(self.model.scales(np.array([at]), self.config)[0])
        tail = self.model.upper if away >= 0 else self.model.lower
        return tail.probability(abs(away))


def bounded(edge: Floats, least: float | None, most: float | None) -> Floats:
    """An edge kept within what a person demands of it."""
    if least is None and most is None:
        return edge
    kept: Floats = np.clip(edge, least, most)
    return kept


def score_of(values: Floats, expected: Floats, low: Floats, high: Floats) -> Floats:
    """How far each value is on the way from the expected one to the edge, beyond 1 outside; negative below.

    Where a person's bound puts the edge on the wrong side of the expected value, distance is counted from the edge in
    units of the whole width.
    """
    away = values - expected
    width = np.maximum(high - low, MOST_EMPTY)
    room = np.where(away >= 0, high - expected, expected - low)
    score = np.where(room > 0, away / np.where(room > 0, room, 1.0), np.sign(away) * (1 + np.abs(away) / width))
    score = np.where((values <= high) & (values >= low), np.clip(score, -1, 1), score)
    beyond_high, beyond_low = values > high, values < low
    score = np.where(beyond_high & (score <= 1), 1 + (values - high) / width, score)
    result: Floats = np.where(beyond_low & (score >= -1), -1 - (low - values) / width, score)
    return result
