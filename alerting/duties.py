"""What a wake-up means: do all that waits for one tenant. Called by Celery tasks and by the relay alike."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from alerting import wakeup
from alerting.callbacks.slack_rows import do_due
from alerting.escalation.stepping import step_due
from alerting.notifying import flush_due
from alerting.oncall.handing_over import hand_over_due
from alerting.pipeline.drain import MAX_ALERTS, drain
from channels.delivery.engine import deliver_due

# A transaction costs much the same for few alerts as for many: while work keeps coming, one begins this often.
PACE_SECONDS = 0.15
LARGE_DRAIN = MAX_ALERTS // 2
# How long another worker's drain of the same tenant may need to see what came meanwhile.
LINGER_SECONDS = 0.025
# After this long others get their turn; what is left is announced again.
FAIR_SECONDS = 2.0

_OTHERS = """
SELECT EXISTS (SELECT FROM intake_queue WHERE tenant_id < %s) OR EXISTS (SELECT FROM intake_queue WHERE tenant_id > %s)
"""


def drain_intake(tenant_id: UUID) -> int:
    """Drain a tenant's intake until nothing waits; return the number of alerts."""
    total, end = 0, time.monotonic() + FAIR_SECONDS
    is_last_look = has_waited = False
    while (began := time.monotonic()) < end:
        drained = drain(tenant_id)
        total += drained.alerts
        if drained.due_now:
            flush_groups(tenant_id)
        if drained.is_busy_elsewhere and not total and not has_waited:
            # That drain may be in its last look, begun before the work came that this wake-up is about.
            has_waited = True
            time.sleep(LINGER_SECONDS)
            continue
        if drained.is_busy_elsewhere or (not drained.alerts and is_last_look):
            return total
        if not drained.alerts:
            wakeup.take_bell_down(wakeup.INTAKE, tenant_id)
            is_last_look = True
            continue
        is_last_look = False
        if drained.alerts < LARGE_DRAIN:
            if _others_wait(tenant_id):
                break
            time.sleep(max(0.0, began + PACE_SECONDS - time.monotonic()))
    wakeup.take_bell_down(wakeup.INTAKE, tenant_id)
    wakeup.ring(wakeup.INTAKE, tenant_id)
    return total


def _others_wait(tenant_id: UUID) -> bool:
    """Whether other tenants have intake waiting, who come before more of this one's."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS, [tenant_id, tenant_id])
        return bool(cursor.fetchone()[0])


def flush_groups(tenant_id: UUID) -> int:
    """Tell about a tenant's due groups; return how many were looked at."""
    wakeup.take_bell_down(wakeup.GROUPS, tenant_id)
    total = 0
    while flushed := flush_due(tenant_id):
        total += flushed
    if total:
        wakeup.ring(wakeup.DELIVERIES, tenant_id)
    return total


def escalate(tenant_id: UUID) -> int:
    """Call whom a tenant's escalations and hand-overs call now; return how many were looked at."""
    wakeup.take_bell_down(wakeup.ESCALATIONS, tenant_id)
    total = 0
    for work in (step_due, hand_over_due):
        while done := work(tenant_id):
            total += done
    if total:
        wakeup.ring(wakeup.DELIVERIES, tenant_id)
    return total


def do_slack_acts(tenant_id: UUID) -> int:
    """Do what a tenant's people pressed in Slack and nobody has done; return how many presses there were."""
    wakeup.take_bell_down(wakeup.SLACK_ACTS, tenant_id)
    total = do_due(tenant_id)
    if total:
        wakeup.ring(wakeup.GROUPS, tenant_id)
        wakeup.ring(wakeup.DELIVERIES, tenant_id)
    return total


def deliver(tenant_id: UUID) -> int:
    """Send a tenant's due deliveries; return how many were tried.

    The bell stays up meanwhile, so that a tenant with a slow provider holds one thread and not all of them.
    """
    total, end = 0, time.monotonic() + FAIR_SECONDS
    is_last_look = False
    while time.monotonic() < end:
        tried = deliver_due(tenant_id)
        total += tried
        if not tried:
            if is_last_look:
                return total
            wakeup.take_bell_down(wakeup.DELIVERIES, tenant_id)
        is_last_look = not tried
    wakeup.take_bell_down(wakeup.DELIVERIES, tenant_id)
    wakeup.ring(wakeup.DELIVERIES, tenant_id)
    return total


@dataclass(frozen=True)
class Duty:
    """One kind of work: in which queue table it waits, which task does it, and the function the task calls."""

    name: str
    task: str
    table: str
    due_column: str
    condition: str
    work: Callable[[UUID], int]


DUTIES = (
    Duty("intake", wakeup.INTAKE, "intake_queue", "received_at", "true", drain_intake),
    Duty("groups", wakeup.GROUPS, "timer", "due_at", "kind IN ('group', 'settings')", flush_groups),
    Duty("escalations", wakeup.ESCALATIONS, "timer", "due_at", "kind IN ('escalation', 'hand_over')", escalate),
    Duty("slack_acts", wakeup.SLACK_ACTS, "timer", "due_at", "kind = 'slack_act'", do_slack_acts),
    Duty("deliveries", wakeup.DELIVERIES, "delivery_queue", "next_attempt_at", "state = 'pending'", deliver),
)
TENANTS_A_ROUND = 200


# Walks the index from tenant to tenant: its cost grows with the tenants that wait, not with the rows.
_WAITING = """
WITH RECURSIVE waiting AS (
    (SELECT tenant_id FROM {table} WHERE {due} ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT q.tenant_id FROM {table} q WHERE q.tenant_id > w.tenant_id AND {due} ORDER BY q.tenant_id LIMIT 1)
    FROM waiting w WHERE w.tenant_id IS NOT NULL
)
SELECT tenant_id FROM waiting WHERE tenant_id IS NOT NULL ORDER BY random() LIMIT %(limit)s
"""


def waiting_tenants(duty: Duty, overdue_by: float = 0) -> list[UUID]:
    """Return tenants whose work of this kind has been due for so many seconds, in no order (fair by chance)."""
    due = f"{duty.due_column} <= clock_timestamp() - %(age)s * interval '1 second' AND {duty.condition}"
    with connection.cursor() as cursor:
        sql = _WAITING.format(table=duty.table, due=due)
        cursor.execute(sql, {"age": overdue_by, "limit": TENANTS_A_ROUND})
        return [row[0] for row in cursor.fetchall()]


def announce_waiting() -> None:
    """Announce all work that is due; what the relay does each second, here once."""
    for duty in DUTIES:
        for tenant_id in waiting_tenants(duty):
            wakeup.announce(duty.task, tenant_id)
