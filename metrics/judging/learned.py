"""The learned models of one series behind one face: points in, a track out."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np

from metrics.bands import Answer, BandConfig, BandHistory, Bands, Feedback
from metrics.detection import DEFAULT_KIND, Config, Judgements, StateError, Streaming, create, load
from metrics.detection.shape_forest import ShapeForest
from metrics.judging.calendars import calendar_with
from metrics.judging.changing import KIND, open_change
from metrics.judging.tracks import Track
from metrics.seasons import Calendar
from metrics.thresholds.batch import Flags, Floats
from metrics.thresholds.conditions import Adaptive, Changes, Learns, Sensitive

#: The score at which a detector's alarm counts, by sensitivity; its three levels lie at 0.2, 0.5 and 0.8.
_SENSITIVITIES: Final = (0.0, 0.2, 0.5, 0.8, 1.0)
_SCORES: Final = (1.8, 1.28, 1.0, 0.78, 0.72)
#: It is over once the strangeness has fallen to this share of the alarm's.
_CALM: Final = 0.5
_STRONGEST: Final = 3
DEFAULT_SENSITIVITY: Final = 0.5
#: The detector of each method; the others are named like theirs.
_KINDS: Final = {"detector": DEFAULT_KIND}
#: A place by the calendar of the tenant: its zone, and the country whose holidays count.
DEFAULT_CALENDAR: Final = Calendar()


class Learned(Protocol):
    """What follows one series and knows what is usual for it."""

    kind: str

    def follow(self, at: Floats, values: Floats) -> Track:
        """Judge points that are newer than all before, and learn from them."""

    def settle(self) -> None:
        """Make the most of a past that it has just followed."""

    def dump(self) -> bytes:
        """All that was learned, as versioned parameters."""


class LearnedDetector:
    """A streaming detector; what it finds lasts until the strangeness is gone."""

    def __init__(self, condition: Adaptive, sensitivity: float, detector: Streaming) -> None:
        self.kind: str = condition.method
        self.condition, self.detector = condition, detector
        self.score = float(np.interp(sensitivity, _SENSITIVITIES, _SCORES))

    def follow(self, at: Floats, values: Floats) -> Track:
        found = self.detector.update_many(at, values)
        entered = (found.score >= self.score) & found.judged & on_side(self.condition, values, found.expected)
        left = found.judged & (found.raw < _CALM * self.score * self.detector.config.alarm)
        return Track(
            at,
            values,
            entered,
            left & ~entered,
            found.expected,
            found.low,
            found.high,
            found.score / self.score,
            lambda index: tell_detector(found, index, self.kind),
        )

    def settle(self) -> None:
        """Make the most of a past that it has just followed: a forest grows from all of it that it remembers."""
        if isinstance(self.detector, ShapeForest) and self.detector.can_regrow:
            self.detector.regrow()

    def dump(self) -> bytes:
        return self.detector.dump()


def tell_detector(found: Judgements, index: int, kind: str) -> dict[str, Any]:
    """Why a point is striking: its strongest features, the season and how sure it is."""
    one = found.one(index)
    strongest = [(name, value) for name, value in one.parts.items() if value > 0][:_STRONGEST]
    return {
        "features": {f"shape_{name}" if kind == "forest" else name: round(value, 3) for name, value in strongest},
        "probability": one.probability,
        "season": one.season,
        "certainty": round(one.confidence, 4),
    }


class LearnedBand:
    """The band that follows the season of a series."""

    kind = "band"

    def __init__(self, condition: Adaptive, bands: Bands) -> None:
        self.condition, self.bands = condition, bands

    def follow(self, at: Floats, values: Floats) -> Track:
        found = self.bands.follow(at, values)
        values = values[np.isin(at, found.at)] if len(found.at) != len(at) else values
        entered = found.outside & on_side(self.condition, values, found.expected)
        season = self.bands.model.season.kind.value
        return Track(
            found.at,
            values,
            entered,
            ~entered & np.isfinite(found.score),
            found.expected,
            found.low,
            found.high,
            np.abs(found.score),
            lambda index: tell_band(found, season, index),
        )

    def settle(self) -> None:
        """A band has nothing more to learn than it did on the way."""

    def dump(self) -> bytes:
        return self.bands.dump()


def tell_band(found: BandHistory, season: str, index: int) -> dict[str, Any]:
    """How far outside its band a point lies, and the season the band follows."""
    return {"features": {"distance": round(float(found.score[index]), 3)}, "season": season, "certainty": 0.95}


def on_side(condition: Adaptive, values: Floats, expected: Floats) -> Flags:
    """Whether points lie on the side that is asked about; what was expected is unknown at first."""
    if condition.side == "both":
        return np.ones(len(values), dtype=bool)
    with np.errstate(invalid="ignore"):
        up: Flags = values >= expected
    return up if condition.side == "up" else ~up


def method_of(condition: Learns) -> str:
    """Which kind of model a condition has; another one is fitted anew."""
    return condition.method if isinstance(condition, Adaptive) else KIND


def sensitivity_of(condition: Sensitive, adjustment: float) -> float:
    """Where feedback has moved the sensitivity: never beyond what a person set."""
    middle = DEFAULT_SENSITIVITY if condition.sensitivity is None else condition.sensitivity
    return min(condition.most, max(condition.least, middle + adjustment))


def open_model(
    condition: Learns,
    adjustment: float,
    dumped: bytes | None,
    *,
    calendar: Calendar = DEFAULT_CALENDAR,
    country: str = "",
    is_counter: bool = False,
) -> Learned:
    """The model of a subject: as it was dumped, or a new one. Raises ValueError for bytes that are none."""
    sensitivity = sensitivity_of(condition, adjustment)
    if condition.holidays:
        calendar, country = calendar_with(calendar, condition.holidays), condition.holidays
    if isinstance(condition, Changes):
        return open_change(condition, sensitivity, dumped, calendar, is_counter=is_counter)
    if not isinstance(condition, Adaptive):
        raise TypeError(f"{type(condition).__name__} has no model of one series")
    if condition.method == "band":
        config = BandConfig(sensitivity=sensitivity, calendar=calendar)
        return LearnedBand(condition, Bands.load(dumped, config) if dumped else Bands(config))
    kind = _KINDS.get(condition.method, condition.method)
    if dumped:
        detector = load(dumped)
        if detector.kind != kind:
            raise StateError("another kind of detector")
        return LearnedDetector(condition, sensitivity, detector)
    zone = getattr(calendar.zone, "key", "UTC")
    return LearnedDetector(condition, sensitivity, create(kind, Config(zone=zone, country=country)))


def answer(model: Learned, is_useful: bool, score: float) -> bool:
    """Let a band learn from a verdict on what it found; False for a model that does not."""
    if not isinstance(model, LearnedBand):
        return False
    model.bands.learn_from(Feedback(Answer.USEFUL if is_useful else Answer.NOISE, score))
    return True
