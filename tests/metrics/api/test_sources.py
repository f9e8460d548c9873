"""Metric sources over REST."""

import json
from typing import Any

import pytest
from django.db import connection

from metrics.collecting import collect_shard
from metrics.models import Source
from tenants.context import tenant_context
from tenants.models import AuditEntry
from tests.factories import Api, make_api, make_member
from tests.fakes.http import FakeServer, Reply, Request
from tests.metrics.collecting.making import make_due

pytestmark = pytest.mark.django_db
URL = "/api/v1/metric-sources"
JSON = "application/json"
SECRET = "token-nobody-may-see"
SOURCE: dict[str, Any] = {
    "name": "queue",
    "kind": "json",
    "settings": {"url": "https://api.example.com/queue", "values": {"depth": "depth"}},
    "credentials": {"token": SECRET},
    "labels": {"site": "eu"},
    "interval": 30,
}


@pytest.fixture
def api() -> Api:
    return make_api()


def make(api: Api, **changes: Any) -> str:
    made = api.client.post(URL, SOURCE | changes, JSON)
    assert made.status_code == 201, made.json()
    return str(made.json()["id"])


def pointers(answer: Any) -> set[str]:
    assert answer.status_code == 400, answer.content
    return {error["pointer"] for error in answer.json()["errors"]}


def test_secrets_go_in_and_never_come_out(api: Api) -> None:
    url = f"{URL}/{make(api)}"
    answers = [api.client.get(url), api.client.get(URL), api.client.patch(url, {"name": "other"}, JSON)]
    assert answers[0].json()["has_credentials"] is True
    assert not [answer for answer in answers if SECRET in answer.content.decode()]
    with tenant_context(api.tenant.pk), connection.cursor() as cursor:
        cursor.execute("SELECT s::text FROM metric_source s UNION ALL SELECT a::text FROM audit_entry a")
        assert not [row for row in cursor.fetchall() if SECRET in row[0]]


def test_changes_are_in_the_audit_log(api: Api) -> None:
    url = f"{URL}/{make(api)}"
    api.client.patch(url, {"interval": 300}, JSON)
    assert api.client.delete(url).status_code == 204
    with tenant_context(api.tenant.pk):
        actions = set(AuditEntry.objects.filter(action__startswith="source.").values_list("action", flat=True))
    assert actions == {"source.created", "source.changed", "source.deleted"}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "pigeon"}, "/kind"),
        ({"settings": {"url": "http://169.254.169.254/", "values": {"n": "n"}}}, "/settings/url"),
        ({"settings": {"url": "https://example.com", "values": {"n": "["}}}, "/settings/values"),
        ({"settings": {"url": "https://example.com", "values": {"n": "n"}, "pigeon": 1}}, "/settings/pigeon"),
        ({"credentials": {"token": "a", "user": "b"}}, "/credentials/token"),
        ({"labels": {"a-b": "c"}}, "/labels"),
        ({"labels": {"a": ""}}, "/labels/a"),
        ({"interval": 1}, "/interval"),
        ({"timeout": 0}, "/timeout"),
        ({"timeout": 31}, "/timeout"),
        ({"pigeon": 1}, "/pigeon"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(api: Api, change: dict[str, Any], pointer: str) -> None:
    assert pointer in pointers(api.client.post(URL, SOURCE | change, JSON))


def test_a_name_is_used_once(api: Api) -> None:
    make(api)
    assert "/name" in pointers(api.client.post(URL, SOURCE, JSON))


def test_stored_credentials_are_not_told_to_another_place(api: Api) -> None:
    url = f"{URL}/{make(api)}"
    moved = {"settings": {"url": "https://evil.example.net/", "values": {"n": "n"}}}
    assert pointers(api.client.patch(url, moved, JSON)) == {"/credentials"}
    assert api.client.patch(url, moved | {"credentials": {"token": "new"}}, JSON).status_code == 200
    with tenant_context(api.tenant.pk):
        assert json.loads(Source.objects.get().credentials) == {"token": "new"}
    same_place = {"settings": {"url": "https://evil.example.net/other", "values": {"n": "n"}}}
    assert api.client.patch(url, same_place, JSON).status_code == 200


def test_a_try_shows_what_is_there_and_stores_nothing(api: Api) -> None:
    seen: list[str] = []

    def application(request: Request) -> Reply:
        seen.append(request.headers.get("authorization", ""))
        return Reply(body=b'{"depth": 12}')

    with FakeServer(application) as server:
        settings = {"url": server.url, "values": {"depth": "depth", "age": "age"}}
        body = {name: value for name, value in SOURCE.items() if name != "name"} | {"settings": settings}
        found = api.client.post(f"{URL}/try", body, JSON)
    assert found.status_code == 200, found.content
    answer = found.json()
    assert (answer["fault"], answer["series"], answer["points"]) == ("", 1, 1)
    assert answer["samples"][0]["labels"] == {"site": "eu"}
    assert answer["samples"][0]["value"] == 12.0
    assert answer["notes"] == ["1 value is missing or no number."]
    assert seen == [f"Bearer {SECRET}"]
    with tenant_context(api.tenant.pk):
        assert not Source.objects.exists()
        assert AuditEntry.objects.filter(action="source.tried").exists()


def test_a_try_of_a_stored_source_uses_its_secrets(api: Api) -> None:
    seen: list[str] = []

    def application(request: Request) -> Reply:
        seen.append(request.headers.get("authorization", ""))
        return Reply(503)

    with FakeServer(application) as server:
        pk = make(api, settings={"url": server.url, "values": {"depth": "depth"}})
        found = api.client.post(f"{URL}/{pk}/try", {}, JSON)
    assert found.status_code == 200
    assert found.json()["fault"] == "The source answered with status 503."
    assert seen == [f"Bearer {SECRET}"]


def test_a_try_cannot_look_inside(api: Api) -> None:
    settings = {"url": "http://10.0.0.1/", "values": {"n": "n"}}
    assert pointers(api.client.post(f"{URL}/try", SOURCE | {"settings": settings}, JSON)) == {"/settings/url"}


def test_no_transaction_is_open_while_a_try_waits(api: Api) -> None:
    """Only inside the test's own transaction; the view opens none around the look."""
    depth: list[int] = []
    before = len(connection.savepoint_ids)

    def application(request: Request) -> Reply:
        depth.append(len(connection.savepoint_ids) - before)
        return Reply(body=b'{"depth": 1}')

    with FakeServer(application) as server:
        settings = {"url": server.url, "values": {"depth": "depth"}}
        api.client.post(f"{URL}/try", SOURCE | {"settings": settings}, JSON)
    assert depth == [0]


def test_how_a_source_is_doing_is_shown(api: Api) -> None:
    with FakeServer(lambda request: Reply(body=b'{"depth": 5}')) as server:
        pk = make(api, settings={"url": server.url, "values": {"depth": "depth"}})
        assert api.client.get(f"{URL}/{pk}").json()["state"] is None
        with tenant_context(api.tenant.pk):
            make_due(Source.objects.get())
        collect_shard()
    state = api.client.get(f"{URL}/{pk}").json()["state"]
    assert (state["health"], state["words"], state["series"]) == ("healthy", "", 1)
    assert state["samples"][0]["metric"] == "depth"


def test_who_only_reads_neither_changes_nor_tries(api: Api) -> None:
    pk = make(api)
    reader = make_api(api.tenant, ["config:read"]).client
    assert reader.get(f"{URL}/{pk}").status_code == 200
    assert reader.post(URL, SOURCE | {"name": "x"}, JSON).status_code == 403
    assert reader.post(f"{URL}/try", SOURCE, JSON).status_code == 403
    assert reader.post(f"{URL}/{pk}/try", {}, JSON).status_code == 403


def test_a_foreign_source_does_not_exist(api: Api) -> None:
    pk = make(api)
    other = make_api().client
    assert other.get(f"{URL}/{pk}").status_code == 404
    assert other.post(f"{URL}/{pk}/try", {}, JSON).status_code == 404
    assert make_member(api.tenant, "viewer").pk


def test_a_tenant_has_only_so_many(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics.source_validation.MAX_SOURCES", 1)
    make(api)
    assert api.client.post(URL, SOURCE | {"name": "second"}, JSON).status_code == 409
