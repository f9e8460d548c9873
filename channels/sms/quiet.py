"""Quiet hours: when a number may be written to, in the reader's own time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HOURS = re.compile(r"(?P<from>(?:[01]\d|2[0-3]):[0-5]\d)-(?P<to>(?:[01]\d|2[0-3]):[0-5]\d)")


def read_hours(text: str) -> tuple[time, time]:
    """Read `22:00-07:00`; raises ValueError for anything else and for a span of no length."""
    found = HOURS.fullmatch(text.strip())
    if found is None or found["from"] == found["to"]:
        raise ValueError("not a span of hours")
    return time.fromisoformat(found["from"]), time.fromisoformat(found["to"])


def quiet_until(hours: str, zone_name: str, now: datetime) -> datetime | None:
    """Return when the quiet hours that hold at `now` end, None when none hold.

    Wall-clock hours: a night with a change of the clock is an hour longer or shorter.
    """
    if not hours:
        return None
    begins, ends = read_hours(hours)
    zone = _zone(zone_name)
    local = now.astimezone(zone)
    clock = local.time()
    over_midnight = begins > ends
    is_quiet = (clock >= begins or clock < ends) if over_midnight else begins <= clock < ends
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1) if over_midnight and clock >= begins else local.date()
    end = datetime.combine(day, ends, tzinfo=zone).astimezone(UTC)
    # In the hour that a change of the clock repeats, the end may lie a moment behind.
    return max(end, now.astimezone(UTC) + timedelta(minutes=1))


def is_zone(name: str) -> bool:
    """Say whether there is such a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name) if name and is_zone(name) else ZoneInfo("UTC")
