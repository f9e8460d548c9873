"""Reads a calendar file: its events between two times, recurrences worked out; no database, no network."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from dateutil.rrule import rrulestr
from django.utils.translation import gettext as _

from alerting.oncall.wallclock import instant

MAX_EVENTS, MAX_OCCURRENCES = 2_000, 500
_TOO_DENSE: Final = re.compile(r"FREQ=(SECONDLY|MINUTELY|HOURLY)", re.IGNORECASE)
_UNTIL: Final = re.compile(r"UNTIL=(\d{8}T\d{6})Z", re.IGNORECASE)
_LONGEST: Final = timedelta(days=366)


class CalendarError(ValueError):
    """A file that is no calendar, or more than we take."""


class CalendarEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One time somebody is named for; `names` are addresses and the words of the title, in lower case."""

    key: str
    starts_at: datetime
    ends_at: datetime
    names: tuple[str, ...]
    title: str


def read_calendar(body: bytes, zone: ZoneInfo, start: datetime, end: datetime) -> list[CalendarEvent]:
    """Events that touch the span, in order; times without a zone are of `zone`. Raises CalendarError."""
    from icalendar import Calendar  # a fifth of a second to load, which only imports need

    try:
        components = list(Calendar.from_ical(body).walk("VEVENT"))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise CalendarError(_("This is no calendar file.")) from error
    if len(components) > MAX_EVENTS:
        raise CalendarError(_("The calendar holds more than %(limit)d events.") % {"limit": MAX_EVENTS})
    try:
        return _events(components, zone, start, end)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise CalendarError(_("An event of the calendar cannot be read.")) from error


def _events(components: list[Any], zone: ZoneInfo, start: datetime, end: datetime) -> list[CalendarEvent]:
    moved = {
        (str(one.get("UID", "")), _span(one["RECURRENCE-ID"].dt, zone)[1])
        for one in components
        if "RECURRENCE-ID" in one
    }
    found: list[CalendarEvent] = []
    for one in components:
        if str(one.get("STATUS", "")).upper() == "CANCELLED":
            continue
        uid = str(one.get("UID", ""))
        for begins, ends in _times(one, zone, start, end):
            if "RECURRENCE-ID" not in one and (uid, begins) in moved:
                continue
            if begins < end and ends > start and begins < ends <= begins + _LONGEST:
                found.append(_event(one, uid, begins, ends))
        if len(found) > MAX_OCCURRENCES:
            raise CalendarError(_("The calendar holds more than %(limit)d events.") % {"limit": MAX_OCCURRENCES})
    return sorted(found, key=lambda event: event.starts_at)


def _event(one: Any, uid: str, begins: datetime, ends: datetime) -> CalendarEvent:
    said = one.get("ATTENDEE") or []
    attendees = said if isinstance(said, list) else [said]
    title = str(one.get("SUMMARY", "")).strip()
    addresses = [str(attendee).lower().removeprefix("mailto:").strip() for attendee in attendees]
    return CalendarEvent(
        key=f"{uid[:200]}/{begins:%Y%m%dT%H%M%SZ}/{ends:%Y%m%dT%H%M%SZ}",
        starts_at=begins,
        ends_at=ends,
        names=(*addresses, title.lower()),
        title=title[:200],
    )


def _span(value: date | datetime, zone: ZoneInfo) -> tuple[tuple[datetime, ZoneInfo], datetime]:
    """A time of the file as wall clock with its zone, and as an instant; a date is its midnight."""
    if not isinstance(value, datetime):
        wall = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - of the wall clock
        return (wall, zone), instant(wall, zone)
    if value.tzinfo is None:
        return (value, zone), instant(value, zone)
    there = value.tzinfo if isinstance(value.tzinfo, ZoneInfo) else zone
    return (value.astimezone(there).replace(tzinfo=None), there), value.astimezone(UTC)


def _times(one: Any, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    (wall, there), begins = _span(one["DTSTART"].dt, zone)
    length = _length(one, begins, zone)
    if "RRULE" not in one or "RECURRENCE-ID" in one:
        yield begins, begins + length
        return
    rule = one["RRULE"].to_ical().decode()
    if _TOO_DENSE.search(rule):
        raise CalendarError(_("The calendar repeats an event more often than daily."))
    left_out = {at for value in _dates(one.get("EXDATE")) for at in [_span(value, zone)[1]]}
    local = _UNTIL.sub(lambda said: f"UNTIL={_local(said[1], there)}", rule)
    low = start.astimezone(there).replace(tzinfo=None) - length - timedelta(days=1)
    high = end.astimezone(there).replace(tzinfo=None) + timedelta(days=1)
    for occurrence in rrulestr(local, dtstart=wall).between(low, high, inc=True):
        at = instant(occurrence, there)
        if at not in left_out:
            yield at, at + length


def _length(one: Any, begins: datetime, zone: ZoneInfo) -> timedelta:
    if "DTEND" in one:
        return _span(one["DTEND"].dt, zone)[1] - begins
    if "DURATION" in one:
        length: timedelta = one["DURATION"].dt
        return length
    return timedelta(0) if isinstance(one["DTSTART"].dt, datetime) else timedelta(days=1)


def _dates(said: Any) -> Iterator[date | datetime]:
    for part in said if isinstance(said, list) else [said] if said is not None else []:
        for value in part.dts:
            yield value.dt


def _local(text: str, zone: ZoneInfo) -> str:
    at = datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return at.astimezone(zone).strftime("%Y%m%dT%H%M%S")
