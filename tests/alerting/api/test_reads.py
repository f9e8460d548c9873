"""Alerts and their timelines over REST."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerting.models import Alert, TimelineEvent
from tenants.context import tenant_context
from tenants.isolation import new_id
from tests.factories import Api, make_api

pytestmark = pytest.mark.django_db
URL = "/api/v1/alerts"


@pytest.fixture
def api() -> Api:
    return make_api()


def make_alert(api: Api, *, minutes_ago: int = 0, **fields: object) -> Alert:
    seen = timezone.now() - timedelta(minutes=minutes_ago)
    values = {"status": "firing", "severity": 20, "labels": {}, "annotations": {}, "starts_at": seen}
    values |= {"changed_at": seen, "last_seen_at": seen, "fingerprint": new_id().bytes} | fields
    with tenant_context(api.tenant.pk):
        return Alert.objects.create(**values)


def hosts(api: Api, query: str = "") -> list[str]:
    answer = api.client.get(f"{URL}?{query}")
    assert answer.status_code == 200, answer.json()
    return [row["labels"]["host"] for row in answer.json()["results"]]


def only(*matchers: str) -> str:
    return "&".join(f"matcher={quote(matcher)}" for matcher in matchers)


@pytest.fixture
def fleet(api: Api) -> Api:
    make_alert(api, labels={"host": "db1", "team": "a"}, severity=40, minutes_ago=1)
    make_alert(api, labels={"host": "db2", "team": "b"}, severity=20, minutes_ago=2, is_flapping=True)
    make_alert(api, labels={"host": "web1"}, severity=10, minutes_ago=3, status="resolved")
    muted = [{"kind": "silence", "id": str(new_id()), "name": "on it"}]
    texts = {"summary": "Disk FULL 100%"}
    make_alert(api, labels={"host": "web2", "team": ""}, minutes_ago=90, muted_by=muted, annotations=texts)
    make_alert(make_api(), labels={"host": "theirs", "team": "a"})
    return api


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["db1", "db2", "web1", "web2"]),
        ("status=resolved", ["web1"]),
        ("status=resolved&status=firing&severity=critical", ["db1"]),
        ("severity=info&severity=critical", ["db1", "web1"]),
        ("severity_min=warning", ["db1", "db2", "web2"]),
        ("flapping=true", ["db2"]),
        ("muted=true", ["web2"]),
        ("muted=false", ["db1", "db2", "web1"]),
        ("q=disk+full", ["web2"]),
        ("q=100%25", ["web2"]),
        ("q=WEB", ["web1", "web2"]),
        ("q=_", []),
        (only('team="a"'), ["db1"]),
        (only('team!="a"'), ["db2", "web1", "web2"]),
        (only('team=""'), ["web1", "web2"]),
        (only('team!=""'), ["db1", "db2"]),
        (only('host=~"db.*"', 'team!~"b|c"'), ["db1"]),
        (only('{team=~".+", host="db2"}'), ["db2"]),
    ],
)
def test_filters(fleet: Api, query: str, expected: list[str]) -> None:
    assert hosts(fleet, query) == expected


def test_a_time_range(fleet: Api) -> None:
    until = quote((timezone.now() - timedelta(minutes=30)).isoformat())
    assert hosts(fleet, f"until={until}") == ["web2"]
    assert "web2" not in hosts(fleet, f"since={until}")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("status=odd", "status"),
        ("severity=loud", "severity"),
        ("severity_min=", "severity_min"),
        ("matcher=", "matcher"),
        (only('a=~"(?=b)"'), "matcher"),
        (only("team"), "matcher"),
        ("since=yesterday", "since"),
        ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "until"),
        ("q=" + "x" * 201, "q"),
        ("muted=1", "muted"),
        ("group=1", "group"),
        ("order_by=-severity", "order_by"),
        ("status__in=firing", "status__in"),
    ],
)
def test_a_bad_parameter_is_named(api: Api, query: str, name: str) -> None:
    answer = api.client.get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == f"?{name}"


def test_pages_of_an_expression_neither_repeat_nor_lose(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerting.api.scanning.STEP", 3)
    monkeypatch.setattr("alerting.api.scanning.MAX_SCANNED", 6)
    for number in range(20):
        make_alert(api, labels={"host": f"h{number}", "odd": str(number % 2)}, minutes_ago=number)
    found, url, pages = [], f"{URL}?limit=2&" + only('odd=~"1"', 'host!~"h1.*"'), 0
    while url:
        page = api.client.get(url).json()
        found += [row["labels"]["host"] for row in page["results"]]
        url, pages = page["next"], pages + 1
    assert found == ["h3", "h5", "h7", "h9"]
    assert pages > 2


def test_the_list_takes_the_same_statements_however_long(api: Api) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.client.get(URL).status_code == 200
        return len(captured)

    make_alert(api, labels={"host": "one"})
    statements()
    few = statements()
    for number in range(10):
        make_alert(api, labels={"host": str(number)})
    assert statements() == few


def test_expressions_never_reach_the_database(fleet: Api) -> None:
    with CaptureQueriesContext(connection) as captured:
        hosts(fleet, only('host=~"d(b)+[12]"'))
    assert not [query for query in captured if "d(b)+" in query["sql"]]


def test_the_history_of_an_alert_is_told_in_order(api: Api) -> None:
    alert = make_alert(api, labels={"host": "x"})
    with tenant_context(api.tenant.pk):
        for kind in ("fired", "muted", "resolved"):
            TimelineEvent.objects.create(alert_id=alert.pk, kind=kind)
        TimelineEvent.objects.create(alert_id=new_id(), kind="other")
    page = api.client.get(f"{URL}/{alert.pk}/timeline?limit=2").json()
    assert [event["kind"] for event in page["results"]] == ["fired", "muted"]
    assert [event["kind"] for event in api.client.get(page["next"]).json()["results"]] == ["resolved"]


@pytest.mark.parametrize("address", ["", "/timeline"])
def test_an_alert_of_another_tenant_does_not_exist(api: Api, address: str) -> None:
    theirs = make_alert(make_api(), labels={"host": "x"})
    assert api.client.get(f"{URL}/{theirs.pk}{address}").status_code == 404


@pytest.mark.parametrize("odd", ["1", "x" * 400, "00000000-0000-0000-0000-00000000000g", "%00", "null"])
def test_an_odd_id_does_not_exist(api: Api, odd: str) -> None:
    assert api.client.get(f"{URL}/{odd}").status_code == 404
