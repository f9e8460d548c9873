"""Takes the steps of escalations that are due: one transaction, a fixed number of statements for many groups.

A step is fenced three ways: the tenant's turn, its timer held FOR UPDATE SKIP LOCKED, and the state that is read
after both. Deliveries are written in the same transaction, so a step is taken wholly or not at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from alerting import lifecycle, timeline, timers
from alerting.configuration import compiled
from alerting.due_groups import DueGroup, read_groups
from alerting.escalation import confirming, notices, rows
from alerting.escalation.calling import Caller
from alerting.escalation.reaching import open_book
from alerting.escalation.rows import Running
from alerting.exclusive import Moment, take_turn
from alerting.models import EscalationState, GroupStatus, Timer
from alerting.timeline import Event, Kind, Why
from tenants.context import tenant_context
from tenants.principal import system

MAX_STEPS: Final = 200
WHO: Final = "escalation"


def step_due(tenant_id: UUID, limit: int = MAX_STEPS) -> int:
    """Take the tenant's steps that are due, at most `limit`; return how many timers were dealt with."""
    with tenant_context(tenant_id):
        moment = take_turn(tenant_id)
        claimed = timers.claim_due(moment.now, limit, [Timer.Kind.ESCALATION])
        if claimed:
            _step([object_id for _kind, object_id in claimed], moment)
    return len(claimed)


def _step(ids: Sequence[UUID], moment: Moment) -> None:
    confirming.hurry_unconfirmed(ids)
    known = {one.id: one for one in rows.by_id(ids)}
    groups = {group.id: group for group in read_groups(sorted({one.group_id for one in known.values()}))}
    over, held, active = _sort(known.values(), groups)
    _end(over)
    _take_back(held, moment)
    # A timer without an escalation that could use it is of no use.
    useless = {one for one in ids if one not in known or known[one].state == EscalationState.MUTED}
    rows.set_timers((one, None) for one in useless)
    if active:
        _call(active, groups, moment)


def _sort(
    known: Iterable[Running], groups: Mapping[UUID, DueGroup]
) -> tuple[list[Running], list[Running], list[Running]]:
    """Part them: whose group is over, whose acknowledgement ran out, and those that call."""
    over: list[Running] = []
    held: list[Running] = []
    active: list[Running] = []
    for one in known:
        group = groups.get(one.group_id)
        if group is None or group.status == GroupStatus.RESOLVED:
            over.append(one)
        elif group.status == GroupStatus.ACKNOWLEDGED:
            held.append(one)
        elif one.state != EscalationState.MUTED:
            active.append(one)
    return over, held, active


def _end(over: Sequence[Running]) -> None:
    for one in over:
        one.end(Why.GROUP_OVER)
    rows.stop_telling(over, "resolved")
    rows.write(over)
    timeline.record(
        [
            Event(
                kind=Kind.ESCALATION_ENDED,
                group_id=one.group_id,
                reason=Why.GROUP_OVER,
                data={"policy": one.plan.name},
            )
            for one in over
        ]
    )


def _take_back(held: Sequence[Running], moment: Moment) -> None:
    """End acknowledgements that ran out; what is held without an end only loses its timer."""
    expired = {one.group_id for one in held if one.state == EscalationState.ACKNOWLEDGED and one.due_at}
    for group_id in sorted(expired):
        lifecycle.unacknowledge(system(moment.tenant_id, WHO), group_id, timed_out=True)
    rows.set_timers((one.id, None) for one in held if one.group_id not in expired)


def _call(active: Sequence[Running], groups: Mapping[UUID, DueGroup], moment: Moment) -> None:
    configuration = compiled(moment)
    book = open_book([level for one in active for level in one.plan.levels], configuration, moment.now)
    waiting = notices.read_waiting([one.id for one in active])
    caller = Caller(book, moment, groups, configuration.windows)
    due = [(one.id, caller.take(one, waiting.get(one.id, []))) for one in active]
    caller.write()
    rows.set_timers(due)
    rows.write(active)
    notices.write(caller.notices)
    timeline.record(caller.events)
