"""Recurring times on the wall clock: a checked subset of RRULE whose cost is bounded."""

# Wall-clock times have no offset until a zone gives them one.
# ruff: noqa: DTZ001, DTZ007, DTZ901

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrule, rrulestr
from django.utils.translation import gettext as _

MAX_RRULE: Final = 500
MAX_COUNT: Final = 1000
MAX_INTERVAL: Final = 1000
MAX_LIST: Final = 64
MAX_PER_DAY: Final = 96
#: A rule that has not happened by then is refused, and a look into the future ends there.
HORIZON: Final = {
    "HOURLY": timedelta(days=400),
    "DAILY": timedelta(days=3660),
    "WEEKLY": timedelta(days=3660),
    "MONTHLY": timedelta(days=3660),
    "YEARLY": timedelta(days=7320),
}
#: More steps than this are never taken in one question.
MAX_SCANNED: Final = 50_000

_KEYS: Final = frozenset(
    [
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "BYMONTH",
        "BYMONTHDAY",
        "BYDAY",
        "BYHOUR",
        "BYMINUTE",
        "BYSETPOS",
        "BYWEEKNO",
        "BYYEARDAY",
        "WKST",
    ]
)
_PART: Final = re.compile(r"(?P<key>[A-Z]+)=(?P<value>[A-Z0-9,+\-]+)")
_UNTIL: Final = re.compile(r"\d{8}(T\d{6}Z?)?")
_YEAR: Final = timedelta(days=366)
_STEP: Final = {"HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}


class RecurrenceError(ValueError):
    """A rule, zone or time that cannot be used; the message says what to do."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


def zone(name: str, field: str = "time_zone") -> ZoneInfo:
    """The IANA time zone of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as refused:
        message = _("%(name)s is no time zone. Use a name such as Europe/Paris.")
        raise RecurrenceError(message % {"name": name[:64]}, field) from refused


def to_utc(local: datetime, in_zone: ZoneInfo) -> datetime:
    """A wall-clock time as an instant.

    A time that occurs twice is the first one; a time the clock skips is read with the offset before
    the change, so 02:30 becomes 03:30 (the meaning of RFC 5545).
    """
    return local.replace(tzinfo=in_zone, fold=0).astimezone(UTC)


class Recurrence:
    """Wall-clock starts of something that happens once (empty rule) or again and again."""

    __slots__ = ("_frequency", "_has_count", "_interval", "_is_endless", "_rule", "_start", "zone")

    def __init__(self, start: datetime, in_zone: ZoneInfo, rule: str = "") -> None:
        _check_start(start)
        self.zone = in_zone
        self._start = start.replace(microsecond=0)
        self._rule: rrule | None = None
        self._is_endless = False
        if rule.strip():
            parts = _check_parts(rule.strip().upper().removeprefix("RRULE:"))
            self._frequency = parts["FREQ"]
            self._interval = int(parts.get("INTERVAL", "1"))
            self._has_count = "COUNT" in parts
            self._is_endless = not parts.keys() & {"COUNT", "UNTIL"}
            self._rule, until = _compile(parts, self._start, in_zone)
            _check_happens(self._rule, self._start, until, HORIZON[self._frequency])

    def between(self, first: datetime, last: datetime) -> list[datetime]:
        """The starts (instants) from `first` to `last`, both included, in order."""
        # A day of slack on both sides covers every offset and change of clocks.
        low = first.astimezone(self.zone).replace(tzinfo=None) - timedelta(days=1)
        high = last.astimezone(self.zone).replace(tzinfo=None) + timedelta(days=1)
        starts = sorted({to_utc(local, self.zone) for local in self._local(low, high)})
        return [start for start in starts if first <= start <= last]

    def following(self, now: datetime, count: int) -> list[datetime]:
        """The next starts after `now`, at most `count`, no further than the horizon."""
        if self._rule is None:
            start = to_utc(self._start, self.zone)
            return [start][:count] if start > now else []
        horizon = now + HORIZON[self._frequency]
        found: list[datetime] = []
        first, step = now + timedelta(microseconds=1), timedelta(days=40)
        while len(found) < count and first <= horizon:
            last = min(first + step, horizon)
            found.extend(self.between(first, last))
            first, step = last + timedelta(microseconds=1), step * 4
        return found[:count]

    def leaves_a_gap(self, length: timedelta) -> bool:
        """Whether what lasts so long from each start is ever over, going by its first year on the wall clock.

        On the wall clock, since a day of 25 hours does not make a gap that anybody meant.
        """
        if self._rule is None or not self._is_endless:
            return True
        starts = islice(self._rule, MAX_SCANNED)
        first = previous = next(starts)
        for start in starts:
            if start - previous > length:
                return True
            if start - first > _YEAR:
                return False
            previous = start
        return True

    def _local(self, low: datetime, high: datetime) -> Iterator[datetime]:
        if self._rule is None:
            return iter([self._start] if low <= self._start <= high else [])
        steps = islice(takewhile(lambda local: local <= high, self._advanced(self._rule, low)), MAX_SCANNED)
        return (local for local in steps if local >= low)

    def _advanced(self, rule: rrule, low: datetime) -> rrule:
        """The same rule begun later, so that a rule of long ago is not counted through from its start.

        The new start lies a whole number of intervals after the old one, so the phase stays.
        """
        if self._has_count or low <= self._start:
            return rule
        start = self._start
        if self._frequency == "YEARLY":
            skipped = (low.year - start.year) // self._interval * self._interval
            later = datetime(start.year + skipped, 1, 1)
        elif self._frequency == "MONTHLY":
            months = (low.year - start.year) * 12 + low.month - start.month
            skipped = months // self._interval * self._interval
            years, month = divmod(start.month - 1 + skipped, 12)
            later = datetime(start.year + years, month + 1, 1)
        else:
            stride = _STEP[self._frequency] * self._interval
            later = start + (low - start) // stride * stride
        return rule.replace(dtstart=later) if later > start else rule


def _check_start(start: datetime) -> None:
    if start.tzinfo is not None:
        raise RecurrenceError(_("The start is a local time; give it without an offset."), "starts_at")
    if not 1970 <= start.year <= 2200:
        raise RecurrenceError(_("The start lies between the years 1970 and 2200."), "starts_at")


def _check_happens(rule: rrule, start: datetime, until: datetime | None, horizon: timedelta) -> None:
    # The calendar repeats every 400 years, weekdays included. dateutil looks for a match up to the
    # year 9999, so asking near the end of time bounds what a rule that never happens can cost.
    years = (9970 - start.year) // 400 * 400
    limit = min(until or datetime.max, start + horizon)
    shifted = rule.replace(dtstart=start.replace(year=start.year + years), until=None)
    first = next(iter(shifted), None)
    if first is None or first.replace(year=first.year - years) > limit:
        raise RecurrenceError(_("The rule never happens. Check its days and months, and its end."), "rrule")


def _check_parts(text: str) -> dict[str, str]:
    if len(text) > MAX_RRULE:
        raise RecurrenceError(_("The rule is longer than %(limit)d characters.") % {"limit": MAX_RRULE}, "rrule")
    parts: dict[str, str] = {}
    for part in text.rstrip(";").split(";"):
        found = _PART.fullmatch(part)
        if found is None or found["key"] not in _KEYS or found["key"] in parts:
            message = _("Cannot read “%(part)s”. Write a rule such as FREQ=WEEKLY;BYDAY=SA,SU.")
            raise RecurrenceError(message % {"part": part[:40]}, "rrule")
        if found["value"].count(",") >= MAX_LIST:
            raise RecurrenceError(_("A list has at most %(limit)d values.") % {"limit": MAX_LIST}, "rrule")
        parts[found["key"]] = found["value"]
    _check_values(parts)
    return parts


def _check_values(parts: dict[str, str]) -> None:
    if parts.get("FREQ") not in HORIZON:
        message = _("The rule needs FREQ= with one of %(known)s.")
        raise RecurrenceError(message % {"known": ", ".join(HORIZON)}, "rrule")
    for key, limit in (("INTERVAL", MAX_INTERVAL), ("COUNT", MAX_COUNT)):
        value = parts.get(key, "1")
        if not (value.isdigit() and len(value) < 6 and 1 <= int(value) <= limit):
            message = _("%(key)s is a number from 1 to %(limit)d.")
            raise RecurrenceError(message % {"key": key, "limit": limit}, "rrule")
    if "UNTIL" in parts and not _UNTIL.fullmatch(parts["UNTIL"]):
        raise RecurrenceError(_("UNTIL is a date such as 20261231 or a time such as 20261231T220000Z."), "rrule")
    if "UNTIL" in parts and "COUNT" in parts:
        raise RecurrenceError(_("A rule ends by UNTIL or by COUNT, not by both."), "rrule")
    _check_density(parts)


def _check_density(parts: dict[str, str]) -> None:
    hours = 24 if parts["FREQ"] == "HOURLY" else parts.get("BYHOUR", "").count(",") + 1
    if hours * (parts.get("BYMINUTE", "").count(",") + 1) > MAX_PER_DAY:
        message = _("The rule happens too often; at most %(limit)d times a day.")
        raise RecurrenceError(message % {"limit": MAX_PER_DAY}, "rrule")


def _implied(parts: dict[str, str], start: datetime) -> dict[str, str]:
    """What RRULE takes from the start, said aloud, so that the start may be moved."""
    implied = {"BYSECOND": str(start.second), "BYMINUTE": str(start.minute)}
    if parts["FREQ"] != "HOURLY":
        implied["BYHOUR"] = str(start.hour)
    if parts["FREQ"] in ("MONTHLY", "YEARLY") and not {"BYDAY", "BYMONTHDAY"} & parts.keys():
        implied["BYMONTHDAY"] = str(start.day)
        if parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts:
            implied["BYMONTH"] = str(start.month)
    return implied | parts


def _compile(parts: dict[str, str], start: datetime, in_zone: ZoneInfo) -> tuple[rrule, datetime | None]:
    kept = {key: value for key, value in _implied(parts, start).items() if key != "UNTIL"}
    try:
        until = _local_until(parts["UNTIL"], in_zone) if "UNTIL" in parts else None
        compiled = rrulestr(";".join(f"{key}={value}" for key, value in kept.items()), dtstart=start)
        if not isinstance(compiled, rrule):
            raise TypeError("more than one rule")
        return (compiled.replace(until=until) if until else compiled), until
    except (ValueError, KeyError, IndexError, TypeError, OverflowError) as refused:
        message = _("The rule cannot be read (%(reason)s). Write one such as FREQ=WEEKLY;BYDAY=SA,SU.")
        raise RecurrenceError(message % {"reason": refused}, "rrule") from refused


def _local_until(text: str, in_zone: ZoneInfo) -> datetime:
    if len(text) == 8:
        return datetime.strptime(text, "%Y%m%d") + timedelta(days=1, seconds=-1)
    until = datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S")
    return until.replace(tzinfo=UTC).astimezone(in_zone).replace(tzinfo=None) if text.endswith("Z") else until
