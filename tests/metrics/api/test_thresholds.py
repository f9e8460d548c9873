"""Thresholds, findings, verdicts and backtests over the API."""

from typing import Any

import pytest
from django.test import Client

from metrics.models import Finding, Threshold
from tenants.models import AuditEntry
from tests.factories import make_api
from tests.metrics.judging.world import NOW, World

pytestmark = pytest.mark.django_db
JSON = "application/json"
BODY: dict[str, Any] = {"name": "Load", "metric": "load", "settings": {"above": 10}, "hold": 60, "severity": "critical"}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return make_api(world.tenant).client


def make(client: Client, **changes: Any) -> str:
    answer = client.post("/api/v1/thresholds", BODY | changes, JSON)
    assert answer.status_code == 201, answer.json()
    return str(answer.json()["id"])


def test_a_threshold_is_made_read_changed_and_deleted(client: Client, world: World) -> None:
    pk = make(client)
    shown = client.get(f"/api/v1/thresholds/{pk}").json()
    assert (shown["kind"], shown["hold"], shown["severity"], shown["paging"]) == ("static", 60, "critical", "always")
    assert client.patch(f"/api/v1/thresholds/{pk}", {"settings": {"above": 20}}, JSON).status_code == 200
    assert client.delete(f"/api/v1/thresholds/{pk}").status_code == 204
    with world.context():
        actions = list(AuditEntry.objects.filter(object_type="threshold").values_list("action", flat=True))
    assert sorted(actions) == ["threshold.changed", "threshold.created", "threshold.deleted"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"settings": {}}, "settings"),
        ({"settings": {"above": "high"}}, "settings"),
        ({"settings": [1]}, "settings"),
        ({"kind": "magic"}, "kind"),
        ({"metric": ""}, "metric"),
        ({"matchers": [{"name": "", "op": "=", "value": "x"}]}, "matchers"),
        ({"labels": {"a b": "x"}}, "labels"),
        ({"labels": {"team": 1}}, "labels"),
        ({"severity": "hot"}, "severity"),
        ({"hold": 8 * 86_400}, "hold"),
        ({"surprise": 1}, "surprise"),
        ({"kind": "composite", "settings": {"parts": [{"metric": "a", "settings": {"above": 1}}]}}, "metric"),
    ],
)
def test_what_means_nothing_is_refused_by_field(client: Client, changes: dict[str, Any], field: str) -> None:
    answer = client.post("/api/v1/thresholds", BODY | changes, JSON)
    assert answer.status_code == 400
    assert field in str(answer.json()["errors"])


def test_a_name_is_taken_once(client: Client) -> None:
    make(client)
    answer = client.post("/api/v1/thresholds", BODY, JSON)
    assert answer.status_code == 400
    assert "name" in str(answer.json()["errors"])


def test_a_backtest_shows_both_forms_and_what_was(client: Client, world: World) -> None:
    pk = make(client, hold=0)
    world.feed(1, 11, 1, 21, 1, service="shop")
    body = {"changes": {"settings": {"above": 20}}}
    answer = client.post(f"/api/v1/thresholds/{pk}/backtest", body, JSON)
    assert answer.status_code == 200, answer.json()
    found = answer.json()
    assert (found["alerts_now"], found["alerts_changed"], found["alerts_were"]) == (2, 1, 2)
    (subject,) = found["subjects"]
    assert subject["labels"] == {"service": "shop"}
    assert subject["value"] == [1, 11, 1, 21, 1]
    assert subject["at"][0] == NOW
    assert [one["peak"] for one in subject["changed"]["alerts"]] == [21]
    assert client.get(f"/api/v1/thresholds/{pk}").json()["settings"] == {"above": 10}


def test_a_backtest_refuses_what_could_not_be_saved(client: Client) -> None:
    pk = make(client)
    address = f"/api/v1/thresholds/{pk}/backtest"
    assert client.post(address, {"changes": {"settings": {}}}, JSON).status_code == 400
    times = {"since": "2026-01-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"}
    assert client.post(address, times, JSON).status_code == 400


def test_findings_are_read_and_judged(client: Client, world: World) -> None:
    pk = make(client, hold=0)
    world.feed(50, 1, 60, service="shop")
    listed = client.get("/api/v1/findings", {"is_open": "true"}).json()["results"]
    assert [one["value"] for one in listed] == [60]
    assert len(client.get("/api/v1/findings", {"threshold": pk}).json()["results"]) == 2
    one = listed[0]["id"]
    for verdict in ("noise", "useful", "useful"):
        answer = client.post(f"/api/v1/findings/{one}/feedback", {"verdict": verdict}, JSON)
        assert answer.status_code == 201
    trust = client.get(f"/api/v1/thresholds/{pk}/trust").json()
    assert (trust["precision"]["useful"], trust["precision"]["noise"]) == (1, 0)
    assert trust["outcomes"]["told"] == 2


def test_detection_settings_are_one_row(client: Client) -> None:
    assert client.get("/api/v1/detection-settings").json()["precision_floor"] == 0.7
    answer = client.patch("/api/v1/detection-settings", {"precision_floor": 0.9, "holidays": "AT"}, JSON)
    assert answer.json() == {"precision_floor": 0.9, "least_judged": 5, "sensitivity": 0.5, "holidays": "AT"}
    assert client.patch("/api/v1/detection-settings", {"holidays": "XX"}, JSON).status_code == 400
    assert client.patch("/api/v1/detection-settings", {"precision_floor": 2}, JSON).status_code == 400


def test_another_tenant_sees_nothing(client: Client, world: World) -> None:
    pk = make(client, hold=0)
    world.feed(50)
    found = world.finding()
    stranger = make_api().client
    assert stranger.get(f"/api/v1/thresholds/{pk}").status_code == 404
    assert stranger.post(f"/api/v1/thresholds/{pk}/backtest", {}, JSON).status_code == 404
    assert stranger.post(f"/api/v1/findings/{found.pk}/feedback", {"verdict": "noise"}, JSON).status_code == 404
    assert stranger.get("/api/v1/findings").json()["results"] == []


def test_reading_scopes_do_not_write(world: World) -> None:
    client = make_api(world.tenant, ["alerts:read"]).client
    assert client.get("/api/v1/findings").status_code == 200
    assert client.post("/api/v1/thresholds", BODY, JSON).status_code == 403


def test_the_chart_of_a_finding_needs_its_signed_address(client: Client, world: World) -> None:
    from metrics.charts.links import chart_url

    make(client, hold=0)
    world.feed(*[1.0] * 30, 50, service="shop")
    found = world.finding()
    address = chart_url(found).partition("/api/")[2]
    picture = Client().get(f"/api/{address}")
    assert picture["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert Client().get(f"/api/{address[:-8]}AAAA.png").status_code == 404
    with world.context():
        Finding.objects.all().delete()
        Threshold.objects.all().delete()
    assert Client().get(f"/api/{address}").status_code == 404
