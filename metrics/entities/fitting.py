"""Models of entities in the background: one tenant a task, from two weeks of history, and again every few hours."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import connection

from alerting import wakeup
from metrics.entities.grid import Piece
from metrics.entities.model import EntityModel, TooLittle
from metrics.entities.stored import KIND, TOO_LITTLE
from metrics.judging.calendars import calendar_of
from metrics.judging.due import ALIVE, database_time
from metrics.judging.rules import load_rules
from metrics.judging.states import Known, moment, read_states
from metrics.judging.subjects import Subject, read_series, subjects_of
from metrics.models import Kind
from metrics.seasons import Calendar
from metrics.storage import reading
from metrics.thresholds.conditions import Entity
from tenants.context import current_tenant_id, tenant_context
from tenants.isolation import new_id
from tenants.models import Tenant

log = structlog.get_logger(__name__)

FIT: Final = "metrics.tasks.fit_entities_of"
#: Advisory locks of the service: judging has 7412.
FIT_SPACE: Final = 7_413
HISTORY: Final = 14 * 86_400.0
#: A model is fitted anew when it is so old; one that lacked history is tried again sooner.
REFIT_AFTER: Final = 6 * 3_600.0
RETRY_AFTER: Final = 900.0
#: One tenant's task ends after so long; what is left is taken up by the next.
FAIR_SECONDS: Final = 60.0
NEVER: Final = Known()

_TURN: Final = "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))"
_WRITE: Final = """
INSERT INTO detector_state (id, tenant_id, threshold_id, subject, model, model_kind, model_until, fitted_at)
SELECT %s, t.tenant_id, t.id, %s, %s, %s, %s, %s FROM threshold t WHERE t.tenant_id = %s AND t.id = %s
ON CONFLICT (tenant_id, threshold_id, subject) DO UPDATE
SET model = excluded.model, model_kind = excluded.model_kind, model_until = excluded.model_until,
    fitted_at = excluded.fitted_at
"""


def announce_all() -> int:
    """Wake a task for each active tenant that judges entities; return how many."""
    announced = 0
    for tenant_id in Tenant.objects.filter(is_active=True).order_by("?").values_list("id", flat=True):
        with tenant_context(tenant_id):
            wants = bool(load_rules(["entity"]))
        if wants:
            announced += wakeup.announce(FIT, tenant_id)
    return announced


def fit_tenant(tenant_id: UUID) -> int:
    """Fit a tenant's entities that have no model or an old one, for a fair while; return how many."""
    wakeup.take_bell_down(FIT, tenant_id)
    end, total = time.monotonic() + FAIR_SECONDS, 0
    while time.monotonic() < end and fit_next(tenant_id):
        total += 1
    return total


def fit_next(tenant_id: UUID) -> bool:
    """Fit the entity that has waited longest, in one transaction; False when none waits or another process does it."""
    with tenant_context(tenant_id):
        if not _take_turn(tenant_id):
            return False
        now = database_time()
        waiting = _waiting(now)
        if not waiting:
            return False
        fit(waiting[0], calendar_of().calendar, now)
        return True


def _take_turn(tenant_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_TURN, [FIT_SPACE, str(tenant_id)])
        return bool(cursor.fetchone()[0])


def _waiting(now: float) -> list[Subject]:
    """Entities to be fitted: those never looked at first, then the oldest."""
    rules = load_rules(["entity"])
    if not rules:
        return []
    rows = read_series(metrics={metric for rule in rules for metric in rule.metrics})
    alive = {row.number: 0.0 for row in rows if row.last_at is not None and now - row.last_at.timestamp() < ALIVE}
    subjects = subjects_of(rules, alive, [row for row in rows if row.number in alive])
    states = read_states(subject.identity for subject in subjects)
    ages = {one.identity: _age(states.get(one.identity, NEVER), now) for one in subjects}
    due = [one for one in subjects if ages[one.identity] > _patience(states.get(one.identity, NEVER))]
    return sorted(due, key=lambda one: -ages[one.identity])


def _age(known: Known, now: float) -> float:
    return now - known.fitted_at.timestamp() if known.fitted_at is not None and known.model_kind else float("inf")


def _patience(known: Known) -> float:
    return RETRY_AFTER if known.model_kind == TOO_LITTLE else REFIT_AFTER


def fit(subject: Subject, calendar: Calendar, now: float) -> None:
    """Learn what is usual for an entity and store it; or store that there is too little to learn from."""
    condition = subject.rule.condition
    if not isinstance(condition, Entity):
        raise TypeError("only entities have models of several metrics")
    pieces = _history(subject, now)
    # The last steps may still be waiting for samples.
    until = max((float(piece.at[-1]) for piece in pieces if len(piece.at)), default=now) // condition.step - 1
    until *= condition.step
    try:
        model = EntityModel.fit(pieces, now - HISTORY, until, float(condition.step), calendar)
    except TooLittle as reason:
        log.info("entity has too little history", threshold=str(subject.rule.id), reason=str(reason))
        _store(subject, None, TOO_LITTLE, now, now)
        return
    _store(subject, model.dump(), KIND, until, now)


def _history(subject: Subject, now: float) -> list[Piece]:
    """The means of minutes: what two weeks of samples come to."""
    found = reading.rollup(current_tenant_id(), {row.number for row in subject.series}, "1m", now - HISTORY, now)
    return [
        Piece(row.metric, found[row.number].at, found[row.number].mean, row.interval, row.kind == Kind.COUNTER)
        for row in subject.series
        if row.number in found
    ]


def _store(subject: Subject, model: bytes | None, kind: str, until: float, now: float) -> None:
    params: Sequence[Any] = [
        *(str(new_id()), subject.key, model, kind, moment(until), moment(now)),
        *(str(current_tenant_id()), str(subject.rule.id)),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, params)
