"""An alternative for one series: an isolation forest over the shape of its last points, grown from its own past."""

import numpy as np
from numpy.typing import NDArray

from metrics.detection.config import DEFAULT, Config
from metrics.detection.forest import SAMPLES, TREES, Frame
from metrics.detection.season import Expected
from metrics.detection.state import Arrays, StateError, take
from metrics.detection.streaming import Memory, Streaming
from metrics.detection.tail import Tail
from metrics.detection.trees import Trees
from metrics.detection.windows import Recent

Floats = NDArray[np.float64]

FEATURES = 5
KEPT_ROWS = 1500
FIRST_FIT = 300


class Shapes:
    """The last rows of features, and the forest grown from them."""

    def __init__(self) -> None:
        self.rows: Floats = np.zeros((0, FEATURES), dtype=np.float32)
        self.frame: Frame | None = None
        self.trees: Trees | None = None

    def grow(self, seed: int) -> None:
        """Grow the forest anew from the rows kept."""
        rows = self.rows.astype(np.float64)
        self.frame = Frame.learned(rows)
        self.trees = Trees.grown(self.frame.features(rows), count=TREES, samples=SAMPLES, seed=seed)

    def score(self, rows: Floats) -> Floats:
        """Return how easily each row is told apart; NaN while there is no forest."""
        if self.frame is None or self.trees is None:
            return np.full(len(rows), np.nan)
        return self.trees.score(self.frame.features(rows))

    def dump(self, name: str) -> Arrays:
        """Return rows and forest as arrays."""
        arrays = {f"{name}.rows": self.rows.astype(np.float32).ravel()}
        if self.frame is None or self.trees is None:
            return arrays
        frame = np.concatenate([self.frame.middle, self.frame.scale, self.frame.turn.ravel()])
        return {**arrays, f"{name}.frame": frame, **self.trees.dump(f"{name}.trees")}

    def load(self, name: str, arrays: Arrays) -> None:
        """Take over what `dump` returned."""
        rows = take(arrays, f"{name}.rows", "f", most=KEPT_ROWS * FEATURES)
        if rows.size % FEATURES:
            raise StateError(f"{name}: rows")
        self.rows = rows.reshape(-1, FEATURES)
        if f"{name}.frame" in arrays:
            size = 2 * FEATURES + FEATURES * FEATURES
            frame = take(arrays, f"{name}.frame", "d", least=size, most=size)
            middle, scale, turn = np.split(frame, [FEATURES, 2 * FEATURES])
            if bool((scale <= 0.0).any()):
                raise StateError(f"{name}: scale")
            self.frame = Frame(middle, scale, turn.reshape(FEATURES, FEATURES))
            self.trees = Trees.load(f"{name}.trees", arrays, 2 * FEATURES)


class ShapeForest(Streaming):
    """Judges the seasonal residual, recent rise and spreads together.

    It grows its forest once it has seen 300 points and then only when asked (`regrow`), in the background.
    """

    kind = "forest"
    part_names = ("shape",)

    def __init__(self, config: Config = DEFAULT) -> None:
        super().__init__(config)
        self.residuals = Recent()
        self.shapes = Shapes()
        self.tail = Tail(config.tail_memory, config.tail_warmup)

    def regrow(self, seed: int = 0) -> None:
        """Grow the forest anew from the latest points, and calibrate it on them."""
        if len(self.shapes.rows) < FIRST_FIT:
            raise ValueError("too little history")
        self.shapes.grow(seed)
        self.tail = Tail(self.config.tail_memory, self.config.tail_warmup)
        self.tail.run(self.shapes.score(self.shapes.rows.astype(np.float64)).tolist())

    def views(self, values: Floats, expected: Expected) -> dict[str, Floats]:
        """Return how deep each point's shape lies in the tail of the shapes before it."""
        rows = self.features(expected)
        depth = np.zeros(len(rows))
        start = 0
        while start < len(rows):
            stop = len(rows)
            if self.shapes.trees is None:
                stop = min(stop, start + FIRST_FIT - len(self.shapes.rows))
            piece = rows[start:stop]
            depth[start:stop] = self.tail.run(self.shapes.score(piece).tolist())
            self.shapes.rows = np.concatenate([self.shapes.rows, piece.astype(np.float32)])[-KEPT_ROWS:]
            if self.shapes.trees is None and len(self.shapes.rows) >= FIRST_FIT:
                self.regrow()
            start = stop
        return {"shape": depth / self.config.tail_scale}

    def features(self, expected: Expected) -> Floats:
        """Return the residual, its recent means, and the spread of the last points against that before."""
        self.residuals.push(np.array(expected.z))
        z = self.residuals
        near, far = z.spread(6), z.spread(48)
        return np.column_stack([expected.z, z.mean(6) + z.anchor, z.mean(24) + z.anchor, near, far])

    def memories(self) -> dict[str, Memory]:
        """Return everything that remembers, by its name in the state."""
        return {**super().memories(), "residuals": self.residuals, "shapes": self.shapes, "tail": self.tail}
