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
AHEAD: Final = timedelta(days=3)
#: What begins within this time is foretold; it is less than what is worked out, so that all of it is known.
FORETOLD: Final = timedelta(days=2)
MAX_COMING: Final = 5


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

    def check_closes(self) -> None:
        """Raise WindowError when it would never close; one that is stored goes on as it was taken."""
        if not _Window(self).recurrence.leaves_a_gap(self.duration):
            message = _(
                "This window would never close: each time lasts until the next one begins."
                " Shorten it, or end the rule with COUNT or UNTIL."
            )
            raise WindowError(message, "duration")

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
        self._look(now)
        place = bisect_right(self._starts, now)
        if not place:
            return None
        starts_at = self._starts[place - 1]
        ends_at = starts_at + self.row.duration
        return Occurrence(starts_at, ends_at) if now < ends_at else None

    def coming(self, now: datetime) -> list[Occurrence]:
        """The one that is open and those that open soon."""
        self._look(now)
        spans = (Occurrence(start, start + self.row.duration) for start in self._starts)
        return [one for one in spans if one.ends_at > now and one.starts_at <= now + FORETOLD][:MAX_COMING]

    def _look(self, now: datetime) -> None:
        """Work out the occurrences around `now`, unless what is known reaches as far as anybody asks."""
        if self._from is None or self._to is None or not self._from <= now <= self._to - FORETOLD:
            self._from, self._to = now, now + AHEAD
            self._starts = list(self.recurrence.between(now - self.row.duration, self._to))


class MaintenanceWindows:
    """The tenant's windows, compiled once; which are open is worked out once per `now`, not per alert."""

    __slots__ = ("_asked", "_coming", "_foreseen", "_index", "_near", "_open", "_windows")

    def __init__(self, rows: Iterable[MaintenanceWindow]) -> None:
        self._windows = tuple(_Window(row) for row in rows)
        self._asked: datetime | None = None
        self._open: dict[UUID, Occurrence] = {}
        self._index: MatcherIndex[MaintenanceWindow] = MatcherIndex(())
        self._foreseen: datetime | None = None
        self._coming: list[tuple[MaintenanceWindow, Occurrence]] = []
        self._near: MatcherIndex[MaintenanceWindow] = MatcherIndex(())

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

    def coming(self, alerts: Iterable[Mapping[str, str]], now: datetime) -> list[tuple[MaintenanceWindow, Occurrence]]:
        """The windows that match one of these alerts and are open or open soon, soonest first."""
        if now != self._foreseen:
            self._foresee(now)
        if not self._coming:
            return []
        concerned = {row.id for labels in alerts for row in self._near.matches(labels)}
        return [pair for pair in self._coming if pair[0].id in concerned]

    def _foresee(self, now: datetime) -> None:
        found = [(window.row, one) for window in self._windows for one in window.coming(now)]
        found.sort(key=lambda pair: pair[1].starts_at)
        rows = {row.id: row for row, _one in found}
        if rows.keys() != {row.id for row, _one in self._coming}:
            self._near = MatcherIndex(rows.values())
        self._coming, self._foreseen = found, now

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
