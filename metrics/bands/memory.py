"""What a band remembers of each past cell."""

from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from metrics.seasons import Cells, Floats

LONGEST_GRID = 4096  # cells


def _empty() -> Floats:
    return np.empty(0)


@dataclass(slots=True)
class Memory:
    """One entry per past cell that had points, oldest first; all float64[cells].

    `start` (unix seconds), `count` of points, `middle` (median, raw). The others are deviations from what was expected
    at the time: `miss` (their median), `spread` (median distance from that median), `high` and `low` (the furthest).
    `season` (at the centre) and `level` are what was expected: with them the deviations can be told anew under others.
    `outside` is 1 where the cell left the band.
    """

    start: Floats = field(default_factory=_empty)
    count: Floats = field(default_factory=_empty)
    middle: Floats = field(default_factory=_empty)
    miss: Floats = field(default_factory=_empty)
    spread: Floats = field(default_factory=_empty)
    high: Floats = field(default_factory=_empty)
    low: Floats = field(default_factory=_empty)
    season: Floats = field(default_factory=_empty)
    level: Floats = field(default_factory=_empty)
    outside: Floats = field(default_factory=_empty)

    def __len__(self) -> int:
        return int(self.start.size)

    def add(self, entry: dict[str, float], most: int) -> None:
        """Append a cell and forget the oldest beyond `most`."""
        for name, value in entry.items():
            setattr(self, name, np.append(getattr(self, name), value)[-most:])

    def retell(self, season: Floats, level: Floats) -> None:
        """Tell every deviation as one from the season (at each centre) and level given, float64[cells] both."""
        shift = self.season - season + self.level - level
        self.miss += shift
        self.high += shift
        self.low += shift
        self.season, self.level = season, level

    def cells(self, length: float) -> Cells:
        """The medians on an unbroken grid, for learning seasons; what lies before a very long gap is left out."""
        recent = self.start > self.start[-1] - LONGEST_GRID * length
        numbers = np.round(self.start[recent] / length).astype(np.int64)
        values = np.full(int(numbers[-1] - numbers[0]) + 1, np.nan)
        values[numbers - numbers[0]] = self.middle[recent]
        return Cells(float(numbers[0]) * length, length, values, values)

    def arrays(self) -> dict[str, npt.NDArray[np.float64]]:
        """All of it by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}
