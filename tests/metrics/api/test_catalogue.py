"""The metric catalogue over REST."""

from typing import Any

import pytest

from metrics.catalogue import entries
from metrics.models import MetricChoice, Threshold
from tenants.context import tenant_context
from tests.factories import Api, make_api

pytestmark = pytest.mark.django_db
CATALOGUE, CHOICES = "/api/v1/metric-catalogue", "/api/v1/metric-choices"
JSON = "application/json"


@pytest.fixture
def api() -> Api:
    return make_api()


def choose(api: Api, **body: Any) -> Any:
    return api.client.post(CHOICES, body, JSON)


def test_the_whole_catalogue_is_listed_in_the_language_of_the_reader(api: Api) -> None:
    english = api.client.get(CATALOGUE).json()
    german = api.client.get(CATALOGUE, headers={"Accept-Language": "de"}).json()
    assert [one["key"] for one in english] == list(entries())
    assert {one["key"]: one["name"] for one in german}["technical.latency"] == "Antwortzeit"
    assert {one["key"]: one["name"] for one in english}["technical.latency"] == "Latency"


def test_a_metric_is_switched_on_changed_and_off(api: Api) -> None:
    made = choose(api, key="technical.latency", metric="api_seconds")
    assert made.status_code == 201, made.content
    url = f"{CHOICES}/{made.json()['id']}"
    known = {one["key"]: one["choice"] for one in api.client.get(CATALOGUE).json()}
    assert known["technical.latency"] == made.json()["id"]
    assert known["technical.error_rate"] is None
    changed = api.client.patch(url, {"metric": "web_seconds"}, JSON)
    assert (changed.status_code, changed.json()["metric"]) == (200, "web_seconds")
    with tenant_context(api.tenant.pk):
        assert set(Threshold.objects.values_list("metric", "is_active")) == {("web_seconds", True)}
    assert api.client.delete(url).status_code == 204
    with tenant_context(api.tenant.pk):
        assert not MetricChoice.objects.exists()
        assert not Threshold.objects.filter(is_active=True).exists()


def test_without_a_name_it_has_the_usual_one(api: Api) -> None:
    assert choose(api, key="technical.queue_depth").json()["metric"] == "queue_depth"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"key": "technical.pigeons"}, "/key"),
        ({}, "/key"),
        ({"key": "technical.error_rate", "metric": "not a name"}, "/metric"),
        ({"key": "technical.error_rate", "metric": "taken"}, "/metric"),
        ({"key": "technical.latency"}, "/key"),
        ({"key": "ai.drift_psi", "settings": {"reference_days": 0}}, "/settings"),
        ({"key": "technical.error_rate", "settings": {"histogram": "x"}}, "/settings"),
    ],
)
def test_what_is_wrong_is_told(api: Api, body: dict[str, Any], pointer: str) -> None:
    assert choose(api, key="technical.latency", metric="taken").status_code == 201
    answer = choose(api, **body)
    assert answer.status_code == 400, answer.content
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}


def test_a_choice_stays_what_it_is(api: Api) -> None:
    made = choose(api, key="technical.latency").json()["id"]
    assert api.client.patch(f"{CHOICES}/{made}", {"key": "technical.error_rate"}, JSON).status_code == 400


def test_who_only_reads_changes_nothing(api: Api) -> None:
    reader = make_api(api.tenant, ["config:read"]).client
    assert reader.get(CATALOGUE).status_code == 200
    assert reader.post(CHOICES, {"key": "technical.latency"}, JSON).status_code == 403
