"""Which series moved with a finding or before it: looked for when it is told, else soon afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from metrics.correlation import Mover, find_movers, frame_of
from metrics.judging.calendars import calendar_of
from metrics.judging.due import ALIVE, database_time
from metrics.judging.states import moment
from metrics.judging.subjects import SeriesRow, read_series
from metrics.models import Finding, Series
from metrics.seasons import BadSeries
from metrics.storage import reading
from tenants.context import current_tenant_id, tenant_context
from tenants.models import Tenant

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
ROUND_SECONDS: Final = 30.0


def seek(findings: Iterable[Finding], now: float) -> int:
    """Put the likely causes into the first of these findings; they are saved. Returns how many have any."""
    chosen = [one for one in findings if one.series_id is not None][:MOST_AT_ONCE]
    for finding in chosen:
        finding.causes = causes_of(finding, now)
        if finding.causes:
            Finding._default_manager.filter(pk=finding.pk).update(causes=finding.causes)
    return sum(1 for one in chosen if one.causes)


def causes_of(finding: Finding, now: float) -> list[dict[str, Any]]:
    """What moved with a finding or before it, the likeliest first; nothing where its course is too short to tell."""
    own = finding.series
    if own is None:
        return []
    rows = {str(row.number): row for row in _candidates(own, finding.labels, now)}
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
    """Look once more at findings whose course is long enough by now; return how many were looked at."""
    with tenant_context(tenant_id):
        now = database_time()
        rows = list(
            Finding._default_manager.filter(
                raised_at__lt=moment(now) - SOON, raised_at__gt=moment(now) - LATE, series__isnull=False, causes=[]
            )
            .exclude(why__has_key="sought")
            .select_related("series")
            .order_by("-raised_at")[:limit]
        )
        for finding in rows:
            finding.causes = causes_of(finding, now)
            finding.why = finding.why | {"sought": True}
            finding.save(update_fields=["causes", "why"])
        return len(rows)
