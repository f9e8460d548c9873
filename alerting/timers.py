"""Timers of groups: rows that say when a group must be looked at next. Only the database's clock decides."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from alerting.models import Timer
from alerting.rows import as_json, execute, fetch
from tenants.context import current_tenant_id

#: The timers that the flush deals with; the others have workers of their own.
OF_GROUPS: Final = (Timer.Kind.GROUP.value, Timer.Kind.SETTINGS.value)

_BRING_FORWARD: Final = """
WITH wanted AS (SELECT (w->>0)::uuid AS id, (w->>1)::timestamptz AS due FROM json_array_elements(%s::json) w),
written AS (
    INSERT INTO timer (tenant_id, kind, object_id, due_at)
    SELECT %s, 'group', id, due FROM wanted ORDER BY id
    ON CONFLICT (tenant_id, kind, object_id) DO UPDATE SET due_at = least(timer.due_at, excluded.due_at)
    RETURNING due_at
)
SELECT coalesce(bool_or(due_at <= statement_timestamp()), false) FROM written
"""
_SET: Final = """
WITH wanted AS (SELECT (w->>0)::uuid AS id, (w->>1)::timestamptz AS due FROM json_array_elements(%s::json) w),
gone AS (DELETE FROM timer t USING wanted w
         WHERE t.tenant_id = %s AND t.kind = %s AND t.object_id = w.id AND w.due IS NULL)
INSERT INTO timer (tenant_id, kind, object_id, due_at)
SELECT %s, %s, id, due FROM wanted WHERE due IS NOT NULL ORDER BY id
ON CONFLICT (tenant_id, kind, object_id) DO UPDATE SET due_at = excluded.due_at
"""
_CLAIM: Final = """
SELECT kind, object_id FROM timer WHERE tenant_id = %s AND kind = ANY(%s) AND due_at <= %s
ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
# Of the timers that are due, as many as hold so many firing alerts together, at least one.
_CLAIM_GROUPS: Final = f"""
WITH due AS MATERIALIZED ({_CLAIM})
SELECT kind, object_id FROM (
    SELECT due.*, sum(coalesce(g.firing_count, 0)) OVER (ROWS UNBOUNDED PRECEDING)
                  - coalesce(g.firing_count, 0) AS before
    FROM due LEFT JOIN alert_group g ON g.tenant_id = %s AND g.id = due.object_id
) AS counted WHERE before < %s
"""  # noqa: S608 - constants of this module
_ALL_OPEN: Final = """
INSERT INTO timer (tenant_id, kind, object_id, due_at)
SELECT tenant_id, 'group', id, statement_timestamp() FROM alert_group
WHERE tenant_id = %s AND status <> 'resolved' AND flushed_at IS NOT NULL ORDER BY id
ON CONFLICT (tenant_id, kind, object_id) DO UPDATE SET due_at = least(timer.due_at, excluded.due_at)
"""
_INHIBITED: Final = """
INSERT INTO timer (tenant_id, kind, object_id, due_at)
SELECT DISTINCT tenant_id, 'group', group_id, statement_timestamp() FROM alert
WHERE tenant_id = %s AND muted_by IS NOT NULL AND group_id IS NOT NULL AND muted_by @> '[{"kind": "inhibition"}]'
ORDER BY group_id
ON CONFLICT (tenant_id, kind, object_id) DO UPDATE SET due_at = least(timer.due_at, excluded.due_at)
"""


def bring_forward(due: Iterable[tuple[str, datetime]]) -> bool:
    """See to it that each group is looked at no later than its time; say whether one is due already."""
    rows = list(due)
    if not rows:
        return False
    return bool(fetch(_BRING_FORWARD, [as_json(rows), current_tenant_id()])[0][0])


def reset(due: Iterable[tuple[str, datetime | None]], kind: Timer.Kind = Timer.Kind.GROUP) -> None:
    """Set the next time of each group, or of what else the kind says; None takes its timer away."""
    rows = list(due)
    if rows:
        tenant_id = current_tenant_id()
        execute(_SET, [as_json(rows), tenant_id, kind.value, tenant_id, kind.value])


def claim_due(now: datetime, limit: int, kinds: Sequence[str]) -> list[tuple[str, UUID]]:
    """Hold the tenant's timers of these kinds that are due, longest overdue first, until the transaction ends."""
    rows = fetch(_CLAIM, [current_tenant_id(), list(kinds), now, limit])
    return [(kind, object_id) for kind, object_id in rows]


def claim_groups(now: datetime, limit: int, alerts: int) -> list[tuple[str, UUID]]:
    """Hold timers of groups that are due, as `claim_due` does; no more than have about so many alerts firing."""
    tenant_id = current_tenant_id()
    rows = fetch(_CLAIM_GROUPS, [tenant_id, list(OF_GROUPS), now, limit, tenant_id, alerts])
    return [(kind, object_id) for kind, object_id in rows]


def settle_settings() -> None:
    """A change of configuration has been taken in: look at every open group that was looked at before."""
    tenant_id = current_tenant_id()
    execute("DELETE FROM timer WHERE tenant_id = %s AND kind = %s", [tenant_id, Timer.Kind.SETTINGS])
    execute(_ALL_OPEN, [tenant_id])


def look_at_inhibited() -> None:
    """An alert that inhibits is over: look at the groups it may have kept quiet."""
    execute(_INHIBITED, [current_tenant_id()])
