"""Which times of a sender are believed, and what stands in place of the others."""

from datetime import UTC, datetime, timedelta
from typing import Self

import msgspec

_AHEAD = timedelta(minutes=5)


class Window(msgspec.Struct, frozen=True):
    """The span in which a sender's times are believed, around the moment the request came in.

    The end of an alert that still fires is a promise ("over then, unless I say otherwise") and may lie ahead.
    """

    oldest: datetime
    newest: datetime
    latest_promise: datetime

    @classmethod
    def around(cls, now: datetime, back: timedelta = timedelta(hours=24)) -> Self:
        """The window of a request that came in at `now`."""
        return cls(now - back, now + _AHEAD, now + timedelta(days=30))

    def believe(self, at: datetime | None, *, is_promise: bool = False) -> datetime | None:
        """The time in UTC, moved to the nearer edge when it lies outside."""
        if at is None:
            return None
        newest = self.latest_promise if is_promise else self.newest
        if self.oldest <= at <= newest:
            return at if at.tzinfo is UTC else at.astimezone(UTC)
        return min(max(at, self.oldest), newest)
