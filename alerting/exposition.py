"""Prometheus: the counters of this machine's processes, and gauges read from the database when scraped."""

import os
from collections.abc import Iterator

from django.db import DatabaseError, connection
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import REGISTRY, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from alerting.models import AuditTotal, Heartbeat

_QUEUES = {
    "intake": "SELECT count(*), extract(epoch FROM now() - min(received_at)) FROM intake_queue",
    "groups": "SELECT count(*), extract(epoch FROM now() - min(due_at)) FROM timer WHERE due_at <= now()",
    "deliveries": "SELECT count(*), extract(epoch FROM now() - min(next_attempt_at)) FROM delivery_queue"
    " WHERE state <> 'leased' AND next_attempt_at <= now()",
}


class TruthCollector:
    """Gauges that must not depend on which process answers the scrape."""

    def collect(self) -> Iterator[Metric]:
        """Yield them, or only that the database is away."""
        up = GaugeMetricFamily("alerting_database_up", "Whether the database answered")
        try:
            found = [*self._queues(), self._audit(), self._heartbeats()]
            up.add_metric([], 1)
        except DatabaseError:
            connection.close()
            found = []
            up.add_metric([], 0)
        yield up
        yield from found

    def _queues(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("alerting_queue_waiting", "Rows that are due", labels=["queue"])
        oldest = GaugeMetricFamily("alerting_queue_oldest_seconds", "Age of the oldest that is due", labels=["queue"])
        with connection.cursor() as cursor:
            for name, sql in _QUEUES.items():
                cursor.execute(sql)
                count, age = cursor.fetchone()
                waiting.add_metric([name], count)
                oldest.add_metric([name], float(age or 0))
        yield waiting
        yield oldest

    def _audit(self) -> Metric:
        family = GaugeMetricFamily("alerting_audit_findings", "What the auditor found; must be 0", labels=["check"])
        for name, count in AuditTotal.objects.values_list("check_name", "count"):
            family.add_metric([name], count)
        return family

    def _heartbeats(self) -> Metric:
        family = GaugeMetricFamily(
            "alerting_last_work_timestamp_seconds", "When a part last did work", labels=["component", "instance"]
        )
        for component, instance, at in Heartbeat.objects.values_list("component", "instance", "at"):
            family.add_metric([component, instance], at.timestamp())
        return family


def exposition() -> bytes:
    """Return the metrics page."""
    registry: CollectorRegistry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    truth = CollectorRegistry()
    truth.register(TruthCollector())
    return generate_latest(registry) + generate_latest(truth)
