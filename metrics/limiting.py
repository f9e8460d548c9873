"""How much a tenant may push: samples a second, and samples that wait to be taken in."""

import math
import random
import threading
import time
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from prometheus_client import Gauge

from alerting import rate_limit
from tenants.faults import InputRefused

LOOK_SECONDS = 1.0
_LOOK = "SELECT tenant_id, sum(samples) FROM metric_queue GROUP BY tenant_id"
_waiting = Gauge("metrics_samples_waiting", "Accepted samples that wait to be taken in", multiprocess_mode="max")


class Backlog:
    """What this process knows of the queue: the last look plus what it let in since."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[UUID, int] = {}
        self._next_look = 0.0

    def check(self, tenant_id: UUID) -> None:
        """Raise InputRefused 429 when this tenant has too much waiting, 503 when everybody together has."""
        if time.monotonic() >= self._next_look:
            self._look()
        total = sum(self._waiting.values())
        if total >= settings.METRICS_MAX_WAITING:
            raise _refused(503, "unavailable", _("%(count)d samples wait to be taken in; try again shortly."), total)
        waiting = self._waiting.get(tenant_id, 0)
        if waiting >= settings.METRICS_MAX_WAITING_PER_TENANT:
            detail = _("%(count)d of your samples wait to be taken in; try again shortly.")
            raise _refused(429, "rate_limited", detail, waiting)

    def note(self, tenant_id: UUID, count: int) -> None:
        """Count what has just been let in."""
        with self._lock:
            self._waiting[tenant_id] = self._waiting.get(tenant_id, 0) + count

    def forget(self) -> None:
        """Look again at the next request."""
        self._next_look = 0.0

    def _look(self) -> None:
        with self._lock:
            if time.monotonic() < self._next_look:
                return
            self._next_look = time.monotonic() + LOOK_SECONDS
            with connection.cursor() as cursor:
                cursor.execute(_LOOK)
                self._waiting = {tenant_id: int(count) for tenant_id, count in cursor.fetchall()}
            _waiting.set(sum(self._waiting.values()))


def _refused(status: int, code: str, detail: str, count: int) -> InputRefused:
    return InputRefused(status, code, detail % {"count": count}, retry_after=random.randint(1, 5))


backlog = Backlog()


def spend(tenant_id: UUID, samples: int) -> None:
    """Spend tokens of the tenant for these samples; raise InputRefused 429 when there are too few."""
    limit = settings.METRICS_SAMPLES_PER_SECOND_OF_TENANT
    if wait := rate_limit.spend(f"samples:{tenant_id}", limit, samples):
        detail = _("More than %(limit)d samples a second; send less often or more slowly.") % {"limit": limit}
        raise InputRefused(429, "rate_limited", detail, retry_after=max(1, math.ceil(wait)))
