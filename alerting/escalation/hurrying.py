"""What a message that reached nobody means for escalations: the next call comes at once."""

from typing import Final
from uuid import UUID

from alerting.rows import fetch
from alerting.severity import Severity
from tenants.context import current_tenant_id

# The engine calls this while it holds deliveries, so it must not wait for the tenant's turn: it writes timers first,
# then escalations and notices, in the order everybody else does. Somebody of whom a later notice waits is told next;
# otherwise the next level is called. A critical message of another kind hurries what runs for its group.
_HURRY: Final = """
WITH failed AS (
    SELECT d.id, d.source_id, d.kind FROM delivery d WHERE d.tenant_id = %(tenant)s AND d.id = ANY(%(ids)s::uuid[])
), mine AS (
    SELECT e.id, n.person_id, n.id AS notice_id FROM failed f
    JOIN escalation_notice n ON n.tenant_id = %(tenant)s AND n.delivery_id = f.id
    JOIN escalation e ON e.tenant_id = n.tenant_id AND e.id = n.escalation_id AND e.state = 'running'
    UNION ALL
    SELECT e.id, NULL, NULL FROM failed f
    JOIN escalation e ON e.tenant_id = %(tenant)s AND e.group_id = f.source_id AND e.state = 'running'
    WHERE f.kind <> 'escalation' AND e.severity >= %(critical)s
), rung AS (
    INSERT INTO timer (tenant_id, kind, object_id, due_at)
    SELECT DISTINCT %(tenant)s::uuid, 'escalation', id, statement_timestamp() FROM mine ORDER BY 3
    ON CONFLICT (tenant_id, kind, object_id) DO UPDATE SET due_at = least(timer.due_at, excluded.due_at)
    RETURNING object_id
)
SELECT m.id, m.person_id FROM mine m JOIN rung r ON r.object_id = m.id
"""
_NEXT_NOTICE: Final = """
UPDATE escalation_notice SET due_at = statement_timestamp() WHERE id IN (
    SELECT id FROM escalation_notice WHERE tenant_id = %s AND escalation_id = %s AND person_id = %s
    AND state = 'waiting' ORDER BY due_at, id LIMIT 1)
RETURNING id
"""
_NEXT_LEVEL: Final = """
UPDATE escalation SET due_at = statement_timestamp()
WHERE tenant_id = %s AND id = %s AND state = 'running' AND due_at IS NOT NULL RETURNING id
"""


def note(tenant_id: UUID, delivery_ids: list[UUID], state: str) -> None:
    """Bring forward what follows these deliveries; called by the delivery engine in the tenant's transaction."""
    values = {
        "tenant": current_tenant_id(),
        "ids": "{" + ",".join(map(str, delivery_ids)) + "}",
        "critical": int(Severity.CRITICAL),
    }
    hurried = fetch(_HURRY, values)  # type: ignore[arg-type]  # named parameters
    for escalation_id, person_id in sorted(set(hurried), key=str):
        if person_id is None or not fetch(_NEXT_NOTICE, [tenant_id, escalation_id, person_id]):
            fetch(_NEXT_LEVEL, [tenant_id, escalation_id])
