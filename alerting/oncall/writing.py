"""Layers of a schedule as lines people write, such as `Day; weekly from 2026-06-01 09:00; ann, bob`."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from alerting.oncall.layers import LayerError, LayerRow, RestrictionRow
from alerting.oncall.rotation import Unit

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TURN: Final = re.compile(
    r"(?:every\s+(\d+)\s+)?(hourly|daily|weekly|hours?|days?|weeks?)\s+from\s+(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)",
    re.IGNORECASE,
)
_UNITS: Final = {"hour": Unit.HOURLY, "dail": Unit.DAILY, "days": Unit.DAILY, "day": Unit.DAILY, "week": Unit.WEEKLY}
_UNTIL: Final = re.compile(r"until\s+(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)", re.IGNORECASE)
_SPAN: Final = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))?\s+)?(\d\d:\d\d)-(\d\d:\d\d)", re.IGNORECASE)


def to_text(stored: Any, names: Mapping[UUID, str]) -> str:
    """Layers as lines; a person who is gone is shown by their id."""
    try:
        rows = msgspec.convert(stored, list[LayerRow])
    except msgspec.ValidationError:
        return ""
    return "\n".join(_line(row, names) for row in rows)


def _line(row: LayerRow, names: Mapping[UUID, str]) -> str:
    turn = row.unit.value
    if row.every != 1:
        plural = {Unit.HOURLY: "hours", Unit.DAILY: "days", Unit.WEEKLY: "weeks"}[row.unit]
        turn = f"every {row.every} {plural}"
    people = ", ".join(names.get(person, str(person)) for person in row.people)
    parts = [row.name, f"{turn} from {row.starts_at:%Y-%m-%d %H:%M}", people]
    if row.restrictions:
        parts.append("only " + ", ".join(_span(one) for one in row.restrictions))
    if row.ends_at is not None:
        parts.append(f"until {row.ends_at:%Y-%m-%d %H:%M}")
    return "; ".join(parts)


def _span(one: RestrictionRow) -> str:
    hours = f"{one.start:%H:%M}-{one.end:%H:%M}"
    if not one.weekdays:
        return hours
    days = sorted(set(one.weekdays))
    if len(days) > 1 and days == list(range(days[0], days[-1] + 1)):
        return f"{DAYS[days[0]]}-{DAYS[days[-1]]} {hours}"
    return ", ".join(f"{DAYS[day]} {hours}" for day in days)


def from_text(text: str, names: Mapping[UUID, str]) -> list[Any]:
    """Layers in their stored form; raises LayerError that says which line is wrong and why."""
    found: list[LayerRow] = []
    for number, line in enumerate((line.strip() for line in text.splitlines() if line.strip()), 1):
        try:
            found.append(_row(line, names))
        except (LayerError, ValueError) as error:
            raise LayerError(_("Line %(number)d: %(fault)s") % {"number": number, "fault": error}) from error
    plain: list[Any] = msgspec.to_builtins(found)
    return plain


def _row(line: str, names: Mapping[UUID, str]) -> LayerRow:
    parts = [part.strip() for part in line.split(";")]
    turn = _TURN.fullmatch(parts[1]) if len(parts) > 1 else None
    if turn is None or len(parts) < 3:
        raise LayerError(_("Write name; weekly from 2026-06-01 09:00; ann, bob"))
    restrictions: list[RestrictionRow] = []
    ends_at = None
    for part in parts[3:]:
        until = _UNTIL.fullmatch(part)
        if until is not None:
            ends_at = datetime.fromisoformat(f"{until[1]}T{until[2]}")
        elif part.lower().startswith("only "):
            restrictions += [_restriction(span.strip()) for span in part[5:].split(",")]
        elif part:
            raise LayerError(_("“%(part)s” is not understood; write only … or until ….") % {"part": part})
    return LayerRow(
        name=parts[0],
        people=[_person(name.strip(), names) for name in parts[2].split(",") if name.strip()],
        unit=_UNITS.get(turn[2].lower()[:4]) or Unit.DAILY,
        every=int(turn[1] or 1),
        starts_at=datetime.fromisoformat(f"{turn[3]}T{turn[4]}"),
        ends_at=ends_at,
        restrictions=restrictions,
    )


def _person(name: str, names: Mapping[UUID, str]) -> UUID:
    for person, known in names.items():
        if known.lower() == name.lower():
            return person
    shown = ", ".join(sorted(names.values())[:20])
    raise LayerError(_("There is no member “%(name)s”; known are: %(known)s.") % {"name": name, "known": shown})


def _restriction(text: str) -> RestrictionRow:
    said = _SPAN.fullmatch(text)
    first = said[1].lower() if said and said[1] else ""
    last = said[2].lower() if said and said[2] else first
    if said is None or (first and (first not in DAYS or last not in DAYS)):
        raise LayerError(_("“%(part)s” is not understood; write such as mon-fri 09:00-17:00.") % {"part": text})
    days: list[int] = []
    if first:
        start, end = DAYS.index(first), DAYS.index(last)
        days = [(start + step) % 7 for step in range((end - start) % 7 + 1)]
    start_time, end_time = (datetime.strptime(one, "%H:%M").time() for one in (said[3], said[4]))  # noqa: DTZ007
    return RestrictionRow(start_time, end_time, sorted(days))
