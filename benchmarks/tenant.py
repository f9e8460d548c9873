"""The tenant of one benchmark case: how it is configured, and what the database says became of its alerts."""

import base64
import json
import os
from datetime import timedelta
from uuid import UUID

from django.db import connection

from alerting.models import GroupingRule, Route, RouteChannel
from benchmarks.generator import NAMES, PAST_LABELS, SERVICES
from benchmarks.past import give_past
from channels.models import Channel
from tenants import accounts, keys
from tenants.context import tenant_context
from tenants.principal import system


class BenchTenant:
    """A tenant that scoring knows, with enrichment-free routes: probes go to the receiver at once, the load quietly."""

    def __init__(self, slug: str, sink_url: str, *, has_past: bool = True) -> None:
        tenant = accounts.create_tenant(None, slug=slug, name=slug)
        self.id: UUID = tenant.pk
        with tenant_context(self.id):
            self.key = keys.issue(system(self.id), "bench", ["alerts:write"]).token
            channel = Channel.objects.create(
                name="sink",
                kind="webhook",
                settings={"url": sink_url},
                credentials=json.dumps({"secrets": ["whsec_" + base64.b64encode(os.urandom(24)).decode()]}),
                rate_per_minute=60_000,
            )
            self._routes(channel)
            GroupingRule.objects.create(name="all", group_by=["alertname", "service"])
        self.past = give_past(self.id, list(NAMES), list(SERVICES), PAST_LABELS) if has_past else 0

    def _routes(self, channel: Channel) -> None:
        zero = timedelta(0)
        root = Route.objects.create(
            name="root", group_wait=zero, group_interval=timedelta(minutes=5), repeat_interval=timedelta(hours=4)
        )
        RouteChannel.objects.create(route=root, channel=channel)

    def waiting(self) -> int:
        """Return how many requests are not drained yet."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM intake_queue WHERE tenant_id = %s", [self.id])
            return int(cursor.fetchone()[0])

    def undelivered(self) -> int:
        """Return how many messages have not reached the receiver yet."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM delivery_queue WHERE tenant_id = %s", [self.id])
            return int(cursor.fetchone()[0])

    def retire(self) -> None:
        """Leave nothing to do behind that would weigh on the next case."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM timer WHERE tenant_id = %s", [self.id])
            cursor.execute("DELETE FROM delivery_queue WHERE tenant_id = %s", [self.id])

    def truth(self) -> int:
        """Return how many alerts the database has counted."""
        with tenant_context(self.id), connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(sum(repeat_count), 0) FROM alert")
            return int(cursor.fetchone()[0]) - self.past

    def drain_latencies(self) -> list[float]:
        """Return the seconds from acceptance to the drain's commit, for every request."""
        with tenant_context(self.id), connection.cursor() as cursor:
            cursor.execute(
                "SELECT extract(epoch FROM drained_at - received_at) FROM intake_request WHERE drained_at IS NOT NULL"
            )
            return [float(row[0]) for row in cursor.fetchall()]
