"""An alternative for one series: an isolation forest over the shape of its last points, grown from its own past."""

import numpy as np
from numpy.typing import NDArray

from metrics.detection.config import DEFAULT, Config
from metrics.detection.isolation import PARTS, Isolation
from metrics.detection.season import Expected
from metrics.detection.state import Arrays, StateError, take
from metrics.detection.streaming import Memory, Streaming
from metrics.detection.windows import Recent

Floats = NDArray[np.float64]

FEATURES = 5
KEPT_ROWS = 1500
UNSETTLED = 50
"""First points that are passed over: nothing is known yet that a residual could be measured by."""
FIRST_GROWN = 300


class Shapes:
    """The last rows of features, and the forest grown from them."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.rows: Floats = np.zeros((0, FEATURES))
        self.forest: Isolation | None = None

    def grow(self, seed: int) -> None:
        """Grow the forest anew from the rows kept, and calibrate it on them."""
        self.forest = Isolation.grown(self.rows, self.config, seed)
        self.forest.run(self.rows)

    def run(self, rows: Floats) -> dict[str, Floats]:
        """Judge rows in their order, growing the first forest when there are enough of them."""
        if self.forest is None:
            room = FIRST_GROWN - len(self.rows)
            head, tail = rows[:room], rows[room:]
            self.keep(head)
            if len(self.rows) == FIRST_GROWN:
                self.grow(seed=0)
            silent = {name: np.zeros(len(head)) for name in PARTS}
            later = self.run(tail) if len(tail) else {name: np.zeros(0) for name in PARTS}
            return {name: np.concatenate([silent[name], later[name]]) for name in PARTS}
        self.keep(rows)
        return self.forest.run(rows)

    def keep(self, rows: Floats) -> None:
        """Remember the latest rows, rounded as they are stored."""
        rounded = rows.astype(np.float32).astype(np.float64)
        self.rows = np.concatenate([self.rows, rounded])[-KEPT_ROWS:]

    def dump(self, name: str) -> Arrays:
        """Return rows and forest as arrays."""
        forest = self.forest.dump(f"{name}.forest") if self.forest else {}
        return {f"{name}.rows": self.rows.astype(np.float32).ravel(), **forest}

    def load(self, name: str, arrays: Arrays) -> None:
        """Take over what `dump` returned."""
        rows = take(arrays, f"{name}.rows", "f", most=KEPT_ROWS * FEATURES)
        if rows.size % FEATURES:
            raise StateError(f"{name}: rows")
        self.rows = rows.reshape(-1, FEATURES).astype(np.float64)
        if len(self.rows) >= FIRST_GROWN:
            self.forest = Isolation.load(f"{name}.forest", arrays, FEATURES, self.config)


class ShapeForest(Streaming):
    """Judges the seasonal residual, its recent means and its spreads together.

    It grows its forest once it knows 300 points and then only when asked (`regrow`), in the background.
    """

    kind = "forest"
    part_names = PARTS

    def __init__(self, config: Config = DEFAULT) -> None:
        super().__init__(config)
        self.residuals = Recent()
        self.shapes = Shapes(config)

    @property
    def can_regrow(self) -> bool:
        """Whether enough is known for a forest."""
        return len(self.shapes.rows) >= FIRST_GROWN

    def regrow(self, seed: int = 0) -> None:
        """Grow the forest anew from the latest points."""
        if not self.can_regrow:
            raise ValueError("too little history")
        self.shapes.grow(seed)

    def views(self, values: Floats, expected: Expected) -> dict[str, Floats]:
        """Return how deep each point's shape lies in the tails of the shapes before it."""
        self.residuals.push(np.array(expected.z))
        z = self.residuals
        rows = np.column_stack([expected.z, z.mean(6) + z.anchor, z.mean(24) + z.anchor, z.spread(6), z.spread(48)])
        settled = rows[z.filled(UNSETTLED)]
        early = np.zeros(len(rows) - len(settled))
        return {name: np.concatenate([early, depth]) for name, depth in self.shapes.run(settled).items()}

    def memories(self) -> dict[str, Memory]:
        """Return everything that remembers, by its name in the state."""
        return {**super().memories(), "residuals": self.residuals, "shapes": self.shapes}
