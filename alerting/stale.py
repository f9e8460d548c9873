"""Alerts that nobody ends: resolved when their sender has been silent too long, or at the end it promised."""

from collections import Counter
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from alerting import timeline, timers, wakeup
from alerting.configuration import compiled
from alerting.exclusive import take_turn
from alerting.models import AlertingPolicy
from alerting.rows import as_json, execute, fetch
from alerting.timeline import Event, Kind, Why
from tenants.context import current_tenant_id, tenant_context
from tenants.models import Tenant

#: Resolved in one transaction; what is left is done in the next.
MAX_ALERTS: Final = 5_000

# An end that the sender promised counts in place of the tenant's time-out: that is how it says "not so soon".
_IS_OVER: Final = """
tenant_id = %s AND status = 'firing'
AND CASE WHEN ends_at IS NULL THEN last_seen_at <= statement_timestamp() - %s ELSE ends_at <= statement_timestamp() END
"""
_FIND: Final = f"SELECT EXISTS (SELECT 1 FROM alert WHERE {_IS_OVER})"  # noqa: S608 - a constant of this module
_RESOLVE: Final = f"""
UPDATE alert a SET status = 'resolved', changed_at = statement_timestamp(), muted_by = NULL,
    resolved_at = coalesce(a.ends_at, statement_timestamp()),
    resolved_because = CASE WHEN a.ends_at IS NULL THEN 'stale' ELSE 'ended' END
FROM (SELECT id FROM alert WHERE {_IS_OVER} LIMIT %s) AS over
WHERE a.tenant_id = %s AND a.id = over.id
RETURNING a.id, a.group_id, a.resolved_because, a.is_inhibitor
"""  # noqa: S608 - a constant of this module
_COUNT: Final = """
UPDATE alert_group g SET firing_count = g.firing_count - r.ended, changed_at = statement_timestamp(),
    version = g.version + 1,
    severity = coalesce((SELECT max(a.severity) FROM alert a
                         WHERE a.tenant_id = g.tenant_id AND a.group_id = g.id AND a.status = 'firing'), g.severity)
FROM json_to_recordset(%s::json) AS r (id uuid, ended int)
WHERE mod(r.ended, 1) = 0 AND g.tenant_id = %s AND g.id = r.id AND g.status <> 'resolved'
"""


def resolve_all_stale() -> int:
    """Resolve what is over in every active tenant; return how many alerts that were."""
    total = 0
    for tenant_id in Tenant.objects.filter(is_active=True).values_list("id", flat=True):
        total += resolve_stale(tenant_id)
    return total


def resolve_stale(tenant_id: UUID) -> int:
    """Resolve the tenant's alerts that are over; their groups are looked at again at once."""
    total = 0
    while ended := _resolve_some(tenant_id):
        total += ended
        wakeup.ring(wakeup.GROUPS, tenant_id)
        if ended < MAX_ALERTS:
            break
    return total


def _resolve_some(tenant_id: UUID) -> int:
    with tenant_context(tenant_id):
        if not fetch(_FIND, [tenant_id, _stale_after()])[0][0]:
            return 0
        moment = take_turn(tenant_id)
        stale_after = compiled(moment).stale_after
        ended = fetch(_RESOLVE, [tenant_id, stale_after, MAX_ALERTS, tenant_id])
        _settle_groups(ended)
        timeline.record(
            [
                Event(
                    kind=Kind.RESOLVED,
                    group_id=group_id,
                    alert_id=alert_id,
                    reason=Why.STALE if because == "stale" else Why.ENDED,
                    data={"silent_for": str(stale_after)} if because == "stale" else None,
                )
                for alert_id, group_id, because, _is_inhibitor in ended
            ]
        )
        if any(is_inhibitor for *_rest, is_inhibitor in ended):
            timers.look_at_inhibited()
        # Nobody was waiting for these, so there is nothing to wait for either.
        timers.bring_forward([(str(group_id), moment.now) for group_id in _groups(ended)])
    return len(ended)


def _settle_groups(ended: list[tuple[Any, ...]]) -> None:
    rows = [{"id": group_id, "ended": count} for group_id, count in _groups(ended).items()]
    if rows:
        execute(_COUNT, [as_json(rows), current_tenant_id()])


def _groups(ended: list[tuple[Any, ...]]) -> Counter[UUID]:
    return Counter(group_id for _alert_id, group_id, *_rest in ended if group_id is not None)


def _stale_after() -> timedelta:
    policy = AlertingPolicy._default_manager.only("stale_after").first() or AlertingPolicy()
    return policy.stale_after
