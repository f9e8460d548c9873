"""What the overview reads: a handful of aggregates, each bounded by time or by an index."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from alerting.models import Alert, AlertGroup, AuditFinding
from channels.models import Delivery, DeliveryState
from tenants.context import current_tenant_id

HOURS = 3
BUCKET_MINUTES = 5
SHOWN = 8
MANY_WAITING = 10_000
LATE_SECONDS = 60


def firing_by_severity() -> dict[int, int]:
    """Return how many alerts fire, by severity."""
    counted = (
        Alert._default_manager.filter(status="firing").order_by().values_list("severity").annotate(count=Count("id"))
    )
    return dict(counted)


class Numbers(NamedTuple):
    """Single figures of the overview."""

    open_groups: int
    acknowledged: int
    waiting_alerts: int
    waiting_deliveries: int
    oldest_due: int
    dead: int
    quarantined: int


_NUMBERS = """
SELECT
  (SELECT count(*) FROM alert_group WHERE tenant_id = %(t)s AND status <> 'resolved'),
  (SELECT count(*) FROM alert_group WHERE tenant_id = %(t)s AND status = 'acknowledged'),
  (SELECT coalesce(sum(alert_count), 0) FROM intake_queue WHERE tenant_id = %(t)s),
  (SELECT count(*) FROM delivery_queue WHERE tenant_id = %(t)s),
  (SELECT greatest(0, coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0))::int
     FROM delivery_queue WHERE tenant_id = %(t)s),
  (SELECT count(*) FROM delivery WHERE tenant_id = %(t)s AND state = 'dead'),
  (SELECT count(*) FROM quarantined_alert WHERE tenant_id = %(t)s AND state = 'waiting')
"""


def numbers() -> Numbers:
    """Return the single figures, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, {"t": current_tenant_id()})
        return Numbers(*map(int, cursor.fetchone()))


@dataclass(frozen=True)
class Rate:
    """One bucket of time: alerts in and messages out, a minute."""

    label: str
    accepted: float
    delivered: float
    failed: float


_RATES = """
WITH bucket AS (
  SELECT generate_series(date_bin(%(width)s::interval, now() - %(span)s::interval, 'epoch'),
                         date_bin(%(width)s::interval, now(), 'epoch'), %(width)s::interval) AS at
), came AS (
  SELECT date_bin(%(width)s::interval, received_at, 'epoch') AS at, sum(accepted) AS count
  FROM intake_request WHERE tenant_id = %(t)s
    AND received_at >= date_bin(%(width)s::interval, now() - %(span)s::interval, 'epoch') GROUP BY 1
), went AS (
  SELECT date_bin(%(width)s::interval, finished_at, 'epoch') AS at,
         count(*) FILTER (WHERE state = 'delivered') AS delivered,
         count(*) FILTER (WHERE state IN ('dead', 'expired')) AS failed
  FROM delivery
  WHERE tenant_id = %(t)s AND created_at >= now() - %(span)s::interval - interval '6 hours'
    AND finished_at >= date_bin(%(width)s::interval, now() - %(span)s::interval, 'epoch')
  GROUP BY 1
)
SELECT bucket.at, greatest(1, extract(epoch FROM least(%(width)s::interval, now() - bucket.at)) / 60),
       coalesce(came.count, 0), coalesce(went.delivered, 0), coalesce(went.failed, 0)
FROM bucket LEFT JOIN came USING (at) LEFT JOIN went USING (at) ORDER BY bucket.at
"""


def rates() -> list[Rate]:
    """Return intake and delivery of the last hours, a minute on average of each bucket; the one under way so far."""
    with connection.cursor() as cursor:
        cursor.execute(_RATES, _span())
        rows = cursor.fetchall()
    return [
        Rate(_clock(at), *(round(float(count) / float(minutes), 2) for count in counts))
        for at, minutes, *counts in rows
    ]


@dataclass(frozen=True)
class Bucket:
    """How many groups opened in a bucket of time, by severity."""

    label: str
    counts: dict[int, int]


_OPENED = """
WITH bucket AS (
  SELECT generate_series(date_bin(%(width)s::interval, now() - %(span)s::interval, 'epoch'),
                         date_bin(%(width)s::interval, now(), 'epoch'), %(width)s::interval) AS at
)
SELECT bucket.at, g.severity, count(g.id)
FROM bucket LEFT JOIN alert_group g
  ON g.tenant_id = %(t)s AND g.opened_at >= bucket.at AND g.opened_at < bucket.at + %(width)s::interval
GROUP BY 1, 2 ORDER BY 1
"""


def opened_by_severity() -> list[Bucket]:
    """Return how many groups opened over the last hours, by severity."""
    with connection.cursor() as cursor:
        cursor.execute(_OPENED, _span())
        rows = cursor.fetchall()
    found: dict[datetime, dict[int, int]] = defaultdict(dict)
    for at, severity, count in rows:
        counts = found[at]
        if severity is not None:
            counts[severity] = count
    return [Bucket(_clock(at), counts) for at, counts in found.items()]


def open_groups() -> list[AlertGroup]:
    """Return the groups that need somebody, the worst and newest first."""
    rows = AlertGroup._default_manager.exclude(status="resolved").select_related("assigned_to")
    return list(rows.order_by("-severity", "-opened_at", "-id")[:SHOWN])


def recent_failures() -> list[Delivery]:
    """Return the latest messages that did not get through or whose fate is open."""
    troubled = (DeliveryState.DEAD, DeliveryState.UNCERTAIN)
    rows = Delivery._default_manager.filter(state__in=troubled).select_related("channel").defer("message")
    return list(rows.order_by("-created_at", "-id")[:SHOWN])


def findings() -> list[AuditFinding]:
    """Return what the auditor found, trouble first."""
    return list(AuditFinding._default_manager.order_by("-count", "check_name"))


def _span() -> dict[str, Any]:
    return {"t": current_tenant_id(), "width": f"{BUCKET_MINUTES} minutes", "span": f"{HOURS} hours"}


def _clock(at: datetime) -> str:
    return timezone.localtime(at).strftime("%H:%M")
