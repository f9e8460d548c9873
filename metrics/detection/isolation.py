"""How strange rows of several numbers are together: told apart easily by a forest, or far out in any direction."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.scoring.numerics.packing import BadModel
from alerting.scoring.numerics.trees import STORED, Trees
from metrics.detection.config import Config
from metrics.detection.state import CODE_OF, Arrays, StateError, take
from metrics.detection.tail import Tail

Floats = NDArray[np.float64]

TREES = 60
SAMPLES = 128
PARTS = ("isolation", "distance")
NARROWEST = 1e-3


@dataclass(frozen=True)
class Frame:
    """How rows become features: centred and scaled values, and their whitened principal directions.

    A forest cuts along single features; along the directions it also sees columns part that used to move together.
    """

    middle: Floats
    scale: Floats
    turn: Floats

    @classmethod
    def learned(cls, rows: Floats) -> "Frame":
        """Learn the frame from history; robustly, so that past incidents do not widen it."""
        middle = np.nanmedian(rows, axis=0)
        spread = np.nanmedian(np.abs(rows - middle), axis=0) * 1.4826
        fallback = np.nanstd(rows, axis=0)
        scale = np.where(spread > 0.0, spread, np.where(fallback > 0.0, fallback, 1.0))
        standard = np.clip(np.nan_to_num((rows - middle) / scale), -10.0, 10.0)
        values, vectors = np.linalg.eigh(standard.T @ standard / len(standard))
        return cls(middle, scale, vectors / np.sqrt(np.maximum(values, NARROWEST)))

    def features(self, rows: Floats) -> Floats:
        """Return the features of rows; a missing value counts as the usual one."""
        standard = np.clip(np.nan_to_num((rows - self.middle) / self.scale, posinf=0.0, neginf=0.0), -1e6, 1e6)
        turned = np.zeros_like(standard)
        for place, weights in enumerate(self.turn):  # one by one: BLAS adds in an order that depends on the batch
            turned += standard[:, place : place + 1] * weights
        return np.hstack([standard, turned])

    def distance(self, features: Floats) -> Floats:
        """Return how far out rows lie, in units that are the same in every direction.

        A forest knows no farther than its farthest row of history; this tells great from greater.
        """
        turned = features[:, len(self.middle) :]
        return np.sqrt(np.cumsum(turned * turned, axis=1)[:, -1])

    def dump(self, name: str) -> Arrays:
        """Return the frame as arrays."""
        return {f"{name}.middle": self.middle, f"{name}.scale": self.scale, f"{name}.turn": self.turn.ravel()}

    @classmethod
    def load(cls, name: str, arrays: Arrays, columns: int) -> "Frame":
        """Read what `dump` returned."""
        middle, scale = (
            take(arrays, f"{name}.{part}", "d", least=columns, most=columns) for part in ("middle", "scale")
        )
        turn = take(arrays, f"{name}.turn", "d", least=columns * columns, most=columns * columns)
        if bool((scale <= 0.0).any()):
            raise StateError(f"{name}: scale")
        return cls(middle, scale, turn.reshape(columns, columns))


class Isolation:
    """A forest and a frame grown from history, and how both have judged since."""

    def __init__(self, frame: Frame, trees: Trees, config: Config) -> None:
        self.frame = frame
        self.trees = trees
        self.scale = config.tail_scale
        self.tails = {name: Tail(config.tail_memory, config.tail_warmup) for name in PARTS}

    @classmethod
    def grown(cls, rows: Floats, config: Config, seed: int) -> "Isolation":
        """Grow from rows of history, without having judged any."""
        frame = Frame.learned(rows)
        return cls(frame, Trees.grown(frame.features(rows), count=TREES, samples=SAMPLES, seed=seed), config)

    def measures(self, rows: Floats) -> dict[str, Floats]:
        """Return both measures of rows, uncalibrated."""
        features = self.frame.features(rows)
        return {"isolation": self.trees.score(features), "distance": self.frame.distance(features)}

    def run(self, rows: Floats) -> dict[str, Floats]:
        """Judge rows in their order and learn how strange is usual; both parts in common units."""
        measures = self.measures(rows)
        return {name: np.array(self.tails[name].run(measures[name].tolist())) / self.scale for name in PARTS}

    def depths(self, measures: Mapping[str, Floats]) -> Floats:
        """Return the fused strangeness of measures without learning from them."""
        total = np.zeros(len(measures["distance"]))
        for name, tail in self.tails.items():
            rounded = measures[name].astype(np.float32).tolist()
            total += (np.array([tail.depth(value) for value in rounded]) / self.scale) ** 2
        return np.sqrt(total)

    def dump(self, name: str) -> Arrays:
        """Return everything as arrays."""
        tails = [tail.dump(f"{name}.{part}") for part, tail in self.tails.items()]
        joined: dict[str, NDArray] = {**self.frame.dump(f"{name}.frame"), **dump_trees(f"{name}.trees", self.trees)}
        for arrays in tails:
            joined.update(arrays)
        return joined

    @classmethod
    def load(cls, name: str, arrays: Arrays, columns: int, config: Config) -> "Isolation":
        """Read what `dump` returned."""
        frame = Frame.load(f"{name}.frame", arrays, columns)
        found = cls(frame, load_trees(f"{name}.trees", arrays, 2 * columns), config)
        for part, tail in found.tails.items():
            tail.load(f"{name}.{part}", arrays)
        return found


def dump_trees(name: str, trees: Trees) -> Arrays:
    """Return the nodes of trees as arrays."""
    return {f"{name}.{part}": values for part, values in trees.arrays().items()}


def load_trees(name: str, arrays: Arrays, features: int) -> Trees:
    """Read what `dump_trees` returned."""
    codes = {part: CODE_OF[np.dtype(f"<{kind}")] for part, kind in STORED.items()}
    try:
        return Trees.from_arrays({part: take(arrays, f"{name}.{part}", code) for part, code in codes.items()}, features)
    except BadModel as problem:
        raise StateError(f"{name}: {problem}") from problem
