"""Which series moved with a finding or before it: looked for when it is told, else soon afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db.models import Q, QuerySet

from alerting import late_facts
from alerting.late_facts import LateFact
from channels.message import Reason
from metrics.correlation import Mover, find_movers, frame_of
from metrics.entities.speaking import series_of
from metrics.judging import kin
from metrics.judging.calendars import calendar_of
from metrics.judging.cause_texts import causes_brief
from metrics.judging.due import ALIVE, database_time
from metrics.judging.naming import labels_of
from metrics.judging.rules import rule_of
from metrics.judging.states import moment
from metrics.judging.subjects import SeriesRow, read_series
from metrics.models import Finding, Series
from metrics.seasons import BadSeries
from metrics.storage import reading
from metrics.thresholds.conditions import Entity
from tenants.context import current_tenant_id, tenant_context
from tenants.models import Tenant
from tenants.principal import system

log = structlog.get_logger(__name__)

#: So many series are compared; those that share a label with the finding first.
MOST_SERIES: Final = 200
MOST_CAUSES: Final = 8
HISTORY: Final = 86_400.0
#: The course from so long before the crossing on is what others are compared with.
BEFORE: Final = 600.0
LONGEST_LAG: Final = 1_800.0
STEP: Final = 60.0
#: Looked for while judging; more would keep the rest waiting.
MOST_AT_ONCE: Final = 2
#: Soon after a finding its course is long enough to compare; later than this nobody asks any more.
SOON, LATE = timedelta(minutes=10), timedelta(hours=6)
#: What was told with its causes is looked at once more for others of the same cause, once these are alerts, too.
SETTLED: Final = timedelta(minutes=1)
ROUND_SECONDS: Final = 30.0


def seek(findings: Iterable[Finding], now: float) -> int:
    """Put the likely causes into the first of these findings; they are saved. Returns how many have any."""
    chosen = [one for one in findings if one.series_id is not None or one.kind == "entity"][:MOST_AT_ONCE]
    for finding in chosen:
        finding.causes = causes_of(finding, now)
        if finding.causes:
            Finding._default_manager.filter(pk=finding.pk).update(causes=finding.causes)
    return sum(1 for one in chosen if one.causes)


def causes_of(finding: Finding, now: float) -> list[dict[str, Any]]:
    """What moved with a finding or before it, the likeliest first; nothing where its course is too short to tell.

    Of a finding about several metrics the course of the strongest is followed, and its others are no cause of it.
    """
    own = next(iter(series_of(finding)), None)
    if own is None:
        return []
    inner = _metrics_within(finding)
    rows = {
        str(row.number): row
        for row in _candidates(own, finding.labels, now)
        if row.number == own.number or row.metric not in inner or not finding.labels.items() <= row.labels.items()
    }
    start = finding.began_at.timestamp() - BEFORE
    last = own.last_at.timestamp() + STEP if own.last_at is not None else now
    end = min(now, last, finding.ended_at.timestamp() + BEFORE if finding.ended_at else now)
    if end <= start:
        return []
    numbers = [int(key) for key in rows]
    rollups = reading.rollup(current_tenant_id(), numbers, "1m", start - HISTORY, end)
    courses = {str(number): (one.at, one.mean) for number, one in rollups.items()}
    try:
        place = calendar_of()
        frame = frame_of(courses, start=start, end=end, history=HISTORY, step=STEP, calendar=place.calendar)
        movers = find_movers(frame, str(own.number), longest_lag=LONGEST_LAG)
    except BadSeries:
        return []
    return [_cause(mover, rows[mover.key]) for mover in movers[:MOST_CAUSES]]


def _metrics_within(finding: Finding) -> frozenset[str]:
    if finding.kind != "entity":
        return frozenset()
    condition = rule_of(finding.threshold).condition
    return frozenset(condition.metrics) if isinstance(condition, Entity) else frozenset()


def _cause(mover: Mover, row: SeriesRow) -> dict[str, Any]:
    return {
        "series": str(row.id),
        "metric": row.metric,
        "labels": row.labels,
        "relation": mover.relation.value,
        "lead_seconds": round(max(0.0, mover.lag)),
        "correlation": round(mover.correlation, 3),
        "score": round(mover.score, 2),
    }


def _candidates(own: Series, labels: dict[str, str], now: float) -> list[SeriesRow]:
    alive = Series._default_manager.filter(last_at__gt=moment(now - ALIVE))
    numbers: dict[int, None] = {own.number: None}
    for name, text in sorted(labels.items()):
        if len(numbers) < MOST_SERIES:
            sharing = alive.filter(labels__contains={name: text}).order_by("number")
            numbers |= dict.fromkeys(sharing.values_list("number", flat=True)[:MOST_SERIES])
    if len(numbers) < MOST_SERIES:
        numbers |= dict.fromkeys(alive.order_by("number").values_list("number", flat=True)[:MOST_SERIES])
    return read_series(numbers=list(numbers)[:MOST_SERIES])


def seek_all() -> int:
    """Look for the causes of what was found a while ago in every active tenant; return how many findings."""
    total, last = 0, time.monotonic() + ROUND_SECONDS
    for tenant_id in Tenant.objects.filter(is_active=True).order_by("?").values_list("id", flat=True):
        if time.monotonic() > last:
            break
        total += seek_late(tenant_id)
    return total


def seek_late(tenant_id: UUID, limit: int = 5) -> int:
    """Look once more at findings whose course is long enough by now; return how many were looked at.

    What comes of it reaches the messages that told of them: one update for each group, whatever came together.
    """
    with tenant_context(tenant_id):
        now = database_time()
        rows = list(_waiting(moment(now))[:limit])
        for finding in rows:
            finding.causes = finding.causes or causes_of(finding, now)
            finding.why = finding.why | {"sought": True}
            finding.save(update_fields=["causes", "why"])
        _tell(rows)
        return len(rows)


def _waiting(now: datetime) -> QuerySet[Finding]:
    is_long = Q(raised_at__lt=now - SOON)
    is_known = Q(raised_at__lt=now - SETTLED, is_told=True) & ~Q(causes=[])
    rows = Finding._default_manager.filter(Q(series__isnull=False) | Q(kind="entity"), is_long | is_known)
    rows = rows.filter(raised_at__gt=now - LATE).exclude(why__has_key="sought")
    return rows.select_related("series", "threshold").order_by("-raised_at")


def _tell(findings: Iterable[Finding]) -> None:
    told = [one for one in findings if one.is_told]
    alike = kin.kin_of(told)
    facts = [
        LateFact(
            labels=labels_of(one, one.threshold),
            finding_id=str(one.pk),
            annotations={"moved_with": causes_brief(one.causes)} if one.causes else {},
            related=[labels_of(other, other.threshold) for other in alike.get(one.pk, [])],
        )
        for one in told
        if one.causes or one.pk in alike
    ]
    if facts:
        late_facts.add(system(current_tenant_id(), "metrics"), facts, Reason.CAUSES)
