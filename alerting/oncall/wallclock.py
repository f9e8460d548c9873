"""Turns times of a zone's wall clock into instants, without surprises when the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_STEP = timedelta(seconds=1)


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a time of the wall clock.

    A time that the clocks skip is the moment they jump; one they show twice is the first of the two. So later
    times of the wall clock never come before earlier ones, and no shift has a negative length.
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    return _jump(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), first, zone)


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    """What the clock on the wall shows at an instant."""
    return at.astimezone(zone).replace(tzinfo=None)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant of the new offset between two that have different ones."""
    old = before.astimezone(zone).utcoffset()
    while after - before > _STEP:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle <= before:
            break
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
