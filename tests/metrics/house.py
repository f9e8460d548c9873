"""What tests of metrics share: points in few words, and a place to put them."""

from collections.abc import Iterable

import numpy as np

from metrics.ingest import IngestReport, SeriesPoints, ingest
from metrics.models import Series
from tenants.context import tenant_context
from tenants.models import Tenant


def points(
    pairs: Iterable[tuple[float, float]], metric: str = "load", unit: str = "", kind: str = "gauge", **labels: str
) -> SeriesPoints:
    """Points of one series."""
    table = np.array(list(pairs), dtype=np.float64).reshape(-1, 2)
    return SeriesPoints(metric, labels, unit, kind, table[:, 0], table[:, 1])


def send(tenant: Tenant, *batch: SeriesPoints) -> IngestReport:
    """Take points in."""
    return ingest(tenant.pk, batch)


def only_series(tenant: Tenant) -> Series:
    """The one series of a tenant."""
    with tenant_context(tenant.pk):
        return Series.objects.get()
