"""Models in the background: new subjects are warmed from their past, old ones now and then fitted anew."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import connection

from metrics.judging.calendars import Place, calendar_of
from metrics.judging.due import database_time
from metrics.judging.learned import open_model
from metrics.judging.past import read_samples
from metrics.judging.rules import Rule, load_rules
from metrics.judging.states import moment
from metrics.judging.subjects import SeriesRow, Subject, read_series
from metrics.models import DetectorState
from metrics.thresholds.conditions import Adaptive
from tenants.context import current_tenant_id, tenant_context
from tenants.isolation import new_id
from tenants.models import Tenant

log = structlog.get_logger(__name__)

#: How far back a new model looks, and how many points it is shown at most.
HISTORY: Final = 35 * 86_400.0
MOST_POINTS: Final = 50_400
#: Fitted in one transaction; others get their turn in between.
AT_ONCE: Final = 5
#: A forest learns nothing on its way: it grows anew once a day.
REGROW_AFTER: Final = 86_400.0
FAIR_SECONDS: Final = 5.0
ROUND_SECONDS: Final = 30.0

_ENROL: Final = """
INSERT INTO detector_state (id, tenant_id, threshold_id, subject, series_id)
SELECT new.id, %s, new.threshold_id, new.subject, new.series_id
FROM unnest(%s::uuid[], %s::uuid[], %s::bytea[], %s::uuid[]) AS new (id, threshold_id, subject, series_id)
ON CONFLICT (tenant_id, threshold_id, subject) DO NOTHING
"""
_WAITING: Final = """
SELECT s.id, s.threshold_id, s.series_id FROM detector_state s
JOIN unnest(%s::uuid[], %s::text[]) AS rule (id, method) ON rule.id = s.threshold_id
WHERE s.tenant_id = %s AND s.series_id IS NOT NULL AND (
    s.model IS NULL OR s.model_kind <> rule.method
    OR (s.model_kind = 'forest' AND s.fitted_at < statement_timestamp() - %s * interval '1 second')
)
ORDER BY s.id LIMIT %s FOR UPDATE OF s SKIP LOCKED
"""


def enrol(subjects: Sequence[Subject]) -> None:
    """Put subjects down that have no model yet."""
    if not subjects:
        return
    params: list[Any] = [
        str(current_tenant_id()),
        [str(new_id()) for _one in subjects],
        [str(one.rule.id) for one in subjects],
        [one.key for one in subjects],
        [str(one.series[0].id) for one in subjects],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ENROL, params)


def fit_all() -> int:
    """Fit what waits in every active tenant, each for a fair while; return how many models that were."""
    total, last = 0, time.monotonic() + ROUND_SECONDS
    for tenant_id in Tenant.objects.filter(is_active=True).order_by("?").values_list("id", flat=True):
        end = min(last, time.monotonic() + FAIR_SECONDS)
        while time.monotonic() < end and (done := fit_some(tenant_id)):
            total += done
    return total


def fit_some(tenant_id: UUID, limit: int = AT_ONCE) -> int:
    """Fit some of a tenant's subjects that wait for a model; return how many."""
    with tenant_context(tenant_id):
        rules = {rule.id: rule for rule in load_rules(["adaptive"]) if isinstance(rule.condition, Adaptive)}
        if not rules:
            return 0
        with connection.cursor() as cursor:
            methods = [rule.condition.method for rule in rules.values() if isinstance(rule.condition, Adaptive)]
            cursor.execute(_WAITING, [[str(pk) for pk in rules], methods, str(tenant_id), REGROW_AFTER, limit])
            waiting = cursor.fetchall()
        if not waiting:
            return 0
        place, now = calendar_of(), database_time()
        series = {row.id: row for row in _series([row[2] for row in waiting])}
        for pk, threshold_id, series_id in waiting:
            fit(pk, rules[threshold_id], series[series_id], place, now)
        return len(waiting)


def _series(ids: Sequence[UUID]) -> list[SeriesRow]:
    from metrics.models import Series

    numbers = Series._default_manager.filter(pk__in=list(ids)).values_list("number", flat=True)
    return read_series(numbers=list(numbers))


def fit(state_id: UUID, rule: Rule, series: SeriesRow, place: Place, now: float) -> None:
    """Warm a model on the past of its series and store it; what comes from now on is judged by it.

    The past is taken up to a little before now, so that the first judged samples are those that wait already.
    """
    if not isinstance(rule.condition, Adaptive):
        raise TypeError("only adaptive thresholds have models")
    model = open_model(rule.condition, rule.adjustment, None, calendar=place.calendar, country=place.country)
    at, values = read_samples([series.number], now - HISTORY, now).get(series.number, (None, None))
    until = now
    if at is not None and values is not None:
        at, values = at[-MOST_POINTS:], values[-MOST_POINTS:]
        model.follow(at, values)
        model.settle()
        until = float(at[-1])
    DetectorState._default_manager.filter(pk=state_id).update(
        model=model.dump(), model_kind=model.kind, model_until=moment(until), fitted_at=moment(now)
    )
