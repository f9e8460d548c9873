"""What a person sets on a band, and what their feedback does to it."""

from dataclasses import dataclass, field
from enum import StrEnum

from metrics.seasons import Calendar

MONTH = 30 * 86400.0
WIDER = 1.1
NARROWER = 0.97
MOST_STEP = 1.5  # one answer moves a band no further than this


class Answer(StrEnum):
    """What a person says of a finding, or of a moment at which one was missing."""

    USEFUL = "useful"
    NOISE = "noise"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Feedback:
    """`score` is the finding's: how many half-widths from the expected value, 1 at the edge; negative below."""

    answer: Answer
    score: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds a person sets: how far feedback may move a band, and where its edges must lie.

    `factor_least`/`factor_most` bound what feedback makes of the learned half-width. The upper edge stays within
    [high_least, high_most] and the lower within [low_least, low_most] (unit of the series); None is no bound.
    """

    factor_least: float = 0.5
    factor_most: float = 3.0
    low_least: float | None = None
    low_most: float | None = None
    high_least: float | None = None
    high_most: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.factor_least <= 1 <= self.factor_most:
            raise ValueError("the factors must lie around 1: 0 < factor_least <= 1 <= factor_most")
        for least, most in ((self.low_least, self.low_most), (self.high_least, self.high_most)):
            if least is not None and most is not None and least > most:
                raise ValueError("a lower bound lies above its upper bound")

    def factor(self, factor: float, answer: Answer, score: float) -> float:
        """The factor of one side after an answer. `score` is positive, in half-widths as they were at the finding.

        Noise widens the side so that the same would have stayed inside, at most by half; what was missed narrows it
        so that the same would have been outside; a useful finding narrows it a little.
        """
        if answer is Answer.NOISE:
            moved = factor * min(MOST_STEP, max(WIDER, score * 1.02))
        elif answer is Answer.MISSED:
            moved = factor * max(1 / MOST_STEP, min(NARROWER, score * 0.98))
        else:
            moved = factor * NARROWER
        return min(self.factor_most, max(self.factor_least, moved))


@dataclass(frozen=True, slots=True)
class BandConfig:
    """`sensitivity` 0..1 sets how many stretches outside the band chance may cause: 30 ** (2 * s - 1) in 30 days.

    0 is one in two and a half years, 0.5 one a month, 1 one a day. `cell_seconds` is the length of the pieces in which
    a series is learned, `memory_cells` how many are kept, `warm_cells` how many must be known before a band is given,
    `level_cells` the half-life of the level. `least_share` keeps the half-width above this share of the level, so that
    a constant series is not judged by its rounding.
    """

    sensitivity: float = 0.5
    limits: Limits = field(default_factory=Limits)
    calendar: Calendar = field(default_factory=Calendar)
    cell_seconds: float = 3600.0
    memory_cells: int = 672
    warm_cells: int = 24
    level_cells: float = 24.0
    least_share: float = 0.001

    def __post_init__(self) -> None:
        if not 0 <= self.sensitivity <= 1:
            raise ValueError("sensitivity must lie between 0 and 1")
        if self.cell_seconds <= 0 or not 2 <= self.warm_cells <= self.memory_cells <= 4096:
            raise ValueError("cells: seconds above 0 and 2 <= warm <= memory <= 4096")

    @property
    def cell_risk(self) -> float:
        """The probability with which chance may push one cell over one given edge."""
        return min(0.1, float(30.0 ** (2 * self.sensitivity - 1)) * self.cell_seconds / MONTH / 2)
