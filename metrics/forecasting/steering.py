"""Keeping intervals honest while the series changes its habits.

Adaptive conformal inference (Gibbs & Candes 2021): after each miss the coverage asked of the forecast rises, after each
hit it falls a little, so that in the long run the wanted share is held whatever the series does.
"""

from dataclasses import dataclass

RATE = 0.01
LEAST, MOST = 0.5, 0.9995


@dataclass(slots=True)
class Steering:
    """`wanted` is the coverage to be held, `asked` what to ask of `Forecast.predict`. Both plain numbers to store."""

    wanted: float = 0.95
    asked: float = 0.95

    def learn(self, was_inside: bool) -> None:
        """Take one outcome into account."""
        self.asked += RATE * ((0.0 if was_inside else 1.0) - (1 - self.wanted))
        self.asked = min(MOST, max(LEAST, self.asked))
