"""Judges several metrics of one entity together, by an isolation forest grown from the entity's history."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from metrics.detection.alarm import Alarms
from metrics.detection.config import DEFAULT, Config
from metrics.detection.isolation import Isolation
from metrics.detection.state import Arrays, StateError, pack, take, unpack
from metrics.detection.streaming import read_config, read_kind
from metrics.detection.tail import Tail

Floats = NDArray[np.float64]

LEAST_ROWS = 64
MOST_METRICS = 64
EXPLAINED = 0.01
"""Rows less probable than this are explained metric by metric."""


@dataclass(frozen=True)
class EntityJudgements:
    """What the forest says about rows: see `Judgement` for the meaning of the columns; parts are metrics."""

    score: Floats
    probability: Floats
    raw: Floats
    parts: list[dict[str, float]]


class EntityForest:
    """Grown from an entity's history in the background, then judges its rows as they come.

    The metrics should come without their seasons where they have any (`Season` gives the residual in units of its
    usual size). What it says is calibrated against how it judged the history and everything since.
    """

    kind = "entity-forest"

    def __init__(self, names: Sequence[str], isolation: Isolation, config: Config = DEFAULT) -> None:
        self.names = tuple(names)
        self.isolation = isolation
        self.config = config
        self.overall = Tail(config.overall_memory, config.tail_warmup)
        self.alarms = Alarms(config)

    @classmethod
    def fit(cls, names: Sequence[str], history: Floats, *, config: Config = DEFAULT, seed: int = 0) -> "EntityForest":
        """Grow a forest from rows of history (columns in the order of the names); NaN where a value is missing."""
        rows = np.asarray(history, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(names) or not 1 <= len(names) <= MOST_METRICS:
            raise ValueError("history needs a column for each name")
        rows = rows[np.isfinite(rows).any(axis=1)]
        rows = np.where(np.isfinite(rows), rows, np.nan)
        if len(rows) < LEAST_ROWS or bool(np.isnan(rows).all(axis=0).any()):
            raise ValueError("too little history")
        forest = cls(names, Isolation.grown(rows, config, seed), config)
        forest.isolation.run(rows)
        forest.overall.run(forest.isolation.depths(forest.isolation.measures(rows[-config.overall_memory :])).tolist())
        forest.alarms.seen = len(rows)
        return forest

    def update_many(self, rows: Floats) -> EntityJudgements:
        """Judge rows in their order; the calibration learns from each, the forest from none."""
        rows = np.asarray(rows, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.names):
            raise ValueError("a row needs a value for each name")
        found = self.isolation.run(rows)
        raw = np.sqrt(found["isolation"] ** 2 + found["distance"] ** 2)
        probability = 10.0 ** -np.array(self.overall.run(raw.tolist()))
        parts: list[dict[str, float]] = [{} for _ in rows]
        for place in np.flatnonzero(probability < EXPLAINED):
            parts[place] = self.explain(rows[place])
        return EntityJudgements(np.array(self.alarms.run(raw.tolist())), probability, raw, parts)

    def look(self, rows: Floats) -> EntityJudgements:
        """Judge rows by what was learned when the forest was grown; nothing is learned, so the order does not matter.

        For those who keep no state between batches. Scores do not rest after an alarm here.
        """
        rows = np.asarray(rows, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.names):
            raise ValueError("a row needs a value for each name")
        raw = self.isolation.depths(self.isolation.measures(rows))
        depths = np.array([self.overall.depth(value) for value in raw.astype(np.float32).tolist()])
        probability = 10.0**-depths
        parts = [self.explain(row) if one < EXPLAINED else {} for row, one in zip(rows, probability, strict=True)]
        return EntityJudgements(raw / self.config.alarm, probability, raw, parts)

    def explain(self, row: Floats) -> dict[str, float]:
        """Return how much nearer the row would be with each metric as usual, strongest first."""
        usual = np.tile(row, (len(self.names) + 1, 1))
        usual[np.arange(len(self.names)), np.arange(len(self.names))] = self.isolation.frame.middle
        distance = self.isolation.measures(usual)["distance"]
        relief = 1.0 - distance[:-1] / max(float(distance[-1]), 1e-9)
        found = {name: float(value) for name, value in zip(self.names, relief, strict=True) if value > 0.0}
        return dict(sorted(found.items(), key=lambda part: -part[1]))

    def dump(self) -> bytes:
        """Return the forest and its calibration; parameters only, nothing that can run."""
        texts = {"kind": self.kind, "config": json.dumps(asdict(self.config)), "names": json.dumps(self.names)}
        return pack(
            {
                **{name: np.frombuffer(text.encode(), np.uint8) for name, text in texts.items()},
                **self.isolation.dump("forest"),
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
        names, config = read_names(arrays), read_config(arrays)
        forest = cls(names, Isolation.load("forest", arrays, len(names), config), config)
        forest.overall.load("overall", arrays)
        forest.alarms.load("alarms", arrays)
        return forest


def read_names(arrays: Arrays) -> list[str]:
    """Read the metrics of a forest."""
    try:
        names = json.loads(take(arrays, "names", "b", most=1 << 16).tobytes())
    except ValueError as problem:
        raise StateError("names") from problem
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_METRICS or not all(isinstance(n, str) for n in names):
        raise StateError("names")
    return names
