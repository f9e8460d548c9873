"""Whether a series has gone back to what it was before a change: the sum of what each point says for it (Page 1954).

A detector that has just begun anew needs many points before it sees anything. That the old course is back is seen
sooner, for both are known: each point adds the logarithm of how much better the old one explains it than the new one.
"""

from dataclasses import dataclass, replace

import numpy as np

from metrics.changes.change import Change, Kind

#: So much has to be said for the old course, and so much a single point may say: at least four have to agree.
ENOUGH = 14.0
MOST_A_POINT = 4.0
LEAST_SHARE = 1e-6


@dataclass(frozen=True, slots=True)
class Return:
    """How much is said for the old course, and since which point without a break (unix seconds)."""

    said: float = 0.0
    since: float = 0.0

    @property
    def is_sure(self) -> bool:
        """Whether the old course is back."""
        return self.said >= ENOUGH

    def after(self, at: float, says: float) -> "Return":
        """With what one more point says."""
        if self.said <= 0:
            return Return(max(0.0, says), at)
        return replace(self, said=max(0.0, self.said + says))


def says(change: Change, after: float, value: float, drift: float) -> float:
    """What a point (without its season) says for the course before a change, against the one after it.

    `drift` is what a trend that was there before has added to the level since the change.
    """
    if change.kind is Kind.LEVEL:
        before, size = change.before + drift, abs(after - change.before)
        deviation = max(change.spread, LEAST_SHARE * size, 1e-300)
        away, back = (value - after - drift) / deviation, (value - before) / deviation
        return float(np.clip((away**2 - back**2) / 2, -MOST_A_POINT, MOST_A_POINT))
    if change.kind is Kind.VARIANCE:
        larger = max(change.before, after, 1e-300)
        before, after = max(change.before, LEAST_SHARE * larger), max(after, LEAST_SHARE * larger)
        square = (value - change.level - drift) ** 2
        said = np.log(after / before) - square / 2 * (1 / before**2 - 1 / after**2)
        return float(np.clip(said, -MOST_A_POINT, MOST_A_POINT))
    return 0.0  # Where a slope ends, the series is somewhere else than before: that is for the detector to see.
