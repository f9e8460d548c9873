"""Which series moved with a finding or before it.

The finding's own course, from somewhat before it to its end, is the pattern. How well each series follows it, at every
lag, is compared with how well the same series followed it at all times of its past (matched filter; the past is the
null distribution, so that a series that clings, jumps or is rarely still has to show more). The best of all lags is
corrected for their number, and all series for theirs.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from metrics.correlation.chance import any_of, false_discovery_rates, two_sided
from metrics.correlation.frame import Frame
from metrics.seasons import BadSeries, Floats
from metrics.seasons.points import Ints

LEAST_CELLS = 3
LEAST_PAST = 4  # lengths of the pattern that the past must hold
LEAST_ALIKE = 0.3
BEFORE_BONUS = 0.1
AFTER_CELLS = 2  # what follows the finding by no more than this moved with it


class Relation(StrEnum):
    """When a series moved, seen from the finding."""

    BEFORE = "before"
    WITH = "with"


@dataclass(frozen=True, slots=True)
class Mover:
    """`lag` seconds that the series moved before the finding (about 0: with it, negative: just after).

    `correlation` -1..1 with the finding at that lag, negative when it moved the other way; `deviation` is how far it
    went, in its own usual deviations; `score` how far its following stands out of its past, in standard errors;
    `probability` that of chance for this series, `rate` the share of false ones among all that rank as high.
    """

    key: str
    relation: Relation
    lag: float
    correlation: float
    deviation: float
    score: float
    probability: float
    rate: float

    @property
    def rank(self) -> float:
        """What movers are ranked by: likeness, and a little for having moved first."""
        return abs(self.correlation) + (BEFORE_BONUS if self.relation is Relation.BEFORE else 0.0)


class Pattern(NamedTuple):
    """`shape` float64[cells], mean 0 and length 1, begins at cell `begin` of the frame."""

    shape: Floats
    begin: int


def find_movers(frame: Frame, key: str, *, longest_lag: float = 1800.0, rate: float = 0.05) -> list[Mover]:
    """The series of the frame that moved with `key` or up to `longest_lag` seconds before it, the likest first.

    `rate` is the share of false ones accepted. Raises BadSeries when `key` is not in the frame, did not move, or the
    past is shorter than four times the pattern.
    """
    if key not in frame.keys:
        raise BadSeries(f"{key} is not among the series that moved")
    reach = max(1, round(longest_lag / frame.step))
    pattern = pattern_of(frame, key)
    others = np.array([place for place, other in enumerate(frame.keys) if other != key], dtype=np.int64)
    if not others.size:
        return []
    response = followed(frame.values[others], pattern.shape)
    null_end = frame.event - pattern.shape.size - reach
    if null_end < LEAST_PAST * pattern.shape.size:
        raise BadSeries("the past before the finding is too short to tell what is usual")
    middle, usual = usual_of(response[:, :null_end])
    shifts = shifts_of(pattern, reach, response.shape[1])
    scores = (response[:, pattern.begin - shifts] - middle[:, None]) / (usual * frame.doubt[others])[:, None]
    best = np.argmax(np.abs(scores), axis=1)
    rows = np.arange(others.size)
    freedom = max(3.0, null_end / pattern.shape.size)
    chance = any_of(two_sided(np.abs(scores[rows, best]), freedom), tries_of(pattern.shape, shifts.size))
    rates = false_discovery_rates(chance)
    movers = [
        mover_of(
            frame, pattern, int(others[row]), int(shifts[best[row]]), (scores[row, best[row]], chance[row], rates[row])
        )
        for row in np.flatnonzero(rates <= rate)
    ]
    return sorted((m for m in movers if abs(m.correlation) >= LEAST_ALIKE), key=lambda mover: (-mover.rank, mover.key))


def pattern_of(frame: Frame, key: str) -> Pattern:
    """The course of the finding with as much of the time before it, so that its beginning is part of the shape."""
    row = frame.row(key)
    length = row.size - frame.event
    if length < LEAST_CELLS:
        raise BadSeries(f"the finding lasts {length} cells of {frame.step:g} s, at least {LEAST_CELLS} are needed")
    begin = max(0, frame.event - length)
    shape = row[begin:] - row[begin:].mean()
    norm = float(np.linalg.norm(shape))
    if norm <= 0:
        raise BadSeries(f"{key} did not move in that time")
    return Pattern(shape / norm, begin)


def followed(values: Floats, shape: Floats) -> Floats:
    """How well each series follows the shape from each cell on: float64[series, cells - shape + 1]."""
    count = values.shape[1]
    size = 1 << (count + shape.size).bit_length()
    product = np.fft.rfft(values, size, axis=1) * np.conj(np.fft.rfft(shape, size))
    response: Floats = np.fft.irfft(product, size, axis=1)[:, : count - shape.size + 1]
    return response


def usual_of(null: Floats) -> tuple[Floats, Floats]:
    """Middle and deviation of the responses of the past, per series; a few events of its own do not widen them much."""
    middle = np.median(null, axis=1)
    away = np.abs(null - middle[:, None])
    # Between the robust and the plain deviation: own events of a series are part of what it does by chance.
    usual = np.sqrt(1.4826 * np.median(away, axis=1) * np.sqrt(np.mean(away**2, axis=1)))
    return middle, np.maximum(usual, 1e-6)


def shifts_of(pattern: Pattern, reach: int, places: int) -> Ints:
    """The lags tried, in cells; those that would leave the frame are left out."""
    shifts = np.arange(-AFTER_CELLS, reach + 1)
    kept: Ints = shifts[(pattern.begin - shifts >= 0) & (pattern.begin - shifts < places)]
    return kept


def tries_of(shape: Floats, shifts: int) -> float:
    """How many independent tries so many lags are: a lag is as good as new where the shape resembles itself by half."""
    own = followed(np.concatenate((shape, np.zeros(shape.size)))[None, :], shape)[0]
    low = np.flatnonzero(own < 0.5)
    width = int(low[0]) if low.size else shape.size
    return max(1.0, shifts / width)


def mover_of(frame: Frame, pattern: Pattern, row: int, shift: int, told: tuple[float, float, float]) -> Mover:
    """What is said of one series that moved."""
    begin = pattern.begin - shift
    piece = frame.values[row, begin : begin + pattern.shape.size]
    away = piece - piece.mean()
    norm = float(np.linalg.norm(away))
    first = max(0, frame.event - shift - begin)
    peak = piece[first:] if piece[first:].size else piece
    score, probability, rate = told
    return Mover(
        key=frame.keys[row],
        relation=Relation.BEFORE if shift > 1 else Relation.WITH,
        lag=shift * frame.step,
        correlation=float(away @ pattern.shape) / norm if norm > 0 else 0.0,
        deviation=float(peak[np.argmax(np.abs(peak))]),
        score=float(score),
        probability=float(probability),
        rate=float(rate),
    )
