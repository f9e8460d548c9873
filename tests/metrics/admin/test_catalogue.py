"""The catalogue's page, with a switch for each metric."""

import pytest
from django.urls import reverse

from metrics.catalogue import entries
from metrics.models import MetricChoice, Threshold
from tenants.context import tenant_context
from tests.alerting.admin.world import World, admin_url

LIST = "admin:metrics_metricchoice_changelist"


def switch(world: World, key: str, on: str, user: object = None) -> int:
    url = reverse("admin:metrics_metricchoice_switch", args=[key])
    return int(world.client(user or world.owner).post(url, {"on": on}).status_code)  # type: ignore[arg-type]


def keys(world: World) -> set[str]:
    with tenant_context(world.tenant.pk):
        return set(MetricChoice.objects.values_list("key", flat=True))


def test_the_page_shows_every_metric_in_the_language_of_the_reader(ours: World) -> None:
    client = ours.client(ours.viewer)
    body = client.get(reverse(LIST)).content.decode()
    assert all(key in body for key in entries())
    ours.viewer.locale = "de"
    ours.viewer.save()
    assert "Antwortzeit" in ours.client(ours.viewer).get(reverse(LIST)).content.decode()


def test_a_metric_is_switched_on_and_off(ours: World) -> None:
    assert switch(ours, "technical.error_rate", "1") == 302
    assert keys(ours) == {"technical.latency", "technical.error_rate"}
    with tenant_context(ours.tenant.pk):
        assert Threshold.objects.filter(is_active=True, metric="request_error_ratio").count() == 2
    assert switch(ours, "technical.error_rate", "0") == 302
    assert keys(ours) == {"technical.latency"}


def test_switching_twice_changes_nothing_more(ours: World) -> None:
    for _time in range(2):
        switch(ours, "technical.error_rate", "1")
    with tenant_context(ours.tenant.pk):
        assert Threshold.objects.filter(metric="request_error_ratio").count() == 2
    for _time in range(2):
        assert switch(ours, "technical.error_rate", "0") == 302


def test_a_viewer_switches_nothing_and_nobody_what_is_not_there(ours: World) -> None:
    assert switch(ours, "technical.error_rate", "1", ours.viewer) == 403
    assert switch(ours, "technical.pigeons", "1") == 404
    assert keys(ours) == {"technical.latency"}


@pytest.mark.parametrize(("name", "status"), [("web_seconds", 302), ("not a name", 200), ("", 200)])
def test_the_name_of_the_series_is_changed(ours: World, name: str, status: int) -> None:
    url = admin_url(MetricChoice, "change", ours.rows[MetricChoice].pk)
    assert ours.client(ours.owner).post(url, {"metric": name}).status_code == status
    with tenant_context(ours.tenant.pk):
        kept = MetricChoice.objects.get().metric
    assert kept == (name if status == 302 else "latency_Ourmarker")


def test_settings_of_a_computed_metric_are_judged(ours: World) -> None:
    switch(ours, "ai.drift_psi", "1")
    with tenant_context(ours.tenant.pk):
        pk = MetricChoice.objects.get(key="ai.drift_psi").pk
    url = admin_url(MetricChoice, "change", pk)
    client = ours.client(ours.owner)
    good = {"metric": "model_drift_psi", "settings": '{"histogram": "scores", "reference_days": 14}'}
    assert client.post(url, good | {"settings": '{"pigeon": 1}'}).status_code == 200
    assert client.post(url, good).status_code == 302
    with tenant_context(ours.tenant.pk):
        assert MetricChoice.objects.get(pk=pk).settings == {"histogram": "scores", "reference_days": 14}
