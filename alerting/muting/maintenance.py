"""Maintenance windows: planned times, once or recurring on the tenant's wall clock, that mute what matches."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from alerting.matchers import Matcher, MatcherIndex
from alerting.muting.reasons import Muted, MuteKind, NearMiss
from alerting.muting.recurrence import Recurrence, RecurrenceError, zone

#: The error of a window that cannot be used: `message` and `field`.
WindowError = RecurrenceError

MIN_DURATION: Final = timedelta(minutes=1)
MAX_DURATION: Final = timedelta(days=31)
#: How far occurrences are worked out at once; then the answer for any alert is a look-up.
AHEAD: Final = timedelta(days=2)


class Occurrence(msgspec.Struct, frozen=True):
    """One time a window is open, as instants; closed again at `ends_at`."""

    starts_at: datetime
    ends_at: datetime


class MaintenanceWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the maintenance table. The start is on the wall clock of the zone; the duration is elapsed time."""

    id: UUID
    name: str
    matchers: tuple[Matcher, ...] = ()
    starts_at: datetime
    duration: timedelta
    time_zone: str = "UTC"
    rrule: str = ""

    def check(self) -> None:
        """Raise WindowError naming the field when the window cannot be used."""
        _Window(self)

    def active_at(self, now: datetime) -> Occurrence | None:
        """The occurrence that is open at `now`; for many questions use MaintenanceWindows."""
        return _Window(self).active_at(now)

    def next_occurrences(self, now: datetime, count: int = 5) -> list[Occurrence]:
        """What comes after `now`, at most `count` and 100."""
        starts = _Window(self).recurrence.following(now, min(count, 100))
        return [Occurrence(start, start + self.duration) for start in starts]


class _Window:
    """A checked window that remembers the occurrences around the time it was last asked about."""

    __slots__ = ("_from", "_starts", "_to", "recurrence", "row")

    def __init__(self, row: MaintenanceWindow) -> None:
        if not MIN_DURATION <= row.duration <= MAX_DURATION:
            raise WindowError(_("A window lasts from one minute to 31 days."), "duration")
        self.row = row
        self.recurrence = Recurrence(row.starts_at, zone(row.time_zone), row.rrule)
        self._from: datetime | None = None
        self._to: datetime | None = None
        self._starts: list[datetime] = []

    def active_at(self, now: datetime) -> Occurrence | None:
        if self._from is None or self._to is None or not self._from <= now <= self._to:
            self._from, self._to = now, now + AHEAD
            self._starts = list(self.recurrence.between(now - self.row.duration, self._to))
        place = bisect_right(self._starts, now)
        if not place:
            return None
        starts_at = self._starts[place - 1]
        ends_at = starts_at + self.row.duration
        return Occurrence(starts_at, ends_at) if now < ends_at else None


class MaintenanceWindows:
    """The tenant's windows, compiled once; which are open is worked out once per `now`, not per alert."""

    __slots__ = ("_asked", "_index", "_open", "_windows")

    def __init__(self, rows: Iterable[MaintenanceWindow]) -> None:
        self._windows = tuple(_Window(row) for row in rows)
        self._asked: datetime | None = None
        self._open: dict[UUID, Occurrence] = {}
        self._index: MatcherIndex[MaintenanceWindow] = MatcherIndex(())

    @property
    def rows(self) -> tuple[MaintenanceWindow, ...]:
        """The windows, for explain."""
        return tuple(window.row for window in self._windows)

    def open_at(self, now: datetime) -> dict[UUID, Occurrence]:
        """The windows open at `now`."""
        if now != self._asked:
            found = {window.row.id: occurrence for window in self._windows if (occurrence := window.active_at(now))}
            if found.keys() != self._open.keys():
                self._index = MatcherIndex([window.row for window in self._windows if window.row.id in found])
            self._open, self._asked = found, now
        return self._open

    def muting(self, labels: Mapping[str, str], now: datetime) -> list[Muted]:
        """The open windows that match, the one that lasts longest first."""
        if not (self._open if now == self._asked else self.open_at(now)):
            return []
        muted = [
            Muted(MuteKind.MAINTENANCE, row.id, row.name, self._open[row.id].ends_at)
            for row in self._index.matches(labels)
        ]
        muted.sort(key=lambda one: self._open[one.id].ends_at, reverse=True)
        return muted

    def near_misses(self, labels: Mapping[str, str], now: datetime) -> list[NearMiss]:
        """Windows that match but are closed, and open ones that one matcher keeps away."""
        is_open = self.open_at(now)
        misses: list[NearMiss] = []
        for row in (window.row for window in self._windows):
            failed = [matcher for matcher in row.matchers if not matcher.matches(labels)]
            if not failed and row.id not in is_open:
                misses.append(NearMiss(MuteKind.MAINTENANCE, row.id, row.name, None, "closed"))
            elif len(failed) == 1 and row.id in is_open:
                misses.append(NearMiss(MuteKind.MAINTENANCE, row.id, row.name, failed[0], "open"))
        return misses
