"""The stored form of a schedule's layers: read, judged and made ready for the arithmetic."""

from datetime import date, datetime, time
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec
from django.utils.translation import gettext as _

from alerting.misread import fault_of, row_of
from alerting.oncall.rotation import LENGTHS, Layer, Restriction, Unit

MAX_LAYERS, MAX_PEOPLE, MAX_RESTRICTIONS, MAX_NAME = 10, 100, 20, 80
#: No turn is longer than this.
MAX_DAYS: Final = 366
_EARLIEST, _LATEST = date(2000, 1, 1), date(2200, 1, 1)


class LayerError(ValueError):
    """Layers that cannot be used; the message says which one and why."""


class RestrictionRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time of day as it is stored; weekdays run from 0, Monday, to 6."""

    start: time
    end: time
    weekdays: list[int] = []


class LayerRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A layer as it is stored; times are on the wall clock of the schedule."""

    name: str
    people: list[UUID]
    unit: Unit
    starts_at: datetime
    every: int = 1
    ends_at: datetime | None = None
    restrictions: list[RestrictionRow] = []


def _misread(error: msgspec.ValidationError) -> LayerError:
    number = row_of(error)
    if number is None:
        return LayerError(_("Layers are a list of objects."))
    fault = fault_of(error, {"unit": ", ".join(LENGTHS)})
    return LayerError(_("Layer %(number)d: %(fault)s") % {"number": number, "fault": fault})


def read(stored: Any, schedule_id: UUID) -> tuple[Layer, ...]:
    """The layers of a schedule; raises LayerError."""
    try:
        rows = msgspec.convert(stored, list[LayerRow])
    except msgspec.ValidationError as error:
        raise _misread(error) from error
    return tuple(_layer(row, uuid5(schedule_id, str(number))) for number, row in enumerate(rows))


def _layer(row: LayerRow, layer_id: UUID) -> Layer:
    return Layer(
        id=layer_id,
        name=row.name,
        people=tuple(row.people),
        unit=row.unit,
        every=row.every,
        starts_at=row.starts_at.replace(tzinfo=None),
        ends_at=None if row.ends_at is None else row.ends_at.replace(tzinfo=None),
        restrictions=tuple(
            Restriction(one.start.replace(tzinfo=None), one.end.replace(tzinfo=None), frozenset(one.weekdays))
            for one in row.restrictions
        ),
    )


def check(stored: Any, members: set[UUID]) -> list[Any]:
    """The stored form written in one way only; raises LayerError for what must not be."""
    try:
        rows = msgspec.convert(stored, list[LayerRow])
    except msgspec.ValidationError as error:
        raise _misread(error) from error
    if len(rows) > MAX_LAYERS:
        raise LayerError(_("A schedule has at most %(limit)d layers.") % {"limit": MAX_LAYERS})
    for number, row in enumerate(rows, 1):
        fault = _fault(row, members)
        if fault:
            raise LayerError(_("Layer %(number)d: %(fault)s") % {"number": number, "fault": fault})
    plain: list[Any] = msgspec.to_builtins(rows)
    return plain


def _fault(row: LayerRow, members: set[UUID]) -> str:
    if not row.name.strip() or len(row.name) > MAX_NAME:
        return _("Give it a name of at most %(limit)d characters.") % {"limit": MAX_NAME}
    if not 1 <= len(row.people) <= MAX_PEOPLE:
        return _("Name from one to %(limit)d people.") % {"limit": MAX_PEOPLE}
    if any(person not in members for person in row.people):
        return _("Only members of this tenant can be on call.")
    if not 1 <= row.every <= MAX_DAYS * 24 or (LENGTHS[row.unit] * row.every).days > MAX_DAYS:
        return _("A turn lasts from an hour to a year.")
    if not _EARLIEST <= row.starts_at.date() <= _LATEST or row.starts_at.tzinfo or (row.ends_at and row.ends_at.tzinfo):
        return _("Write times of the wall clock, without an offset, such as 2026-06-01T09:00.")
    if row.ends_at is not None and row.ends_at <= row.starts_at:
        return _("It ends after it begins.")
    if len(row.restrictions) > MAX_RESTRICTIONS:
        return _("Give at most %(limit)d times of day.") % {"limit": MAX_RESTRICTIONS}
    if any(not 0 <= day <= 6 for one in row.restrictions for day in one.weekdays):
        return _("Weekdays run from 0, Monday, to 6, Sunday.")
    return ""
