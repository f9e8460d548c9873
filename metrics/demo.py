"""The demo tenant's metrics: what it has of the catalogue, and the made-up series that feed it."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from alerting.demo import SLUG, Inbox
from metrics.catalogue import entries
from metrics.catalogue.choosing import switch_on
from metrics.models import MetricChoice, Source
from metrics.simulator import feed
from metrics.simulator.feeding import BACK_DAYS
from metrics.simulator.scenario import SERIES
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.principal import system


def seed(budget: float) -> int:
    """Give the demo tenant the metrics that are simulated, and their past; return how many samples were stored.

    What a person switched off stays off: metrics are chosen once. What does not fit into `budget` seconds is left
    to `simulate`.
    """
    tenant = Tenant.objects.filter(slug=SLUG).first()
    if tenant is None or not settings.SIMULATE_METRICS:
        return 0
    with tenant_context(tenant.pk):
        if not MetricChoice.objects.exists():
            actor = system(tenant.pk, "seed_demo")
            chosen = {one.key for one in SERIES}
            for key in entries():
                if key in chosen:
                    switch_on(actor, key)
            _source()
    return feed(tenant.pk, budget=budget, back_days=BACK_DAYS)


def _source() -> None:
    """A source that is really asked: how many messages lie in the development inbox."""
    if not Source.objects.exists():
        Source.objects.create(
            name="Inbox",
            kind="json",
            settings={
                "url": f"{Inbox.from_environment().url}/messages.json",
                "items": "[@]",
                "values": {"inbox_messages": "length(@)"},
            },
            interval=timedelta(seconds=30),
        )


def simulate() -> int:
    """Go on with the demo tenant's series; return how many samples were stored."""
    tenant = Tenant.objects.filter(slug=SLUG, is_active=True).first()
    return feed(tenant.pk) if tenant is not None and settings.SIMULATE_METRICS else 0
