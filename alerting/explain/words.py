"""The words of explanations: times, spans, lists and matchers as a person at three in the night reads them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting.matchers import LEVEL, Matcher, level_of

MAX_SHOWN: Final = 80
MAX_LISTED: Final = 12


class Clock:
    """Writes times on the tenant's wall clock, as short as the moment of reading allows."""

    def __init__(self, now: datetime, time_zone: str) -> None:
        self.now = now
        self._zone = ZoneInfo(time_zone)

    def at(self, moment: datetime) -> str:
        """`14:05` today, `14:05:30` within two minutes, `Tue 24 Nov, 14:05` on another day, with the year if far."""
        local, here = moment.astimezone(self._zone), self.now.astimezone(self._zone)
        if local.date() == here.date():
            is_close = abs((moment - self.now).total_seconds()) < 120
            return date_format(local, "H:i:s" if is_close else "H:i")
        return date_format(local, "D j M, H:i" if abs((local - here).days) < 180 else "j M Y, H:i")

    def exact(self, moment: datetime) -> str:
        """`14:05:30`, with the day on another day: where many things happened within one minute."""
        local, here = moment.astimezone(self._zone), self.now.astimezone(self._zone)
        if local.date() == here.date():
            return date_format(local, "H:i:s")
        return date_format(local, "D j M, H:i:s" if abs((local - here).days) < 180 else "j M Y, H:i:s")

    def until(self, moment: datetime) -> str:
        """How far a time lies ahead or back: `in 5 min`, `3 h ago`, `now`."""
        delta = moment - self.now
        if abs(delta) < timedelta(seconds=1):
            return _("just now")
        if delta > timedelta(0):
            return _("in %(span)s") % {"span": span(delta)}
        return _("%(span)s ago") % {"span": span(-delta)}


def span(length: timedelta) -> str:
    """A length of time in its two largest units: `1 h 30 min`."""
    left = int(length.total_seconds())
    if left >= 3_600:
        # Seconds are not shown any more: round them, so that "in 4 h" does not read "in 3 h 59 min".
        left = (left + 30) // 60 * 60
    if left < 1:
        return _("0 s") if not length else _("less than 1 s")
    parts: list[str] = []
    for seconds, write in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(write(count))
        if len(parts) == 2:
            break
    return " ".join(parts)


def _days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


_UNITS: Final = (
    (86_400, _days),
    (3_600, lambda count: _("%(count)d h") % {"count": count}),
    (60, lambda count: _("%(count)d min") % {"count": count}),
    (1, lambda count: _("%(count)d s") % {"count": count}),
)


def shown(text: str) -> str:
    """A value short enough to stand inside a sentence."""
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def pairs(labels: Mapping[str, str]) -> str:
    """Labels in one line: `team=a, region=eu`."""
    return listed([f"{name}={shown(value)}" for name, value in sorted(labels.items())])


def listed(items: Iterable[str]) -> str:
    """Items with commas; a long list says how many more there are."""
    every = list(items)
    text = ", ".join(every[:MAX_LISTED])
    more = len(every) - MAX_LISTED
    return _("%(items)s and %(count)d more") % {"items": text, "count": more} if more > 0 else text


def conditions(matchers: Sequence[Matcher]) -> str:
    """What a rule asks for, as people write it: `region=eu-west-1, env=~prod|stage`."""
    return listed([f"{one.name}{one.op}{shown(one.value)}" for one in matchers])


def mismatch(matcher: Matcher, labels: Mapping[str, str]) -> str:
    """Why a matcher fails, as half a sentence: `it wants region=eu-west-1, the alert has eu-west-2`."""
    found = level_of(labels) if matcher.name == LEVEL else labels.get(matcher.name, "")
    values = {"name": matcher.name, "wanted": shown(matcher.value), "seen": shown(found)}
    is_there = bool(found)
    if matcher.op == "=" and not matcher.value:
        return _("it wants no label %(name)s, the alert has %(name)s=%(seen)s") % values
    if matcher.op == "!=" and not matcher.value:
        return _("it wants some %(name)s, the alert has none") % values
    if matcher.op in ("=", "!="):
        return _equality(matcher, values, is_there)
    return _expression(matcher, values, is_there)


def _equality(matcher: Matcher, values: Mapping[str, str], is_there: bool) -> str:
    if matcher.op == "!=":
        return _("it wants any %(name)s but %(wanted)s, and the alert has just that") % values
    if is_there:
        return _("it wants %(name)s=%(wanted)s, the alert has %(seen)s") % values
    return _("it wants %(name)s=%(wanted)s, the alert has no %(name)s") % values


def _expression(matcher: Matcher, values: Mapping[str, str], is_there: bool) -> str:
    if matcher.op == "=~" and is_there:
        return _("it wants %(name)s to match %(wanted)s, the alert has %(seen)s") % values
    if matcher.op == "=~":
        return _("it wants %(name)s to match %(wanted)s, the alert has no %(name)s") % values
    if is_there:
        return _("it wants %(name)s not to match %(wanted)s, the alert has %(seen)s") % values
    return _("it wants %(name)s not to match %(wanted)s, and a missing %(name)s does") % values
