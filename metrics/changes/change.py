"""What is said of a change."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What changed."""

    LEVEL = "level"
    TREND = "trend"
    VARIANCE = "variance"


@dataclass(frozen=True, slots=True)
class Change:
    """`at` is when it began and `found_at` by when it was known (unix seconds).

    `before` and `after` are the level (unit of the series), the slope (unit per second) or the standard deviation
    (unit). `score` is how far the change stands out of chance, in standard errors; `level` where the series was before,
    `spread` how far one point of it told about its mean then (a standard deviation, larger where neighbours cling).
    """

    kind: Kind
    at: float
    found_at: float
    before: float
    after: float
    score: float
    level: float = 0.0
    spread: float = 0.0

    @property
    def size(self) -> float:
        """What was added: to the level, the slope, or the deviation."""
        return self.after - self.before
