"""Judges the new points of many series: each one's state is read, continued and written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from metrics.detection import registry
from metrics.detection.config import DEFAULT, Config
from metrics.detection.judgement import Judgements
from metrics.detection.state import StateError
from metrics.detection.streaming import Streaming

Floats = NDArray[np.float64]
NOTHING: Floats = np.empty(0)


@dataclass(frozen=True)
class Due:
    """A series with new points; `history` warms a detector that has no state yet, or whose state cannot be read."""

    key: int
    at: Floats
    values: Floats
    state: bytes | None = None
    kind: str = registry.DEFAULT_KIND
    config: Config = DEFAULT
    history_at: Floats = field(default_factory=lambda: NOTHING)
    history_values: Floats = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True)
class Evaluated:
    """The judgements of a series' new points and its state after them; `restarted` when the old one was unusable."""

    key: int
    judgements: Judgements
    state: bytes
    restarted: bool


def evaluate(series: Iterable[Due]) -> Iterator[Evaluated]:
    """Judge series one after another; a broken state costs its own series its memory, never the batch."""
    for due in series:
        detector, restarted = continued(due)
        judgements = detector.update_many(due.at, due.values)
        yield Evaluated(due.key, judgements, detector.dump(), restarted)


def continued(due: Due) -> tuple[Streaming, bool]:
    """Return the detector of a series where it left off, or a new one warmed from history."""
    restarted = False
    if due.state is not None:
        try:
            detector = registry.load(due.state)
        except StateError:
            restarted = True
        else:
            if detector.kind == due.kind and detector.config == due.config:
                return detector, False
            restarted = True
    return warmed(due.history_at, due.history_values, due.kind, due.config), restarted


def warmed(at: Floats, values: Floats, kind: str = registry.DEFAULT_KIND, config: Config = DEFAULT) -> Streaming:
    """Return a detector that has seen a history; only its judgements of later points mean anything."""
    detector = registry.create(kind, config)
    detector.update_many(at, values)
    return detector
