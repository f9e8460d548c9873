"""Drift series computed from histograms that were collected."""

import math

import numpy as np
import pytest

from channels.selectors import database_now
from metrics.catalogue.choosing import switch_on
from metrics.drift.computing import compute_all, growth, settings_fault
from metrics.ingest import SeriesPoints, ingest
from metrics.models import Series
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.principal import system
from tests.factories import make_tenant

EDGES = (-1.0, 0.0, 1.0, math.inf)
HOUR = 3600


def push(tenant: Tenant, feature: str, shares_then: list[float], shares_now: list[float]) -> None:
    """Push ten days of cumulative counters, whose growth changes its shares a day ago."""
    now = database_now().timestamp() // HOUR * HOUR
    at = np.arange(now - 9 * 24 * HOUR, now + 1, HOUR / 2)
    is_now = at > now - 24 * HOUR
    batch = []
    for position, edge in enumerate(EDGES):
        grown = np.where(is_now, sum(shares_now[: position + 1]), sum(shares_then[: position + 1])) * 50
        labels = {"feature": feature, "model": "m", "le": "+Inf" if edge == math.inf else str(edge)}
        batch.append(SeriesPoints("feature_value_bucket", labels, "", "counter", at, np.cumsum(np.round(grown))))
    ingest(tenant.pk, batch)


@pytest.mark.django_db
def test_a_feature_that_moved_is_told_from_one_that_did_not() -> None:
    tenant = make_tenant()
    with tenant_context(tenant.pk):
        switch_on(system(tenant.pk), "ai.drift_psi")
        switch_on(system(tenant.pk), "ai.drift_ks")
        push(tenant, "steady", [0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25])
        push(tenant, "moved", [0.25, 0.25, 0.25, 0.25], [0.05, 0.15, 0.3, 0.5])
    assert compute_all() == 4
    with tenant_context(tenant.pk):
        found = {
            (one.catalogue_key, one.labels["feature"]): one.last_value
            for one in Series.objects.filter(metric__startswith="model_drift")
        }
    assert found[("ai.drift_psi", "steady")] < 0.02
    assert found[("ai.drift_psi", "moved")] > 0.25
    assert found[("ai.drift_ks", "steady")] < 0.05
    assert found[("ai.drift_ks", "moved")] == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    ("low", "high", "grown"),
    [([0, 10], [10, 20], 20), ([0, 10], [10, 10], 10), ([100, 2], [150, 7], 57), ([], [], 0), ([5], [5], 0)],
)
def test_a_restart_of_a_counter_loses_nothing_that_was_seen(low: list[float], high: list[float], grown: float) -> None:
    assert growth(np.array(low, dtype=float), np.array(high, dtype=float)) == grown


@pytest.mark.parametrize(
    ("key", "settings", "is_good"),
    [
        ("ai.drift_psi", {}, True),
        ("ai.drift_psi", {"histogram": "x", "reference_days": 14, "window_hours": 6}, True),
        ("ai.drift_psi", {"reference_days": 0}, False),
        ("ai.drift_psi", {"pigeon": 1}, False),
        ("technical.latency", {"histogram": "x"}, False),
        ("technical.latency", {}, True),
    ],
)
def test_settings_are_judged(key: str, settings: dict[str, object], is_good: bool) -> None:
    assert bool(settings_fault(key, settings)) is not is_good
