"""Judges several metrics of one entity together: an isolation forest over their values and their common directions."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from metrics.detection.alarm import Alarms
from metrics.detection.config import DEFAULT, Config
from metrics.detection.state import Arrays, StateError, pack, take, unpack
from metrics.detection.streaming import read_config, read_kind
from metrics.detection.tail import Tail
from metrics.detection.trees import Trees

Floats = NDArray[np.float64]

TREES = 60
SAMPLES = 128
LEAST_ROWS = 64
MOST_METRICS = 64
EXPLAINED = 0.01
"""Rows less probable than this are explained metric by metric."""


@dataclass(frozen=True)
class Frame:
    """How rows of metrics become features: centred and scaled values, and their whitened principal directions.

    A forest cuts along single features; along the directions it also sees metrics part that used to move together.
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
        covariance = standard.T @ standard / len(standard)
        values, vectors = np.linalg.eigh(covariance)
        return cls(middle, scale, vectors / np.sqrt(np.maximum(values, 1e-3)))

    def features(self, rows: Floats) -> Floats:
        """Return the features of rows; a missing value counts as the usual one."""
        standard = np.clip(np.nan_to_num((rows - self.middle) / self.scale, posinf=0.0, neginf=0.0), -1e6, 1e6)
        turned = np.zeros_like(standard)
        for place, weights in enumerate(
            self.turn
        ):  # element by element: BLAS adds in an order that depends on the batch
            turned += standard[:, place : place + 1] * weights
        return np.hstack([standard, turned])


@dataclass(frozen=True)
class EntityJudgements:
    """What the forest says about rows: see `Judgement` for the meaning of the columns."""

    score: Floats
    probability: Floats
    raw: Floats
    parts: list[dict[str, float]]


class EntityForest:
    """Grown from an entity's history in the background, then judges its rows as they come.

    The metrics should come without their seasons where they have any (`Season` gives the residual in units of its
    usual size). What it says is calibrated against its own scores of the history and since.
    """

    kind = "entity-forest"

    def __init__(self, names: Sequence[str], frame: Frame, trees: Trees, config: Config = DEFAULT) -> None:
        self.names = tuple(names)
        self.frame = frame
        self.trees = trees
        self.config = config
        self.overall = Tail(config.tail_memory, config.tail_warmup)
        self.alarms = Alarms(config)

    @classmethod
    def fit(cls, names: Sequence[str], history: Floats, *, config: Config = DEFAULT, seed: int = 0) -> "EntityForest":
        """Grow a forest from rows of history (columns in the order of the names); NaN where a value is missing."""
        rows = np.asarray(history, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(names) or not 1 <= len(names) <= MOST_METRICS:
            raise ValueError("history needs a column for each name")
        rows = rows[np.isfinite(rows).any(axis=1)]
        if len(rows) < LEAST_ROWS or bool(np.isnan(rows).all(axis=0).any()):
            raise ValueError("too little history")
        frame = Frame.learned(rows)
        trees = Trees.grown(frame.features(rows), count=TREES, samples=SAMPLES, seed=seed)
        forest = cls(names, frame, trees, config)
        forest.overall.run(trees.score(frame.features(rows)).tolist())
        forest.alarms.seen = len(rows)
        return forest

    def update_many(self, rows: Floats) -> EntityJudgements:
        """Judge rows in their order; the calibration learns from each, the forest from none."""
        rows = np.asarray(rows, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.names):
            raise ValueError("a row needs a value for each name")
        told_apart = self.trees.score(self.frame.features(rows))
        depth = np.array(self.overall.run(told_apart.tolist()))
        raw = depth / self.config.tail_scale
        probability = 10.0**-depth
        parts: list[dict[str, float]] = [{} for _ in rows]
        for place in np.flatnonzero(probability < EXPLAINED):
            parts[place] = self.explain(rows[place], float(told_apart[place]))
        return EntityJudgements(np.array(self.alarms.run(raw.tolist())), probability, raw, parts)

    def explain(self, row: Floats, told_apart: float) -> dict[str, float]:
        """Return how much less strange the row would be with each metric as usual, strongest first."""
        usual = np.tile(row, (len(self.names), 1))
        np.fill_diagonal(usual, self.frame.middle)
        relief = told_apart - self.trees.score(self.frame.features(usual))
        found = {name: float(value) for name, value in zip(self.names, relief, strict=True) if value > 0.0}
        return dict(sorted(found.items(), key=lambda part: -part[1]))

    def dump(self) -> bytes:
        """Return the forest and its calibration; parameters only, nothing that can run."""
        text = json.dumps({"names": self.names}).encode()
        settings = json.dumps(asdict(self.config)).encode()
        return pack(
            {
                "kind": np.frombuffer(self.kind.encode(), np.uint8),
                "config": np.frombuffer(settings, np.uint8),
                "names": np.frombuffer(text, np.uint8),
                "middle": self.frame.middle,
                "scale": self.frame.scale,
                "turn": self.frame.turn.ravel(),
                **self.trees.dump("trees"),
                **self.overall.dump("overall"),
                **self.alarms.dump("alarms"),
            }
        )

    @classmethod
    def load(cls, blob: bytes) -> "EntityForest":
        """Return the forest that was dumped; StateError when the bytes are not one."""
        arrays = unpack(blob)
        if read_kind(arrays) != cls.kind:
            raise StateError("another kind of detector")
        names = read_names(arrays)
        count = len(names)
        middle = take(arrays, "middle", "d", least=count, most=count)
        scale = take(arrays, "scale", "d", least=count, most=count)
        turn = take(arrays, "turn", "d", least=count * count, most=count * count).reshape(count, count)
        if bool((scale <= 0.0).any()):
            raise StateError("scale")
        forest = cls(names, Frame(middle, scale, turn), Trees.load("trees", arrays, 2 * count), read_config(arrays))
        forest.overall.load("overall", arrays)
        forest.alarms.load("alarms", arrays)
        return forest


def read_names(arrays: Arrays) -> list[str]:
    """Read the metrics of a forest."""
    try:
        names = json.loads(take(arrays, "names", "b", most=1 << 16).tobytes())["names"]
    except (ValueError, TypeError, KeyError) as problem:
        raise StateError("names") from problem
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_METRICS or not all(isinstance(n, str) for n in names):
        raise StateError("names")
    return names
