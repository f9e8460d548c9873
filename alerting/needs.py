"""Whether a destination must be told about a group now, and why or why not: one pure decision.

It follows Alertmanager's `needsUpdate`, with an exact repeat, a rise of severity, acknowledgement
and flapping added. Alerts are numbers that name one firing of one alert, so that an alert which
comes back is a new one.
"""

from collections.abc import Set
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec


class Reason(StrEnum):
    """Why somebody is told."""

    FIRST = "first"
    NEW_ALERTS = "new_alerts"
    SEVERITY_RAISED = "severity_raised"
    RESOLVED = "resolved"
    ALL_RESOLVED = "all_resolved"
    REPEAT = "repeat"
    FLAPPING = "flapping"
    STOPPED_FLAPPING = "stopped_flapping"


class NotReason(StrEnum):
    """Why somebody is not told."""

    NOTHING_FIRING = "nothing_firing"
    MUTED = "muted"
    ALREADY_TOLD = "already_told"
    ACKNOWLEDGED = "acknowledged"
    REPEAT_NOT_DUE = "repeat_not_due"
    STILL_FLAPPING = "still_flapping"
    RESOLVED_NOT_WANTED = "resolved_not_wanted"


NO_ALERTS: Final[frozenset[int]] = frozenset()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the destination was last told about the group."""

    firing: Set[int]
    resolved: Set[int] = NO_ALERTS
    severity: int
    was_flapping: bool = False
    told_at: datetime


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """The group now. Muted alerts are in neither set; `flapping` names those of both sets that flap."""

    firing: Set[int]
    resolved: Set[int] = NO_ALERTS
    severity: int
    flapping: Set[int] = NO_ALERTS
    is_flapping: bool = False
    is_acknowledged: bool = False
    muted_count: int = 0
    send_resolved: bool = True
    #: None never repeats.
    repeat_interval: timedelta | None = None


class Outcome(msgspec.Struct, frozen=True):
    """The decision: a reason to tell, or a reason not to, and until when that holds if time decides."""

    reason: Reason | None = None
    not_reason: NotReason | None = None
    until: datetime | None = None


def decide(previous: Told | None, group: Situation, now: datetime) -> Outcome:
    """The reason to tell the destination now, or the reason not to."""
    reason = _first(group) if previous is None else _news(previous, group)
    if reason is not None:
        return Outcome(reason)
    if not group.firing:
        return Outcome(None, _quiet(previous, group))
    # Without an earlier message a firing group has always a reason, so `previous` is known here.
    return _repeat(previous, group, now) if previous is not None else Outcome(Reason.FIRST)


def _first(group: Situation) -> Reason | None:
    return Reason.FIRST if group.firing else None


def _news(previous: Told, group: Situation) -> Reason | None:
    if group.firing and previous.firing and group.severity > previous.severity:
        return Reason.SEVERITY_RAISED
    if group.is_flapping and not previous.was_flapping:
        return Reason.FLAPPING
    if previous.was_flapping and not group.is_flapping and (group.firing or _may_end(group)):
        return Reason.STOPPED_FLAPPING
    if group.firing - previous.firing - group.flapping:
        return Reason.NEW_ALERTS
    return _resolved(previous, group)


def _resolved(previous: Told, group: Situation) -> Reason | None:
    if not group.send_resolved:
        return None
    if not group.firing:
        if not previous.firing:
            return None
        if _may_end(group):
            return Reason.ALL_RESOLVED
    new = group.resolved - previous.resolved - group.flapping
    return Reason.RESOLVED if new else None


def _may_end(group: Situation) -> bool:
    """Whether "all is over" would be true: no muted alert still fires and none is about to come back."""
    return group.send_resolved and not group.muted_count and not group.flapping


def _quiet(previous: Told | None, group: Situation) -> NotReason:
    if group.muted_count:
        return NotReason.MUTED
    if previous is None:
        return NotReason.NOTHING_FIRING
    if group.is_flapping:
        return NotReason.STILL_FLAPPING
    if previous.firing and not group.send_resolved:
        return NotReason.RESOLVED_NOT_WANTED
    return NotReason.ALREADY_TOLD


def _repeat(previous: Told, group: Situation, now: datetime) -> Outcome:
    if group.is_acknowledged:
        return Outcome(None, NotReason.ACKNOWLEDGED)
    if group.repeat_interval is None:
        return Outcome(None, NotReason.STILL_FLAPPING if group.is_flapping else NotReason.ALREADY_TOLD)
    due = previous.told_at + group.repeat_interval
    if now >= due:
        return Outcome(Reason.REPEAT)
    return Outcome(None, NotReason.STILL_FLAPPING if group.is_flapping else NotReason.REPEAT_NOT_DUE, due)
