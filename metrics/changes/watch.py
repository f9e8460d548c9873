"""Keeping watch over one series: which changes count, how long each stands, and by what it is over."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

import numpy as np

from alerting.scoring.numerics.packing import BadModel, pack, unpack
from metrics.changes.change import Change, Kind
from metrics.changes.online import ChangeConfig, ChangeDetector
from metrics.changes.undoing import Return, says
from metrics.seasons import Calendar, Floats, Season

NAME, VERSION = "change-watch", 1
#: What comes back to within this share of its size was no lasting change.
RETURNED_WITHIN = 1 / 3


class Ended(StrEnum):
    """Why a change is over."""

    RETURNED = "returned"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes count.

    `side` is both, up or down. A change is at least `least` (in the unit of the series) and `least_percent` of what was
    before. A trend is measured by what it adds in `per` seconds. After `settled` seconds the new course is accepted.
    """

    kinds: frozenset[Kind] = frozenset(Kind)
    side: str = "both"
    least: float = 0.0
    least_percent: float = 0.0
    per: float = 3600.0
    settled: float = 6 * 3600.0

    def takes(self, change: Change) -> bool:
        """Whether a change is one of these."""
        if change.kind not in self.kinds:
            return False
        if self.side != "both" and (change.size > 0) is not (self.side == "up"):
            return False
        size = abs(change.size) * (self.per if change.kind is Kind.TREND else 1.0)
        base = abs(change.level if change.kind is Kind.TREND else change.before)
        return size >= self.least and size >= self.least_percent / 100 * base


@dataclass(frozen=True, slots=True)
class Standing:
    """A change that goes on, the moment from which it is usual, where it is by now, and what speaks for its end."""

    change: Change
    until: float
    after: float
    back: Return = field(default_factory=Return)

    def is_undone_by(self, later: Change) -> bool:
        """Whether a later change brings back what was before."""
        if later.kind is not self.change.kind:
            return False
        return abs(later.after - self.change.before) <= RETURNED_WITHIN * abs(self.after - self.change.before)

    def with_point(self, at: float, value: float, slope: float) -> Self:
        """With what one more point says for the course before the change."""
        said = says(self.change, self.after, value, slope * (at - self.change.at))
        return replace(self, back=self.back.after(at, said))


@dataclass(frozen=True)
class Watched:
    """Points after they were followed; `going_on[i]` says whether a change stood at point i (float64[n], bool[n])."""

    at: Floats
    values: Floats
    going_on: np.ndarray
    begun: Sequence[tuple[int, Change]]
    ended: Sequence[tuple[int, Ended]]

    def change(self, index: int) -> Change | None:
        """The change that began last, up to a point."""
        return next((change for place, change in reversed(self.begun) if place <= index), None)

    def end(self, index: int) -> Ended | None:
        """By what the last one was over, up to a point."""
        return next((end for place, end in reversed(self.ended) if place <= index), None)


@dataclass(slots=True)
class Course:
    """What came of following some points, as it is put together."""

    going_on: np.ndarray
    begun: list[tuple[int, Change]] = field(default_factory=list)
    ended: list[tuple[int, Ended]] = field(default_factory=list)

    def close(self, index: int, why: Ended) -> None:
        """A change is over with the point of this index."""
        self.going_on[index:] = False
        self.ended.append((index, why))

    def open(self, index: int, change: Change) -> None:
        """A change stands from the point of this index on."""
        self.going_on[index:] = True
        self.begun.append((index, change))


class ChangeWatch:
    """A detector together with the change that stands. A counter is followed by its change a second."""

    def __init__(self, wanted: Wanted, detector: ChangeDetector | None = None, *, is_counter: bool = False) -> None:
        self.wanted, self.detector, self.is_counter = wanted, detector or ChangeDetector(), is_counter
        self.standing: Standing | None = None
        self._ended: Ended | None = None
        self._last: tuple[float, float] | None = None

    def follow(self, at: Floats, values: Floats) -> Watched:
        """Take points that are later than all before (unix seconds, unit of the series; float64[n])."""
        if self.is_counter and at.size:
            values, self._last = rates_of(at, values, self._last), (float(at[-1]), float(values[-1]))
        course = Course(np.full(at.size, self.standing is not None))
        if self.standing is not None:
            course.begun.append((0, self.standing.change))
        if self._ended is not None:
            course.ended.append((0, self._ended))
        season = self.detector.config.season.at(at)
        for index, (moment, value) in enumerate(zip(at.tolist(), (values - season).tolist(), strict=True)):
            self._settle(course, index, moment)
            if np.isfinite(value):
                self._take(course, index, moment, value)
        return Watched(at, values, course.going_on, course.begun, course.ended)

    def _take(self, course: Course, index: int, at: float, value: float) -> None:
        change = self.detector.take(at, value)
        standing = self.standing
        if change is None:
            if standing is not None:
                self._look_back(course, index, standing.with_point(at, value, self.detector.slope))
        elif standing is not None and standing.is_undone_by(change):
            self._close(course, index, Ended.RETURNED)
        elif self.wanted.takes(change):
            self._stand(course, index, change)

    def _stand(self, course: Course, index: int, change: Change) -> None:
        """Let a change stand; a further step of the same story is compared with what was before the first one."""
        until, standing = change.found_at + self.wanted.settled, self.standing
        if standing is None:
            self.standing = Standing(change, until, change.after)
            course.open(index, change)
            return
        after = change.after if change.kind is standing.change.kind else standing.after
        self.standing = Standing(standing.change, until, after)

    def _look_back(self, course: Course, index: int, standing: Standing) -> None:
        self.standing = standing
        if standing.back.is_sure:
            self.detector.go_back(standing.back.since)
            self._close(course, index, Ended.RETURNED)

    def _settle(self, course: Course, index: int, at: float) -> None:
        """Accept what has stood for long enough."""
        if self.standing is not None and at >= self.standing.until:
            self._close(course, index, Ended.SETTLED)

    def _close(self, course: Course, index: int, why: Ended) -> None:
        course.close(index, why)
        self.standing, self._ended = None, why

    def forget(self) -> None:
        """Take whatever has been found so far for known: it is the past of a watch that begins now."""
        self.standing = self._ended = None

    def renew(self, season: Season) -> None:
        """Go on with a season that was learned anew."""
        self.detector.reseason(season)

    def dump(self) -> bytes:
        """All that is needed to go on, at most 22 KB."""
        facts: dict[str, Any] = {
            "is_counter": self.is_counter,
            "last": list(self._last) if self._last is not None else None,
            "ended": self._ended.value if self._ended is not None else "",
            "standing": _stored(self.standing) if self.standing is not None else None,
        }
        detector = np.frombuffer(self.detector.dump(), dtype=np.uint8)
        return pack(NAME, VERSION, {"detector": detector}, facts)

    @classmethod
    def load(
        cls, data: bytes, wanted: Wanted, config: ChangeConfig | None = None, calendar: Calendar | None = None
    ) -> Self:
        """Go on where `dump` was called; what is not wanted any more does not stand any more. Raises BadModel."""
        arrays, facts = unpack(data, NAME, VERSION)
        try:
            detector = ChangeDetector.load(arrays["detector"].tobytes(), config, calendar)
            watch = cls(wanted, detector, is_counter=bool(facts["is_counter"]))
            if facts["last"] is not None:
                watch._last = (float(facts["last"][0]), float(facts["last"][1]))
            watch._ended = Ended(facts["ended"]) if facts["ended"] else None
            standing = _read(facts["standing"]) if facts["standing"] is not None else None
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BadModel("the state lacks a part") from error
        watch.standing = standing if standing is not None and wanted.takes(standing.change) else None
        return watch


def rates_of(at: Floats, values: Floats, last: tuple[float, float] | None) -> Floats:
    """The change a second of a counter from point to point; NaN where that is unknown, as after its restart."""
    before_at, before = (np.array([last[0]]), np.array([last[1]])) if last is not None else (at[:1], values[:1])
    passed = np.diff(np.concatenate([before_at, at]))
    grown = np.diff(np.concatenate([before, values]))
    able = (passed > 0) & (grown >= 0)
    rates: Floats = np.where(able, grown / np.where(able, passed, 1.0), np.nan)
    return rates


def _stored(standing: Standing) -> list[Any]:
    one = standing.change
    change = [one.at, one.found_at, one.before, one.after, one.score, one.level, one.spread]
    return [one.kind.value, *change, standing.until, standing.after, standing.back.said, standing.back.since]


def _read(stored: Sequence[Any]) -> Standing:
    kind, *numbers = stored
    *change, until, after, said, since = (float(number) for number in numbers)
    at, found_at, before, then, score, level, spread = change
    return Standing(
        Change(Kind(kind), at, found_at, before, then, score, level, spread), until, after, Return(said, since)
    )
