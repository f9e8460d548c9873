"""Enrichment with a label that says whether it is office time for the tenant."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar, Final, Self
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerting.enrichment.base import Changes, Step, StepError, additions, check_fields, read_name
from alerting.muting.recurrence import RecurrenceError, zone

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_HOLIDAYS: Final = 400
DAY: Final = timedelta(days=1)


class BusinessHours(Step):
    """Sets a label to one value in office hours and to another outside, on the wall clock of a time zone."""

    kind = "business_hours"
    title: ClassVar[Promise] = gettext_lazy("Business hours")
    help: ClassVar[Promise] = gettext_lazy(
        "Sets a label by the time the alert comes in. Hours that end before they begin go over midnight and belong to"
        " the day they begin on. Without a time zone the tenant's counts."
    )
    example: ClassVar[dict[str, Any]] = {
        "label": "business_hours",
        "weekdays": ["mon", "tue", "wed", "thu", "fri"],
        "from": "09:00",
        "to": "18:00",
        "time_zone": "",
        "holidays": ["2026-12-25"],
        "inside": "yes",
        "outside": "no",
    }

    def __init__(self, label: str, values: tuple[str, str], hours: "_Hours") -> None:
        self._hours = hours
        self._inside = {label: values[0]}
        self._outside = {label: values[1]}
        # All alerts of a batch have the same time.
        self._asked: tuple[datetime, dict[str, str]] | None = None

    @classmethod
    def compile(cls, settings: Mapping[str, Any], time_zone: str) -> Self:
        settings = check_fields(settings, cls.example)
        label = read_name(settings.get("label", "business_hours"), "label")
        values = (_text(settings, "inside", "yes"), _text(settings, "outside", "no"))
        try:
            in_zone = zone(str(settings.get("time_zone") or time_zone))
        except RecurrenceError as refused:
            raise StepError(refused.message, "time_zone") from refused
        return cls(label, values, _Hours(settings, in_zone))

    def apply(self, labels: Mapping[str, str], annotations: Mapping[str, str], now: datetime) -> Changes:
        if self._asked is None or self._asked[0] != now:
            self._asked = (now, self._inside if self._hours.hold_at(now) else self._outside)
        return additions(labels, annotations, self._asked[1], {}, overwrite=True)


class _Hours:
    """Weekly hours on a wall clock, less holidays."""

    def __init__(self, settings: Mapping[str, Any], in_zone: ZoneInfo) -> None:
        self._zone = in_zone
        self._from, self._to = _time(settings, "from", "09:00"), _time(settings, "to", "18:00")
        if self._from == self._to:
            raise StepError(_("The hours end when they begin. Use 00:00 to 23:59 for the whole day."), "to")
        self._weekdays = _weekdays(settings.get("weekdays", list(WEEKDAYS[:5])))
        self._holidays = _holidays(settings.get("holidays", []))

    def hold_at(self, now: datetime) -> bool:
        local = now.astimezone(self._zone)
        today, clock = local.date(), local.time()
        if self._from < self._to:
            return self._works(today) and self._from <= clock < self._to
        return (self._works(today) and clock >= self._from) or (self._works(today - DAY) and clock < self._to)

    def _works(self, day: date) -> bool:
        return day.weekday() in self._weekdays and day not in self._holidays


def _text(settings: Mapping[str, Any], field: str, default: str) -> str:
    given = settings.get(field, default)
    if not isinstance(given, str) or not 1 <= len(given) <= 100:
        raise StepError(_("This is a text of 1 to 100 characters."), field)
    return given


def _time(settings: Mapping[str, Any], field: str, default: str) -> time:
    given = settings.get(field, default)
    try:
        if not isinstance(given, str) or len(given) != 5:
            raise ValueError(given)
        return time.fromisoformat(given)
    except ValueError as refused:
        raise StepError(_("This is a time of day such as 09:00."), field) from refused


def _weekdays(given: object) -> frozenset[int]:
    if not isinstance(given, list) or not given or any(day not in WEEKDAYS for day in given):
        raise StepError(_("Choose weekdays from %(days)s.") % {"days": ", ".join(WEEKDAYS)}, "weekdays")
    return frozenset(WEEKDAYS.index(day) for day in given)


def _holidays(given: object) -> frozenset[date]:
    if not isinstance(given, list) or len(given) > MAX_HOLIDAYS:
        raise StepError(_("Holidays are a list of at most %(limit)d dates.") % {"limit": MAX_HOLIDAYS}, "holidays")
    try:
        return frozenset(date.fromisoformat(day) for day in given)
    except (ValueError, TypeError) as refused:
        raise StepError(_("A holiday is a date such as 2026-12-25."), "holidays") from refused
