"""A policy as plain data, and the arithmetic of its steps; no database, no clock."""

from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from alerting.misread import fault_of, row_of

MAX_LEVELS, MAX_TARGETS = 20, 20
MAX_WAIT: Final = 86_400
#: A step that fires so much later than planned says so, and those before it are passed over.
LATE: Final = timedelta(seconds=60)


class PlanError(ValueError):
    """Levels that cannot be used; the message says which one and why."""


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a level tells. `via` is a kind of channel, for a person instead of their own rules."""

    kind: Literal["schedule", "member", "channel"]
    id: UUID
    via: str = ""


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One level: so many seconds after the one before it, these are told."""

    wait: int
    targets: list[Target]
    importance: Literal["normal", "urgent"] = "urgent"


class Plan(msgspec.Struct, frozen=True):
    """A whole policy, as it is kept with each escalation it starts. Times are seconds."""

    name: str
    levels: list[Level]
    repeat_count: int = 0
    repeat_wait: int = 600
    acknowledge_timeout: int | None = None

    @property
    def count(self) -> int:
        """How many steps there are, over all rounds."""
        return len(self.levels) * (self.repeat_count + 1)

    def level(self, step: int) -> Level:
        """What a step does."""
        return self.levels[step % len(self.levels)]

    def wait(self, step: int) -> timedelta:
        """How long after the step before it."""
        again = self.repeat_wait if step and step % len(self.levels) == 0 else 0
        return timedelta(seconds=again + self.level(step).wait)


def _misread(error: msgspec.ValidationError) -> PlanError:
    number = row_of(error)
    if number is None:
        return PlanError(_("Levels are a list of objects."))
    fault = fault_of(error, {"kind": "schedule, member, channel", "importance": "urgent, normal"})
    return PlanError(_("Level %(number)d: %(fault)s") % {"number": number, "fault": fault})


def read_levels(stored: Any) -> list[Level]:
    """Levels out of their stored form; raises PlanError."""
    try:
        return msgspec.convert(stored, list[Level])
    except msgspec.ValidationError as error:
        raise _misread(error) from error


def read_plan(stored: Any) -> Plan:
    """The plan an escalation keeps."""
    return msgspec.convert(stored, Plan)


def check_levels(stored: Any) -> list[Level]:
    """Levels that can be used; raises PlanError."""
    levels = read_levels(stored)
    if not 1 <= len(levels) <= MAX_LEVELS:
        raise PlanError(_("Give from one to %(limit)d levels.") % {"limit": MAX_LEVELS})
    for number, level in enumerate(levels, 1):
        where = {"number": number, "limit": MAX_TARGETS, "longest": MAX_WAIT}
        if not 0 <= level.wait <= MAX_WAIT:
            raise PlanError(_("Level %(number)d: wait from 0 to %(longest)d seconds.") % where)
        if not 1 <= len(level.targets) <= MAX_TARGETS:
            raise PlanError(_("Level %(number)d: name from one to %(limit)d to be told.") % where)
    return levels


class Firing(msgspec.Struct, frozen=True):
    """What is to be done now: the steps that fire, those passed over, how late, and what comes next."""

    fires: tuple[int, ...]
    superseded: tuple[int, ...]
    late_by: timedelta
    step: int
    due_at: datetime | None


def due_steps(plan: Plan, step: int, due_at: datetime, now: datetime) -> Firing:
    """Which steps fire at `now`, when the next one was due at `due_at`.

    On time, every step that is due fires. After downtime only the highest one does, with those that were due at
    the same moment; the next then waits its full time from now.
    """
    due: list[tuple[int, datetime]] = []
    at, number = due_at, step
    while number < plan.count and at <= now:
        due.append((number, at))
        number += 1
        if number < plan.count:
            at += plan.wait(number)
    if not due:
        return Firing((), (), timedelta(0), step, due_at)
    last = due[-1][1]
    is_late = now - due[0][1] > LATE
    fires = tuple(one for one, when in due if not is_late or when == last)
    superseded = tuple(one for one, _when in due if one not in fires)
    upcoming = None
    if number < plan.count:
        upcoming = (now if is_late else last) + plan.wait(number)
    return Firing(fires, superseded, now - last if is_late else timedelta(0), number, upcoming)
