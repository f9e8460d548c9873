"""Refits in the background: what a tenant's alerts are usually like, and what its people act on."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import structlog
from django.db.models.functions import Now

from alerting.models import AlertingPolicy, Scoring, ScoringModel
from alerting.rows import fetch
from tenants.context import current_tenant_id, tenant_context
from tenants.models import Tenant

log = structlog.get_logger(__name__)

#: The latest alerts and groups a fit looks at; enough to know a tenant, few enough for seconds of work.
MAX_ALERTS: Final = 10_000
MAX_GROUPS: Final = 5_000

_decode: Final = msgspec.json.Decoder(dict[str, str]).decode

_ALERTS: Final = """
SELECT labels, severity, first_seen_at FROM alert WHERE tenant_id = %s ORDER BY changed_at DESC, id DESC LIMIT %s
"""
# Somebody did something about it by hand; a silence says that nothing had to be done.
# Groups nobody was told of, and those still open that nobody has touched, say nothing about people.
_GROUPS: Final = """
SELECT g.labels, a.labels, coalesce((a.scores->'urgency'->>'was')::int, a.severity), g.opened_at,
       e.acted AND NOT e.silenced AS acted
FROM (SELECT id, tenant_id, labels, opened_at, status FROM alert_group
      WHERE tenant_id = %s ORDER BY opened_at DESC, id DESC LIMIT %s) AS g
CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(kind = ANY(%s) OR (kind = 'closed' AND actor <> '')), false) AS acted,
           coalesce(bool_or(kind = 'silenced'), false) AS silenced,
           coalesce(bool_or(kind IN ('told', 'escalated')), false) AS told
    FROM timeline_event WHERE tenant_id = g.tenant_id AND group_id = g.id
) AS e
CROSS JOIN LATERAL (
    SELECT labels, severity, scores FROM alert WHERE tenant_id = g.tenant_id AND group_id = g.id
    ORDER BY severity DESC, starts_at, id LIMIT 1
) AS a
WHERE e.acted OR e.silenced OR (e.told AND g.status = 'resolved')
"""
ACTS: Final = ("acknowledged", "assigned", "comment")


def tenants() -> list[UUID]:
    """Return the tenants whose past is worth looking at."""
    return list(Tenant.objects.filter(is_active=True).values_list("pk", flat=True))


def learn(tenant_id: UUID) -> int:
    """Refit one tenant's models from its past; return how many were written. Safe to run twice."""
    time_zone = Tenant.objects.values_list("time_zone", flat=True).get(pk=tenant_id)
    with tenant_context(tenant_id):
        policy = AlertingPolicy._default_manager.first()
        if policy is not None and policy.scoring == Scoring.OFF:
            return 0
        alerts = fetch(_ALERTS, [current_tenant_id(), MAX_ALERTS])
        groups = fetch(_GROUPS, [current_tenant_id(), MAX_GROUPS, list(ACTS)])
    # The fits take seconds: no transaction waits for them.
    models = [*_novelty(alerts), *_urgency(groups, ZoneInfo(time_zone))]
    with tenant_context(tenant_id):
        for kind, data, examples, quality in models:
            ScoringModel._default_manager.update_or_create(
                kind=kind,
                defaults={"data": data, "examples": examples, "quality": quality, "trained_at": Now()},
            )
    if models:
        log.info("scoring learned", tenant_id=str(tenant_id), kinds=[str(kind) for kind, *_rest in models])
    return len(models)


def _novelty(rows: list[tuple[Any, ...]]) -> Iterator[tuple[str, bytes, int, Any]]:
    from alerting.scoring.cases import seen_of
    from alerting.scoring.numerics.novelty import NoveltyModel

    history = [seen_of(_decode(labels), severity, seen_at) for labels, severity, seen_at in rows]
    model = NoveltyModel.learn(history)
    if model is not None:
        yield ScoringModel.Kind.NOVELTY, model.dump(), len(history), None


def _urgency(rows: list[tuple[Any, ...]], zone: ZoneInfo) -> Iterator[tuple[str, bytes, int, Any]]:
    from alerting.scoring.cases import case_of
    from alerting.scoring.numerics.urgency import UrgencyModel

    cases = [
        case_of(_common(_decode(group), _decode(alert)), severity, _local(opened_at, zone), acted=acted)
        for group, alert, severity, opened_at, acted in rows
    ]
    model = UrgencyModel.learn(cases)
    if model.quality is not None:
        yield ScoringModel.Kind.URGENCY, model.dump(), len(cases), msgspec.to_builtins(model.quality)


def _common(group: dict[str, str], alert: dict[str, str]) -> dict[str, str]:
    """The labels of the gravest alert, those the group stands for first."""
    return dict(islice((group | alert).items(), 64))


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone)
