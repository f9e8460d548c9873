"""The final schedule: layers one over the other, then overrides and swaps; who is on call, and when nobody is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from alerting.oncall.rotation import Layer, Shift, Span, merged, shifts

MOMENT: Final = timedelta(microseconds=1)
#: How far a hand-over is looked for, in growing steps.
REACHES: Final = (timedelta(days=2), timedelta(days=15), timedelta(days=100), timedelta(days=400))


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on call for a time: in place of whoever it would be, or of one person only (`replaces`, a swap)."""

    id: UUID
    person: UUID
    starts_at: datetime
    ends_at: datetime
    replaces: UUID | None = None


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that says who is on call. A later layer covers the ones before it; a later override wins."""

    id: UUID
    name: str
    time_zone: str
    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def layer_shifts(schedule: Schedule, layer: Layer, start: datetime, end: datetime) -> list[Shift]:
    """What one layer alone says between two instants."""
    return shifts(layer, schedule.zone, start, end)


def final(schedule: Schedule, start: datetime, end: datetime) -> list[Shift]:
    """Who is on call between two instants: shifts in order that do not overlap, cut to the span."""
    found: list[Shift] = []
    for layer in schedule.layers:
        found = cover(found, layer_shifts(schedule, layer, start, end))
    for override in schedule.overrides:
        whole = Shift(override.starts_at, override.ends_at, override.person, None, override.id).within(start, end)
        if whole is None:
            continue
        over = [whole] if override.replaces is None else _swapped(found, whole, override.replaces)
        found = cover(found, over)
    return merged(found)


def on_call(schedule: Schedule, at: datetime) -> Shift | None:
    """The shift that holds at an instant, or None when nobody is on call."""
    found = final(schedule, at, at + MOMENT)
    return found[0] if found else None


def shift_around(schedule: Schedule, at: datetime) -> Shift | None:
    """The whole shift that holds at an instant, from its beginning to its end; cut a year away."""
    holds = on_call(schedule, at)
    for reach in REACHES if holds else ():
        found = final(schedule, at - reach, at + reach)
        holds = next(shift for shift in found if shift.starts_at <= at < shift.ends_at)
        if at - reach < holds.starts_at and holds.ends_at < at + reach:
            break
    return holds


def next_hand_over(schedule: Schedule, after: datetime) -> datetime | None:
    """The first instant after `after` at which somebody else, or nobody, is on call; None within a year."""
    now = on_call(schedule, after)
    for reach in REACHES:
        found = _first_change(final(schedule, after, after + reach), now.person if now else None, after)
        if found is not None and found < after + reach:
            return found
    return None


def _first_change(found: Sequence[Shift], person: UUID | None, after: datetime) -> datetime | None:
    at = after
    for shift in found:
        if person is not None and shift.starts_at > at:
            return at
        if shift.person != person:
            return shift.starts_at
        at = shift.ends_at
    return at if person is not None else None


def gaps(found: Sequence[Shift], start: datetime, end: datetime) -> list[Span]:
    """The times between two instants at which nobody is on call."""
    empty: list[Span] = []
    at = start
    for shift in found:
        if shift.starts_at > at:
            empty.append((at, shift.starts_at))
        at = max(at, shift.ends_at)
    if at < end:
        empty.append((at, end))
    return empty


def cover(under: Sequence[Shift], over: Sequence[Shift]) -> list[Shift]:
    """Lay shifts over others: what is below shows only where nothing lies on it."""
    kept: list[Shift] = []
    for shift in under:
        at = shift.starts_at
        for other in over:
            if other.ends_at <= at:
                continue
            if other.starts_at >= shift.ends_at:
                break
            part = shift.within(at, other.starts_at) if other.starts_at > at else None
            if part is not None:
                kept.append(part)
            at = other.ends_at
        rest = shift.within(at, shift.ends_at)
        if rest is not None:
            kept.append(rest)
    return sorted([*kept, *over], key=lambda one: one.starts_at)


def _swapped(found: Sequence[Shift], whole: Shift, replaced: UUID) -> list[Shift]:
    """The parts of an override in which the replaced person would have been on call."""
    parts = [shift.within(whole.starts_at, whole.ends_at) for shift in found if shift.person == replaced]
    return [msgspec.structs.replace(whole, starts_at=one.starts_at, ends_at=one.ends_at) for one in parts if one]
