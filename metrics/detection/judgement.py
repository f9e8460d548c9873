"""What a detector says about points: a score, how improbable it is, what was expected, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SEASONS = ("none", "day", "week")


@dataclass(frozen=True)
class Judgement:
    """What a detector says about one point.

    `score` is the stream to put a threshold on: 1 is the default alarm, and repetitions of one anomaly are
    already held back in it. `probability` is how often an ordinary point of this series looks as strange or
    stranger; it means the same for every detector. `parts` names what contributed, strongest first.
    """

    score: float
    probability: float
    expected: float
    low: float
    high: float
    parts: dict[str, float]
    raw: float = 0.0
    season: str = "none"
    confidence: float = 0.0
    judged: bool = True


@dataclass(frozen=True)
class Judgements:
    """The same for many points, as arrays; points that are no numbers are not judged and have a score of 0."""

    at: Floats
    score: Floats
    probability: Floats
    expected: Floats
    low: Floats
    high: Floats
    raw: Floats
    season: NDArray[np.int8]
    confidence: Floats
    judged: NDArray[np.bool_]
    parts: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.score)

    def one(self, place: int = -1) -> Judgement:
        """Return the judgement of one point, its parts strongest first."""
        parts = {name: float(values[place]) for name, values in self.parts.items()}
        return Judgement(
            score=float(self.score[place]),
            probability=float(self.probability[place]),
            expected=float(self.expected[place]),
            low=float(self.low[place]),
            high=float(self.high[place]),
            parts=dict(sorted(((n, v) for n, v in parts.items() if v > 0.0), key=lambda part: -part[1])),
            raw=float(self.raw[place]),
            season=SEASONS[int(self.season[place])],
            confidence=float(self.confidence[place]),
            judged=bool(self.judged[place]),
        )
