"""The precision of a detector as far as verdicts prove it."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

#: One-sided 80 %: a detector is believed a little earlier than statisticians would, and loses it as fast.
Z: Final = 0.8416
#: A past finding that fell together with an alert people acted on speaks for it, but not as loudly as a person.
WEIGHT_OF_BACKTEST: Final = 0.5


@dataclass(frozen=True, slots=True)
class Precision:
    """Verdicts on what a threshold found, and the tenant's demands; weights of a half come from backtests."""

    useful: float = 0.0
    noise: float = 0.0
    floor: float = 0.7
    least: float = 5.0

    @property
    def judged(self) -> float:
        """How many verdicts there are."""
        return self.useful + self.noise

    @property
    def share(self) -> float | None:
        """The part that was useful; None before the first verdict."""
        return self.useful / self.judged if self.judged else None

    @property
    def proven(self) -> float:
        """The precision that can be relied on: Wilson's lower bound."""
        count = self.judged
        if not count:
            return 0.0
        share, z2 = self.useful / count, Z * Z
        spread = Z * sqrt(share * (1 - share) / count + z2 / (4 * count * count))
        return max(0.0, (share + z2 / (2 * count) - spread) / (1 + z2 / count))

    @property
    def is_enough(self) -> bool:
        """Whether it may alert."""
        return self.judged >= self.least and self.proven >= self.floor
