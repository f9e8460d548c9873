"""Flapping as a state with hysteresis: an alert that keeps changing is told once, with a count."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from django.utils.translation import gettext as _

#: More changes than this are not remembered: enough to enter any state, and the row stays small.
MAX_REMEMBERED: Final = 32


class FlappingError(ValueError):
    """Thresholds that cannot work; the message says what to do."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Thresholds(msgspec.Struct, frozen=True):
    """Flapping begins at `enter` changes within `window` and ends at `leave` or fewer."""

    window: timedelta = timedelta(minutes=30)
    enter: int = 6
    leave: int = 2

    def check(self) -> None:
        """Raise FlappingError unless there is a band between leaving and entering, in which the state stays."""
        if not timedelta(minutes=1) <= self.window <= timedelta(days=1):
            raise FlappingError(_("The window is from one minute to one day."), "window")
        if not 2 <= self.enter <= MAX_REMEMBERED:
            message = _("Flapping begins at 2 to %(limit)d changes.")
            raise FlappingError(message % {"limit": MAX_REMEMBERED}, "enter")
        if not 0 <= self.leave <= self.enter - 2:
            message = _("Flapping ends at %(limit)d changes or fewer, so that the state itself does not flap.")
            raise FlappingError(message % {"limit": self.enter - 2}, "leave")


class Flapping(msgspec.Struct, frozen=True):
    """The state of one alert or group: whether it flaps, and when it changed lately, in any order."""

    is_flapping: bool = False
    changes: tuple[datetime, ...] = ()

    @property
    def count(self) -> int:
        """How many changes the window holds: the number that is told."""
        return len(self.changes)


class Turn(StrEnum):
    """What a step of the state machine brought about."""

    NONE = ""
    STARTED = "flapping"
    STOPPED = "stopped_flapping"


STEADY: Final = Flapping()


def turn(was_flapping: bool, count: int, thresholds: Thresholds) -> Turn:
    """The whole state machine, for those who count the changes of the window themselves."""
    if not was_flapping and count >= thresholds.enter:
        return Turn.STARTED
    if was_flapping and count <= thresholds.leave:
        return Turn.STOPPED
    return Turn.NONE


def advance(
    before: Flapping, now: datetime, thresholds: Thresholds, new_changes: Iterable[datetime] = ()
) -> tuple[Flapping, Turn]:
    """Forget changes older than the window, add new ones, and say whether flapping began or ended.

    Between `leave` and `enter` nothing happens, whatever the state was. Call it for each change and,
    while something flaps, on its timer: an end is the absence of changes, so only time brings it.
    """
    since = now - thresholds.window
    changes = tuple(sorted(at for at in (*before.changes, *new_changes) if since < at <= now))[-MAX_REMEMBERED:]
    turned = turn(before.is_flapping, len(changes), thresholds)
    is_flapping = before.is_flapping if turned is Turn.NONE else turned is Turn.STARTED
    return Flapping(is_flapping, changes), turned


def ends_at(state: Flapping, thresholds: Thresholds) -> datetime | None:
    """When flapping ends if nothing changes any more: the time to look again. None when it is steady."""
    if not state.is_flapping:
        return None
    excess = len(state.changes) - thresholds.leave
    if excess <= 0:
        return None
    return sorted(state.changes)[excess - 1] + thresholds.window
