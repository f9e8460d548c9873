"""What every detector of one series shares: batches, seasons, calibration, alarms and a dumpable memory."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from metrics.detection.alarm import Alarms
from metrics.detection.calendar import Calendar
from metrics.detection.config import DEFAULT, Config
from metrics.detection.judgement import Judgement, Judgements
from metrics.detection.season import Expected, Season
from metrics.detection.state import Arrays, StateError, pack, take, unpack
from metrics.detection.tail import Tail
from metrics.detection.windows import Recent

Floats = NDArray[np.float64]

SETTLED = 750
"""Points after which a detector knows its series."""
EXTREME = 1e30
"""Numbers beyond this are no measurements, and would overflow the squares."""
COLUMNS = ("score", "probability", "expected", "low", "high", "raw", "season", "confidence")


class Memory(Protocol):
    """A part of a detector that remembers."""

    def dump(self, name: str) -> Arrays:
        """Return the memory as arrays whose names begin with `name`."""

    def load(self, name: str, arrays: Arrays) -> None:
        """Take over what `dump` returned."""


class Streaming(ABC):
    """Judges a stream of points one after another; never looks ahead, never needs a label.

    Points are taken in the order of arrival; their times serve the seasons and may be irregular or have gaps.
    Cutting a stream into other batches, or dumping and loading in between, changes no bit of the result.
    """

    kind: ClassVar[str]
    part_names: ClassVar[tuple[str, ...]]

    def __init__(self, config: Config = DEFAULT) -> None:
        self.config = config
        self.values = Recent()
        self.season = Season(Calendar(config.zone, config.country))
        self.overall = Tail(config.overall_memory, config.tail_warmup)
        self.alarms = Alarms(config)

    @abstractmethod
    def views(self, values: Floats, expected: Expected) -> dict[str, Floats]:
        """Return each part's strangeness in common units; `values` is the window that holds the new points."""

    def fuse(self, parts: dict[str, Floats]) -> Floats:
        """Return one strangeness for all parts: the length of the vector they make."""
        total = sum((part * part for part in parts.values()), start=np.zeros(1))
        return np.sqrt(total)

    @property
    def seen(self) -> int:
        """How many points were judged so far."""
        return self.values.seen

    @property
    def last_at(self) -> float:
        """The newest time seen, minus infinity before the first point."""
        return self.season.interval.last_at

    def update(self, at: float, value: float) -> Judgement:
        """Judge one point and learn from it."""
        return self.update_many([at], [value]).one()

    def update_many(self, at: Sequence[float] | Floats, values: Sequence[float] | Floats) -> Judgements:
        """Judge points in their order and learn from each before the next; what is no number is passed over."""
        moments = np.asarray(at, dtype=np.float64)
        numbers = np.asarray(values, dtype=np.float64)
        if moments.shape != numbers.shape or moments.ndim != 1:
            raise ValueError("times and values must be lists of one length")
        judged = np.isfinite(moments) & (np.abs(numbers) < EXTREME)
        columns = self.judge_all(moments[judged], numbers[judged])
        if not judged.all():
            columns = {name: spread_out(column, judged, empty(name)) for name, column in columns.items()}
        parts = {name: columns.pop(name) for name in self.part_names}
        season = columns.pop("season").astype(np.int8)
        return Judgements(at=moments, judged=judged, parts=parts, season=season, **columns)

    def judge_all(self, at: Floats, values: Floats) -> dict[str, Floats]:
        """Cut a batch where the windows' anchor moves, judge each piece, and join the columns."""
        pieces: list[dict[str, Floats]] = []
        place = 0
        while place < len(values) or not pieces:
            stop = place + self.values.room()
            pieces.append(self.judge_piece(at[place:stop], values[place:stop]))
            place = stop
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}

    def judge_piece(self, at: Floats, values: Floats) -> dict[str, Floats]:
        """Judge points that fit into one piece."""
        if not len(values):
            return {name: np.empty(0) for name in (*COLUMNS, *self.part_names)}
        expected = self.season.run(at.tolist(), values.tolist())
        self.values.push(values)
        parts = self.views(values, expected)
        raw = self.fuse(parts)
        probability = 10.0 ** -np.array(self.overall.run(raw.tolist()))
        history = np.minimum(1.0, np.arange(self.seen - len(values) + 1, self.seen + 1) / SETTLED)
        return {
            "score": np.array(self.alarms.run(raw.tolist())),
            "probability": probability,
            "expected": np.array(expected.value),
            "low": np.array(expected.low),
            "high": np.array(expected.high),
            "raw": raw,
            "season": np.array(expected.season, dtype=np.float64),
            "confidence": history * (1.0 - probability),
            **parts,
        }

    def dump(self) -> bytes:
        """Return all that was learned, to be continued by `load`."""
        settings = np.frombuffer(json.dumps(asdict(self.config)).encode(), dtype=np.uint8)
        arrays: dict[str, NDArray] = {"kind": np.frombuffer(self.kind.encode(), np.uint8), "config": settings}
        for name, part in self.memories().items():
            arrays.update(part.dump(name))
        return pack(arrays)

    @classmethod
    def load(cls, blob: bytes) -> Self:
        """Return the detector that was dumped; StateError when the bytes are not one."""
        arrays = unpack(blob)
        if read_kind(arrays) != cls.kind:
            raise StateError("another kind of detector")
        try:
            detector = cls(read_config(arrays))
        except (ValueError, KeyError) as problem:
            raise StateError("config") from problem
        for name, part in detector.memories().items():
            part.load(name, arrays)
        return detector

    def memories(self) -> dict[str, Memory]:
        """Return everything that remembers, by its name in the state."""
        return {"values": self.values, "season": self.season, "overall": self.overall, "alarms": self.alarms}


def read_kind(arrays: Arrays) -> str:
    """Return which detector a state belongs to."""
    return take(arrays, "kind", "b", most=32).tobytes().decode("ascii", errors="replace")


def read_config(arrays: Arrays) -> Config:
    """Read the parameters a state was made with."""
    try:
        settings = json.loads(take(arrays, "config", "b", most=4096).tobytes())
        return Config(**{**settings, "levels": tuple(settings["levels"])})
    except (ValueError, TypeError, KeyError) as problem:
        raise StateError("config") from problem


def empty(column: str) -> float:
    """Return what a column holds for a point that is no number."""
    return {"probability": 1.0, "expected": np.nan, "low": np.nan, "high": np.nan}.get(column, 0.0)


def spread_out(column: Floats, judged: NDArray[np.bool_], filler: float) -> Floats:
    """Put the judged points back among those passed over."""
    whole = np.full(len(judged), filler)
    whole[judged] = column
    return whole
