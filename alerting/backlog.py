"""Backpressure: how many alerts wait for the pipeline, and when the door asks senders to come back later.

Accepted is not processed: without this bound a fast sender drives the delay of everybody's alerts up
while every answer still looks quick. One request a second per process pays for the look at the queue.
"""

import random
import threading
import time
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from prometheus_client import Gauge

from tenants.faults import InputRefused

SAMPLE_SECONDS = 1.0
ROWS_COUNTED = 100_000

_SAMPLE = """
SELECT tenant_id, sum(alert_count) FROM (SELECT tenant_id, alert_count FROM intake_queue LIMIT %s) AS waiting
GROUP BY tenant_id
"""

waiting_alerts = Gauge("alerting_intake_waiting", "Accepted alerts that wait to be drained", multiprocess_mode="max")


class Backlog:
    """What this process knows of the queue: the last look plus what it let in since."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[UUID, int] = {}
        self._total = 0
        self._next_look = 0.0

    def check(self, tenant_id: UUID) -> None:
        """Raise InputRefused: 429 when this tenant has too much waiting, 503 when everybody together has."""
        if time.monotonic() >= self._next_look:
            self._look()
        most = settings.INTAKE_MAX_WAITING
        if self._total >= most:
            detail = _("%(count)d alerts wait to be processed; the limit is %(limit)d. Try again shortly.")
            raise _busy(503, "unavailable", detail, self._total, most)
        most = settings.INTAKE_MAX_WAITING_PER_TENANT
        if self._waiting and self._waiting.get(tenant_id, 0) >= most:
            detail = _("%(count)d of your alerts wait to be processed; the limit is %(limit)d. Try again shortly.")
            raise _busy(429, "rate_limited", detail, self._waiting[tenant_id], most)

    def note(self, tenant_id: UUID, count: int) -> None:
        """Count what has just been let in, so that a burst is seen before the next look."""
        with self._lock:
            self._waiting[tenant_id] = self._waiting.get(tenant_id, 0) + count
            self._total += count

    def forget(self) -> None:
        """Look again at the next request."""
        self._next_look = 0.0

    def _look(self) -> None:
        if not self._lock.acquire(blocking=False):
            return
        try:
            if time.monotonic() < self._next_look:
                return
            # Set first: while the database is slow or away, others go by the last look.
            self._next_look = time.monotonic() + SAMPLE_SECONDS
            with connection.cursor() as cursor:
                cursor.execute(_SAMPLE, [ROWS_COUNTED])
                self._waiting = {tenant_id: int(count) for tenant_id, count in cursor.fetchall()}
            self._total = sum(self._waiting.values())
            waiting_alerts.set(self._total)
        finally:
            self._lock.release()


def _busy(status: int, code: str, detail: str, count: int, limit: int) -> InputRefused:
    # Spread, so that those turned away do not come back all at once.
    return InputRefused(status, code, detail % {"count": count, "limit": limit}, retry_after=random.randint(1, 5))


_backlog = Backlog()
check = _backlog.check
note = _backlog.note
forget = _backlog.forget
