"""Who a layer puts on call and when: rotations and times of day, computed from plain data."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from alerting.oncall.wallclock import instant, wall

DAY: Final = timedelta(days=1)


class Unit(StrEnum):
    """What a rotation counts in."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


LENGTHS: Final[dict[str, timedelta]] = {
    Unit.HOURLY: timedelta(hours=1),
    Unit.DAILY: DAY,
    Unit.WEEKLY: timedelta(weeks=1),
}


class Restriction(msgspec.Struct, frozen=True):
    """A time of day on some weekdays (0 is Monday; none means all). It ends the next day unless `end` is later
    than `start`, and belongs to the day it begins on."""

    start: time
    end: time
    weekdays: frozenset[int] = frozenset()


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """People who take turns. `starts_at` is the first hand-over on the wall clock: it sets the time of day, and
    the weekday of a weekly rotation; nobody of this layer is on call before it or from `ends_at` on."""

    id: UUID
    name: str
    people: tuple[UUID, ...]
    unit: Unit
    every: int = 1
    starts_at: datetime
    ends_at: datetime | None = None
    restrictions: tuple[Restriction, ...] = ()


class Shift(msgspec.Struct, frozen=True):
    """One person's time on call, and whether a layer or an override says so."""

    starts_at: datetime
    ends_at: datetime
    person: UUID
    layer: UUID | None = None
    override: UUID | None = None

    def within(self, start: datetime, end: datetime) -> "Shift | None":
        """The part that lies in a span of time."""
        begin, finish = max(self.starts_at, start), min(self.ends_at, end)
        if begin >= finish:
            return None
        return msgspec.structs.replace(self, starts_at=begin, ends_at=finish)


Span = tuple[datetime, datetime]


def shifts(layer: Layer, zone: ZoneInfo, start: datetime, end: datetime) -> list[Shift]:
    """The layer's shifts between two instants, cut to them, in order; turns that last no time are left out."""
    if not layer.people:
        return []
    begin = max(start, instant(layer.starts_at, zone))
    finish = end if layer.ends_at is None else min(end, instant(layer.ends_at, zone))
    if begin >= finish:
        return []
    turns = [
        Shift(max(at, begin), min(until, finish), layer.people[number % len(layer.people)], layer.id)
        for number, at, until in _turns(layer, zone, begin, finish)
        if at < until
    ]
    if layer.restrictions:
        turns = _restrict(turns, _allowed(layer.restrictions, zone, begin, finish))
    return merged(turns)


def _turns(layer: Layer, zone: ZoneInfo, begin: datetime, finish: datetime) -> Iterator[tuple[int, datetime, datetime]]:
    length = LENGTHS[layer.unit] * layer.every

    def hand_over(number: int) -> datetime:
        return instant(layer.starts_at + number * length, zone)

    number = (wall(begin, zone) - layer.starts_at) // length
    while hand_over(number) > begin:
        number -= 1
    while hand_over(number + 1) <= begin:
        number += 1
    at = hand_over(number)
    while at < finish:
        until = hand_over(number + 1)
        yield number, at, until
        number, at = number + 1, until


def _allowed(restrictions: Sequence[Restriction], zone: ZoneInfo, begin: datetime, finish: datetime) -> list[Span]:
    """The times of day of all restrictions, as spans that do not touch each other."""
    found: list[Span] = []
    day = wall(begin, zone).date() - DAY
    last = wall(finish, zone).date()
    while day <= last:
        for one in restrictions:
            if one.weekdays and day.weekday() not in one.weekdays:
                continue
            until = day if one.end > one.start else day + DAY
            opens, closes = datetime.combine(day, one.start), datetime.combine(until, one.end)
            found.append((instant(opens, zone), instant(closes, zone)))
        day += DAY
    joined: list[Span] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        elif start < end:
            joined.append((start, end))
    return joined


def _restrict(turns: Sequence[Shift], allowed: Sequence[Span]) -> list[Shift]:
    ends = [end for _start, end in allowed]
    kept: list[Shift] = []
    for turn in turns:
        for start, end in allowed[bisect_right(ends, turn.starts_at) :]:
            if start >= turn.ends_at:
                break
            part = turn.within(start, end)
            if part is not None:
                kept.append(part)
    return kept


def merged(parts: Sequence[Shift]) -> list[Shift]:
    """Join neighbours that say the same of the same person."""
    whole: list[Shift] = []
    for part in parts:
        before = whole[-1] if whole else None
        if before is not None and before.ends_at == part.starts_at and _says(before) == _says(part):
            whole[-1] = msgspec.structs.replace(before, ends_at=part.ends_at)
        else:
            whole.append(part)
    return whole


def _says(shift: Shift) -> tuple[UUID, UUID | None, UUID | None]:
    return shift.person, shift.layer, shift.override
