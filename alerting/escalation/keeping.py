"""What an act of a person means for a group's escalations: held, gone on with, ended.

Called inside the act's transaction, in the tenant's turn.
"""

from datetime import datetime
from uuid import UUID

from alerting import timeline
from alerting.escalation import rows
from alerting.models import EscalationState
from alerting.timeline import Event, Kind, Why


def acknowledged(group_id: UUID, now: datetime) -> None:
    """Somebody works on it: nobody else is called, until the acknowledgement ends."""
    found = [one for one in rows.of_groups([group_id]) if one.state != EscalationState.ACKNOWLEDGED]
    for one in found:
        one.hold(EscalationState.ACKNOWLEDGED, now)
    rows.stop_telling(found, "acknowledged")
    rows.write(found)
    timeline.record(
        [
            Event(
                kind=Kind.ESCALATION_HELD,
                group_id=group_id,
                reason=Why.IS_ACKNOWLEDGED,
                data={"policy": one.plan.name, "until": one.due_at.isoformat() if one.due_at else None},
            )
            for one in found
        ]
    )


def unacknowledged(group_id: UUID, now: datetime, *, timed_out: bool = False) -> None:
    """Nobody works on it any more: go on where it was held, or call the last level again when time ran out."""
    found = [one for one in rows.of_groups([group_id]) if one.state == EscalationState.ACKNOWLEDGED]
    for one in found:
        one.resume(now, again=timed_out)
    rows.set_timers((one.id, one.due_at) for one in found)
    rows.write(found)
    why = Why.TIMED_OUT if timed_out else ""
    timeline.record(
        [
            Event(kind=Kind.ESCALATION_RESUMED, group_id=group_id, reason=why, data={"policy": one.plan.name})
            for one in found
        ]
    )


def resolved(group_id: UUID) -> None:
    """It is over: nobody is called any more."""
    found = rows.of_groups([group_id])
    for one in found:
        one.end(Why.GROUP_OVER)
    rows.stop_telling(found, "resolved")
    rows.write(found)
    timeline.record(
        [
            Event(kind=Kind.ESCALATION_ENDED, group_id=group_id, reason=Why.GROUP_OVER, data={"policy": one.plan.name})
            for one in found
        ]
    )
