"""Models in the background: new subjects are warmed from their past, old ones now and then fitted anew."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
import structlog
from django.db import connection

from alerting.scoring.numerics.packing import BadModel, unpack
from metrics.judging import changing
from metrics.judging.calendars import Place, calendar_of
from metrics.judging.changing import LearnedChange
from metrics.judging.due import allow_silence, database_time
from metrics.judging.learned import Learned, method_of, open_model
from metrics.judging.past import read_samples
from metrics.judging.rules import Rule, load_rules
from metrics.judging.states import moment
from metrics.judging.subjects import SeriesRow, Subject, read_series
from metrics.models import DetectorState, Kind
from metrics.thresholds.batch import Floats
from metrics.thresholds.conditions import Learns
from tenants.context import current_tenant_id, tenant_context
from tenants.isolation import new_id
from tenants.models import Tenant

log = structlog.get_logger(__name__)

#: How far back a new model looks, and how many points it is shown at most.
HISTORY: Final = 35 * 86_400.0
MOST_POINTS: Final = 50_400
#: Fitted in one transaction; others get their turn in between.
AT_ONCE: Final = 5
#: A forest learns nothing on its way, nor does the season of a watch for changes: both are learned anew once a day.
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
SELECT s.id, s.threshold_id, s.series_id,
    CASE WHEN s.model_kind = 'change' AND rule.method = 'change' THEN s.model END, s.model_until
FROM detector_state s
JOIN unnest(%s::uuid[], %s::text[]) AS rule (id, method) ON rule.id = s.threshold_id
WHERE s.tenant_id = %s AND s.series_id IS NOT NULL AND (
    s.model IS NULL OR s.model_kind <> rule.method
    OR (s.model_kind IN ('forest', 'change') AND s.fitted_at < statement_timestamp() - %s * interval '1 second')
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
        rules = {rule.id: rule for rule in load_rules(["adaptive", "change"])}
        if not rules:
            return 0
        with connection.cursor() as cursor:
            methods = [method_of(rule.condition) for rule in rules.values() if isinstance(rule.condition, Learns)]
            cursor.execute(_WAITING, [[str(pk) for pk in rules], methods, str(tenant_id), REGROW_AFTER, limit])
            waiting = cursor.fetchall()
        if not waiting:
            return 0
        allow_silence()
        place, now = calendar_of(), database_time()
        series = {row.id: row for row in _series([row[2] for row in waiting])}
        for pk, threshold_id, series_id, dump, until in waiting:
            old = (bytes(dump), until.timestamp()) if dump is not None else None
            fit(pk, rules[threshold_id], series[series_id], place, now, old)
        return len(waiting)


def _series(ids: Sequence[UUID]) -> list[SeriesRow]:
    from metrics.models import Series

    numbers = Series._default_manager.filter(pk__in=list(ids)).values_list("number", flat=True)
    return read_series(numbers=list(numbers))


def fit(
    state_id: UUID, rule: Rule, series: SeriesRow, place: Place, now: float, old: tuple[bytes, float] | None = None
) -> None:
    """Warm a model on the past of its series and store it; what comes from now on is judged by it.

    The past is taken up to a little before now, so that the first judged samples are those that wait already. An old
    model that only learns its season anew stays where it stood, and follows what came since as if it had been away.
    """
    if not isinstance(rule.condition, Learns):
        raise TypeError("only thresholds that learn have models of one series")
    dump, until = _usable(old)
    model = open_model(
        rule.condition, rule.adjustment, dump, calendar=place.calendar, country=place.country,
        is_counter=series.kind == Kind.COUNTER,
    )  # fmt: skip
    at, values = read_samples([series.number], now - HISTORY, now).get(series.number, (np.empty(0), np.empty(0)))
    at, values = at[-MOST_POINTS:], values[-MOST_POINTS:]
    if len(at):
        _learn(model, at, values, is_new=dump is None)
    if dump is None:
        until = float(at[-1]) if len(at) else now
    DetectorState._default_manager.filter(pk=state_id).update(
        model=model.dump(), model_kind=model.kind, model_until=moment(until), fitted_at=moment(now)
    )


def _usable(old: tuple[bytes, float] | None) -> tuple[bytes | None, float]:
    """An old model that can be read; one of an older version begins anew."""
    if old is None:
        return None, 0.0
    try:
        unpack(old[0], changing.NAME, changing.VERSION)
    except BadModel:
        return None, 0.0
    return old


def _learn(model: Learned, at: Floats, values: Floats, *, is_new: bool) -> None:
    if isinstance(model, LearnedChange):
        (changing.warm if is_new else changing.renew)(model, at, values)
        return
    model.follow(at, values)
    model.settle()
