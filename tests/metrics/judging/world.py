"""A tenant with series and thresholds, and the way of samples through judging in one call."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from metrics.ingest import SeriesPoints
from metrics.judging.engine import judge
from metrics.models import Finding, Threshold
from tenants.context import tenant_context
from tenants.models import Tenant
from tests.factories import make_tenant
from tests.metrics.house import send

#: An even minute some time ago: late enough to be judged, early enough for an hour of samples.
NOW = time.time() // 60 * 60 - 3_600


@dataclass
class World:
    """One tenant as a test sees it; minutes count from NOW."""

    tenant: Tenant = field(default_factory=make_tenant)

    def context(self) -> Any:
        return tenant_context(self.tenant.pk)

    def threshold(self, name: str = "Load", metric: str = "load", kind: str = "static", **fields: Any) -> Threshold:
        settings = fields.pop("settings", {"above": 10})
        with self.context():
            return Threshold.objects.create(name=name, metric=metric, kind=kind, settings=settings, **fields)

    def feed(self, *values: float, start: int = 0, **labels: str) -> int:
        """Samples a minute apart, judged; return how many series were."""
        self.store(*values, start=start, **labels)
        return judge(self.tenant.pk)

    def store(self, *values: float, start: float = 0, metric: str = "load", kind: str = "gauge", **labels: str) -> None:
        """Samples a minute apart, not judged yet; `unit` is no label."""
        at, unit = NOW + (start + np.arange(len(values))) * 60.0, labels.pop("unit", "")
        send(self.tenant, SeriesPoints(metric, labels, unit, kind, at, np.array(values, dtype=np.float64)))

    def findings(self, **wanted: Any) -> list[Finding]:
        with self.context():
            return list(Finding.objects.filter(**wanted).select_related("series").order_by("raised_at", "id"))

    def finding(self, **wanted: Any) -> Finding:
        (found,) = self.findings(**wanted)
        return found


def minute(at: Any) -> float:
    """At which minute of the world something was."""
    return float(round((at.timestamp() - NOW) / 60, 3))
