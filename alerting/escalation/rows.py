"""Escalations as the engine handles them: read and written many at once."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection

from alerting import timers
from alerting.escalation.plan import Plan, read_plan
from alerting.models import EscalationState, Timer
from alerting.rows import as_json, execute, fetch
from channels.delivery import ending
from channels.models import DeliveryState
from tenants.context import current_tenant_id

_decode: Final = msgspec.json.Decoder().decode

_READ: Final = """
SELECT id, group_id, policy_id, plan, state, severity, run, step, due_at, remaining, started_at
FROM escalation WHERE tenant_id = %s AND state <> 'ended' AND {column} = ANY(%s::uuid[]) ORDER BY id
"""
_WRITE: Final = """
INSERT INTO escalation (id, tenant_id, group_id, policy_id, plan, state, reason, severity, run, step, due_at, remaining,
                        started_at, ended_at)
SELECT id, %s, group_id, policy_id, plan, state, reason, severity, run, step, due_at,
       remaining * interval '1 second', started_at,
       CASE WHEN state = 'ended' THEN statement_timestamp() END
FROM json_to_recordset(%s::json) AS e (id uuid, group_id uuid, policy_id uuid, plan jsonb, state text, reason text,
    severity smallint, run int, step int, due_at timestamptz, remaining float8, started_at timestamptz)
ON CONFLICT (id) DO UPDATE SET plan = excluded.plan, state = excluded.state, reason = excluded.reason,
    severity = excluded.severity, run = excluded.run, step = excluded.step, due_at = excluded.due_at,
    remaining = excluded.remaining, ended_at = excluded.ended_at, started_at = excluded.started_at
"""
_NO_MORE: Final = """
UPDATE escalation_notice SET state = 'cancelled'
WHERE tenant_id = %s AND escalation_id = ANY(%s::uuid[]) AND state = 'waiting'
"""
_WAITING_DELIVERIES: Final = """
SELECT q.delivery_id FROM escalation_notice n
JOIN delivery_queue q ON q.delivery_id = n.delivery_id AND q.tenant_id = n.tenant_id
WHERE n.tenant_id = %s AND n.escalation_id = ANY(%s::uuid[]) AND n.state = 'sent' AND q.state = 'pending'
ORDER BY q.delivery_id FOR UPDATE OF q
"""


class Running(msgspec.Struct, kw_only=True):
    """One policy at work for one group."""

    id: UUID
    group_id: UUID
    policy_id: UUID
    plan: Plan
    severity: int
    started_at: datetime
    state: str = EscalationState.RUNNING.value
    reason: str = ""
    run: int = 1
    step: int = 0
    due_at: datetime | None = None
    remaining: timedelta | None = None

    def hold(self, state: EscalationState, now: datetime) -> None:
        """Stop, and keep how long the next step would have taken; an acknowledgement may run out."""
        if self.state == EscalationState.RUNNING and self.due_at is not None:
            self.remaining = max(self.due_at - now, timedelta(0))
        self.state = state.value
        timeout = self.plan.acknowledge_timeout
        lasts = state is EscalationState.ACKNOWLEDGED and timeout is not None
        self.due_at = now + timedelta(seconds=timeout or 0) if lasts else None

    def resume(self, now: datetime, *, again: bool = False) -> None:
        """Go on with the next step; when there is none, or `again` is asked for, with the last one, at once."""
        if again or self.step >= self.plan.count:
            self.step = max(min(self.step, self.plan.count) - 1, 0)
            self.remaining = None
        self.state = EscalationState.RUNNING.value
        self.due_at = now + (self.remaining or timedelta(0))
        self.remaining = None

    def restart(self, severity: int, now: datetime) -> None:
        """Begin anew with the first step."""
        self.severity, self.run, self.step, self.remaining = severity, self.run + 1, 0, None
        self.state = EscalationState.RUNNING.value
        self.due_at = now + self.plan.wait(0)

    def end(self, reason: str) -> None:
        """It is over."""
        self.state, self.reason, self.due_at, self.remaining = EscalationState.ENDED.value, reason, None, None


def of_groups(ids: Iterable[UUID]) -> list[Running]:
    """The open escalations of groups."""
    return _read("group_id", ids)


def by_id(ids: Iterable[UUID]) -> list[Running]:
    """These escalations, without those that ended."""
    return _read("id", ids)


def _read(column: str, ids: Iterable[UUID]) -> list[Running]:
    array = "{" + ",".join(map(str, ids)) + "}"
    return [
        Running(
            id=row[0],
            group_id=row[1],
            policy_id=row[2],
            plan=read_plan(_decode(row[3]) if isinstance(row[3], str) else row[3]),
            state=row[4],
            severity=row[5],
            run=row[6],
            step=row[7],
            due_at=row[8],
            remaining=row[9],
            started_at=row[10],
        )
        for row in fetch(_READ.format(column=column), [current_tenant_id(), array])
    ]


def write(changed: Sequence[Running]) -> None:
    """Store escalations, new and known ones alike, in one statement."""
    if changed:
        execute(_WRITE, [current_tenant_id(), as_json([_plain(one) for one in changed])])


def _plain(one: Running) -> dict[str, Any]:
    plain = msgspec.structs.asdict(one)
    plain["remaining"] = None if one.remaining is None else one.remaining.total_seconds()
    return plain


def set_timers(due: Iterable[tuple[UUID, datetime | None]]) -> None:
    """Set when each escalation is looked at next."""
    timers.reset([(str(one), at) for one, at in due], Timer.Kind.ESCALATION)


def stop_telling(stopped: Sequence[Running], reason: str) -> None:
    """Cancel what these escalations would still tell; deliveries first, as the order of locks demands."""
    if not stopped:
        return
    tenant_id = current_tenant_id()
    ids = "{" + ",".join(str(one.id) for one in stopped) + "}"
    with connection.cursor() as cursor:
        cursor.execute(_WAITING_DELIVERIES, [tenant_id, ids])
        waiting = [row[0] for row in cursor.fetchall()]
    ending.end(waiting, DeliveryState.CANCELLED, reason)
    set_timers((one.id, one.due_at) for one in stopped)
    execute(_NO_MORE, [tenant_id, ids])
