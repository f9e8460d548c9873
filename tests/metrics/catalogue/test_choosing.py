"""A tenant switches metrics of the catalogue on and off."""

import numpy as np
import pytest

from metrics.catalogue import entries
from metrics.catalogue.choosing import UnknownMetric, switch_off, switch_on
from metrics.ingest import SeriesPoints, ingest
from metrics.models import MetricChoice, Series, Threshold
from tenants.context import tenant_context
from tenants.models import AuditEntry, Tenant
from tenants.principal import system
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db
KEY = "technical.latency"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def keys_of_series() -> dict[str, str]:
    return dict(Series.objects.values_list("metric", "catalogue_key"))


def send(tenant: Tenant, *metrics: str) -> None:
    one = np.array([1.79e9])
    ingest(tenant.pk, [SeriesPoints(metric, {}, "", "gauge", one, one) for metric in metrics])


def test_series_know_their_metric_whatever_came_first(tenant: Tenant) -> None:
    with tenant_context(tenant.pk):
        send(tenant, "api_seconds", "other")
        switch_on(system(tenant.pk), KEY, "api_seconds")
        switch_on(system(tenant.pk), "technical.queue_depth")
        send(tenant, "queue_depth")
        assert keys_of_series() == {"api_seconds": KEY, "other": "", "queue_depth": "technical.queue_depth"}
        switch_on(system(tenant.pk), KEY, "other")
        assert keys_of_series()["api_seconds"] == ""
        assert keys_of_series()["other"] == KEY
        switch_off(system(tenant.pk), MetricChoice.objects.get(key=KEY))
        assert keys_of_series()["other"] == ""


def test_a_metric_comes_with_its_thresholds(tenant: Tenant) -> None:
    with tenant_context(tenant.pk):
        switch_on(system(tenant.pk), KEY, "api_seconds")
        made = list(Threshold.objects.all())
        assert len(made) == len(entries()[KEY].thresholds)
        assert {one.metric for one in made} == {"api_seconds"}
        assert {one.severity for one in made} == {20, 40}
        assert all(one.labels == {"catalogue": KEY} and one.hold.total_seconds() == 300 for one in made)
        assert AuditEntry.objects.filter(action="threshold.created").count() == len(made)
        assert AuditEntry.objects.filter(action="metricchoice.created").count() == 1


def test_thresholds_sleep_while_it_is_off_and_keep_what_people_changed(tenant: Tenant) -> None:
    with tenant_context(tenant.pk):
        choice = switch_on(system(tenant.pk), KEY)
        mine = Threshold.objects.filter(kind="static").first()
        assert mine is not None
        mine.settings = {"above": 9.0}
        mine.save()
        switch_off(system(tenant.pk), choice)
        assert not Threshold.objects.filter(is_active=True).exists()
        switch_on(system(tenant.pk), KEY)
        mine.refresh_from_db()
        assert (mine.is_active, mine.settings) == (True, {"above": 9.0})
        assert Threshold.objects.count() == len(entries()[KEY].thresholds)


def test_names_are_in_the_language_of_the_tenant(tenant: Tenant) -> None:
    tenant.locale = "fr"
    tenant.save()
    with tenant_context(tenant.pk):
        switch_on(system(tenant.pk), "technical.error_rate")
        assert all(name.startswith("Taux d’erreur") for name in Threshold.objects.values_list("name", flat=True))


def test_every_metric_can_be_switched_on(tenant: Tenant) -> None:
    with tenant_context(tenant.pk):
        for key in entries():
            switch_on(system(tenant.pk), key)
        assert MetricChoice.objects.count() == len(entries())
        assert Threshold.objects.count() == sum(len(one.thresholds) for one in entries().values())
        for threshold in Threshold.objects.all():
            threshold.full_clean(exclude=["tenant"])


def test_there_is_no_metric_that_the_catalogue_does_not_know(tenant: Tenant) -> None:
    with tenant_context(tenant.pk), pytest.raises(UnknownMetric):
        switch_on(system(tenant.pk), "technical.pigeons")
