"""The door over HTTP: what is stored, what is answered, and that nothing is stored twice."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import psycopg2.errors
import pytest
import redis
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.utils.translation import get_language

from alerting import backlog, intake, rate_limit, room, wakeup
from alerting.api.health import ready
from alerting.decoding import decode_body
from alerting.models import IntakeQueue, IntakeRequest, QuarantinedAlert
from tenants.context import tenant_context
from tests.factories import PASSWORD, Api, make_api, make_member

GOOD = {"labels": {"alertname": "DiskFull"}}
BAD = {"labels": {"not a name": "x"}}


@pytest.fixture(autouse=True)
def quiet_door(fresh_limits: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Mount the door alone and collect wake-ups."""
    settings.ROOT_URLCONF = "tests.alerting.intake_urls"
    rung: list[Any] = []
    monkeypatch.setattr(wakeup, "ring", lambda task, tenant_id: rung.append((task, tenant_id)))
    return rung


def send(api: Api, document: Any, path: str = "/api/v1/alerts", **headers: str) -> Any:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return api.client.generic("POST", path, body, "application/json", headers=headers)


def stored(api: Api) -> list[IntakeRequest]:
    with tenant_context(api.tenant.pk):
        return list(IntakeRequest.objects.order_by("id"))


def quarantined(api: Api) -> list[QuarantinedAlert]:
    with tenant_context(api.tenant.pk):
        return list(QuarantinedAlert.objects.order_by("item_index"))


@pytest.mark.django_db
def test_an_alert_becomes_one_row_and_one_place_in_the_queue() -> None:
    api = make_api()
    response = send(api, GOOD)
    assert response.status_code == 202
    assert response.json() | {"id": ""} == {"id": "", "accepted": 1, "rejected": 0, "errors": []}
    assert response["Location"] == f"/api/v1/intake/{response.json()['id']}"
    row = stored(api)[0]
    assert str(row.pk) == response.json()["id"]
    assert (row.source, row.accepted, str(row.api_key_id)) == ("native", 1, api.principal.id)
    assert [alert.labels for alert in decode_body(row.body)] == [GOOD["labels"]]
    place = IntakeQueue.objects.get(pk=row.pk)
    assert (place.tenant_id, place.alert_count) == (api.tenant.pk, 1)


@pytest.mark.django_db
def test_a_batch_is_one_row_in_one_statement(django_assert_num_queries: Callable[..., Any]) -> None:
    api = make_api()
    send(api, GOOD)
    with django_assert_num_queries(5):  # a savepoint and the tenant around one statement, as tests run inside one
        assert send(api, [GOOD] * 1000).json()["accepted"] == 1000
    assert [row.accepted for row in stored(api)] == [1, 1000]


@pytest.mark.django_db
def test_alertmanager_s_payload_is_taken() -> None:
    api = make_api()
    payload = {"version": "4", "alerts": [{"status": "resolved", "labels": {"alertname": "Down", "severity": "page"}}]}
    for path in ("/api/v1/integrations/alertmanager/", "/api/v1/integrations/alertmanager"):
        assert send(api, payload, path).status_code == 202
    alert = decode_body(stored(api)[0].body)[0]
    assert (alert.status, alert.severity) == ("resolved", 40)


@pytest.mark.django_db
def test_a_faulty_item_is_answered_kept_and_costs_nobody_else() -> None:
    api = make_api()
    response = send(api, [GOOD, BAD, GOOD])
    assert (response.status_code, response.json()["accepted"], response.json()["rejected"]) == (202, 2, 1)
    error = response.json()["errors"][0]
    assert (error["index"], error["pointer"], error["code"]) == (1, "/1/labels/not a name", "bad_name")
    item = quarantined(api)[0]
    assert json.loads(bytes(item.raw)) == BAD
    assert (item.item_index, item.state, item.errors, str(item.intake_id)) == (
        1,
        "waiting",
        [error],
        response.json()["id"],
    )


@pytest.mark.django_db
def test_nothing_but_faults_is_a_400_and_kept_all_the_same(quiet_door: list[Any]) -> None:
    api = make_api()
    response = send(api, [BAD, {"labels": {"a": "\0"}}])
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    document = response.json()
    assert (document["code"], document["rejected"], len(document["errors"])) == ("nothing_accepted", 2, 2)
    assert len(quarantined(api)) == 2
    assert not IntakeQueue.objects.exists()
    status = api.client.get(f"/api/v1/intake/{document['id']}").json()
    assert (status["state"], status["rejected"]) == ("refused", 2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b" ", 400, "malformed_json"),
        (b"[]", 400, "empty"),
        (b"[" * 9999, 400, "too_deep"),
        (b"1", 400, "type"),
        (json.dumps([GOOD] * 1001).encode(), 413, "too_many"),
        (b" " * 1_048_577, 413, "too_large"),
    ],
)
def test_what_cannot_be_read_stores_nothing(body: bytes, status: int, code: str) -> None:
    api = make_api()
    response = send(api, body)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not stored(api)


@pytest.mark.django_db
def test_the_same_key_and_body_is_stored_once_and_answered_alike() -> None:
    api = make_api()
    first = send(api, [GOOD, BAD], **{"Idempotency-Key": "order-1"})
    again = send(api, [GOOD, BAD], **{"Idempotency-Key": "order-1"})
    assert again.json() == first.json()
    assert again.status_code == 202
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert (len(stored(api)), len(quarantined(api))) == (1, 1)


@pytest.mark.django_db
def test_a_refusal_is_repeated_too() -> None:
    api = make_api()
    first = send(api, BAD, **{"Idempotency-Key": "k"}).json()
    again = send(api, BAD, **{"Idempotency-Key": "k"})
    assert (again.status_code, again.json()["id"], again.json()["errors"]) == (400, first["id"], first["errors"])
    assert len(quarantined(api)) == 1


@pytest.mark.django_db
def test_the_same_key_with_another_body_is_422() -> None:
    api = make_api()
    send(api, GOOD, **{"Idempotency-Key": "k"})
    response = send(api, [GOOD], **{"Idempotency-Key": "k"})
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_mismatch")
    assert send(make_api(), [GOOD], **{"Idempotency-Key": "k"}).status_code == 202


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_an_odd_idempotency_key_is_refused(key: str) -> None:
    assert send(make_api(), GOOD, **{"Idempotency-Key": key}).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/alerts", "/api/v1/integrations/alertmanager/"])
def test_keys_that_may_not_send_are_refused(path: str) -> None:
    reader = make_api(scopes=["alerts:read"])
    assert send(reader, GOOD, path).status_code == 403
    wrong = reader.token[:-8] + "00000000"
    refused = [
        Client().post(path, GOOD, content_type="application/json"),
        Client(headers={"Authorization": "Api-Key nonsense"}).post(path, GOOD, content_type="application/json"),
        Client(headers={"Authorization": f"Api-Key {wrong}"}).post(path, GOOD, content_type="application/json"),
        Client(headers={"Authorization": "Basic eDp5"}).post(path, GOOD, content_type="application/json"),
    ]
    assert {response.status_code for response in refused} == {401}
    documents = [response.json() | {"trace_id": ""} for response in refused]
    assert all(document == documents[0] for document in documents)
    assert not stored(reader)


@pytest.mark.django_db
def test_other_methods_are_405() -> None:
    assert make_api().client.put("/api/v1/alerts").status_code == 405
    assert make_api().client.get("/api/v1/integrations/alertmanager/").status_code == 405


@pytest.mark.django_db
def test_query_parameters_are_refused() -> None:
    assert send(make_api(), GOOD, "/api/v1/alerts?tenant=other").json()["code"] == "bad_query"


@pytest.mark.django_db
def test_what_became_of_a_request_is_seen_by_its_tenant_alone() -> None:
    api = make_api(scopes=["alerts:write"])
    request_id = send(api, [GOOD, BAD]).json()["id"]
    shown = api.client.get(f"/api/v1/intake/{request_id}").json()
    assert (shown["state"], shown["accepted"], shown["rejected"], len(shown["errors"])) == ("waiting", 1, 1, 1)
    assert make_api().client.get(f"/api/v1/intake/{request_id}").status_code == 404
    assert api.client.get(f"/api/v1/intake/{uuid4()}").status_code == 404
    assert api.client.get("/api/v1/intake/nonsense").status_code == 404


@pytest.mark.django_db
def test_a_tenant_with_too_much_waiting_is_asked_to_wait(settings: Any) -> None:
    settings.INTAKE_MAX_WAITING_PER_TENANT = 10
    busy, calm = make_api(), make_api()
    assert send(busy, [GOOD] * 10).status_code == 202
    response = send(busy, GOOD)
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(response["Retry-After"]) <= 5
    assert send(calm, GOOD).status_code == 202
    backlog.forget()
    assert send(busy, GOOD).status_code == 429


@pytest.mark.django_db
def test_when_everybody_has_too_much_waiting_all_are_asked_to_wait(settings: Any) -> None:
    settings.INTAKE_MAX_WAITING = 10
    assert send(make_api(), [GOOD] * 10).status_code == 202
    response = send(make_api(), GOOD)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response["Retry-After"]) >= 1
    IntakeQueue.objects.all().delete()
    backlog.forget()
    assert send(make_api(), GOOD).status_code == 202


@pytest.mark.django_db
@pytest.mark.parametrize("is_redis_there", [True, False])
def test_who_sends_too_fast_is_told_when_to_come_back(
    settings: Any, monkeypatch: pytest.MonkeyPatch, is_redis_there: bool
) -> None:
    settings.INTAKE_ALERTS_PER_SECOND_OF_KEY = 10
    if not is_redis_there:
        nowhere = redis.Redis(port=1, socket_connect_timeout=0.1, retry=None)
        monkeypatch.setattr(wakeup, "broker", lambda: nowhere)
    fast, other = make_api(), make_api()
    assert send(fast, [GOOD] * 1000).status_code == 202  # the burst
    response = send(fast, [GOOD] * 50)
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
    assert 4 <= int(response["Retry-After"]) <= 5
    assert send(other, GOOD).status_code == 202


@pytest.mark.django_db
def test_processes_share_a_limit_through_redis(settings: Any) -> None:
    settings.INTAKE_ALERTS_PER_SECOND_OF_TENANT = 10
    api = make_api()
    assert send(api, [GOOD] * 1000).status_code == 202
    rate_limit.forget()  # as another process, which has no lease
    assert send(api, [GOOD] * 50).status_code == 429


def test_a_commit_rings_for_its_tenant(committed_db: None, quiet_door: list[Any]) -> None:
    api = make_api()
    send(api, GOOD)
    assert quiet_door == [(wakeup.INTAKE, api.tenant.pk)]
    connection.close()
    assert len(stored(api)) == 1


def race(api: Api, documents: list[Any], keys: list[str]) -> list[tuple[int, bool, Any]]:
    """Send every document under its key from a thread of its own, all at once."""
    barrier, answers = threading.Barrier(len(documents)), []

    def run(document: Any, key: str) -> None:
        try:
            barrier.wait(10)
            response = send(api, document, **{"Idempotency-Key": key})
            answers.append((response.status_code, "Idempotency-Replayed" in response, response.json().get("id")))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(documents, keys, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def test_many_at_once_under_one_key_store_exactly_once(committed_db: None) -> None:
    api = make_api()
    documents = [[GOOD]] * 24
    answers = race(api, documents, [f"key-{number % 3}" for number in range(24)])
    assert Counter((status, is_replayed) for status, is_replayed, _id in answers) == {(202, False): 3, (202, True): 21}
    assert len({answer[2] for answer in answers}) == 3
    assert len(stored(api)) == 3


def test_of_two_bodies_at_once_under_one_key_one_wins(committed_db: None) -> None:
    api = make_api()
    answers = race(api, [[GOOD], [GOOD, GOOD]] * 8, ["k"] * 16)
    assert Counter(status for status, _replayed, _id in answers) == {202: 8, 422: 8}
    assert len(stored(api)) == 1


@pytest.mark.django_db
def test_a_fixed_item_is_taken_once_and_the_act_is_audited() -> None:
    api = make_api()
    send(api, [GOOD, BAD])
    item = quarantined(api)[0]
    path = f"/api/v1/quarantine/{item.pk}/replay"
    still_bad = api.client.post(path, {}, content_type="application/json")
    assert (still_bad.status_code, still_bad.json()["errors"][0]["code"]) == (400, "bad_name")
    fixed = api.client.post(path, {"alert": GOOD}, content_type="application/json")
    assert (fixed.status_code, fixed.json()["accepted"]) == (202, 1)
    assert api.client.post(path, {"alert": GOOD}, content_type="application/json").status_code == 409
    rows = stored(api)
    assert [alert.labels for alert in decode_body(rows[1].body)] == [GOOD["labels"]]
    assert quarantined(api)[0].state == "replayed"
    with tenant_context(api.tenant.pk), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_entry WHERE action = 'quarantine.replayed'")
        assert cursor.fetchone()[0] == 1


@pytest.mark.django_db
def test_an_item_of_alertmanager_is_fixed_in_its_own_format() -> None:
    api = make_api()
    payload = {"version": "4", "alerts": [{"status": "firing", "labels": {}}]}
    assert send(api, payload, "/api/v1/integrations/alertmanager/").status_code == 400
    item = quarantined(api)[0]
    fixed = {"alert": {"status": "firing", "labels": {"alertname": "Down"}, "endsAt": "0001-01-01T00:00:00Z"}}
    path = f"/api/v1/quarantine/{item.pk}/replay"
    assert api.client.post(path, fixed, content_type="application/json").status_code == 202
    assert stored(api)[1].source == "alertmanager"


@pytest.mark.django_db
def test_the_quarantine_is_listed_filtered_and_emptied() -> None:
    api, stranger = make_api(), make_api()
    send(api, [GOOD, BAD, {"labels": {"a": "\ud800"}}])
    listed = api.client.get("/api/v1/quarantine?state=waiting&limit=1").json()
    assert (len(listed["results"]), bool(listed["next"])) == (1, True)
    item_id = listed["results"][0]["id"]
    assert UUID(item_id)
    assert stranger.client.get(f"/api/v1/quarantine/{item_id}").status_code == 404
    assert stranger.client.post(f"/api/v1/quarantine/{item_id}/discard").status_code == 404
    path = f"/api/v1/quarantine/{item_id}"
    assert api.client.post(f"{path}/discard", {"reason": "noise"}, content_type="application/json").status_code == 204
    assert api.client.get(path).json()["state"] == "discarded"
    assert len(api.client.get("/api/v1/quarantine?state=waiting").json()["results"]) == 1
    assert api.client.get("/api/v1/quarantine?state=open").status_code == 400
    sender = make_api(api.tenant, ["alerts:write", "alerts:read"])
    assert sender.client.post(f"/api/v1/quarantine/{item_id}/discard").status_code == 403


@pytest.mark.django_db
def test_what_is_too_long_to_keep_must_be_sent_whole() -> None:
    api = make_api()
    send(api, {"labels": {"a": "x" * 70_000}})
    path = f"/api/v1/quarantine/{quarantined(api)[0].pk}/replay"
    assert api.client.post(path, {}, content_type="application/json").status_code == 409
    assert api.client.post(path, {"alert": GOOD}, content_type="application/json").status_code == 202


@pytest.mark.django_db
def test_members_send_with_their_session_and_their_role() -> None:
    tenant = make_api().tenant
    statuses = {}
    for role in ("owner", "viewer"):
        client = Client(raise_request_exception=False)
        member = make_member(tenant, role)
        assert client.login(username=member.username, password=PASSWORD)
        statuses[role] = client.post("/api/v1/alerts", GOOD, content_type="application/json").status_code
    assert statuses == {"owner": 202, "viewer": 403}


@pytest.mark.django_db
@pytest.mark.parametrize("document", [[GOOD, BAD], BAD, "text"])
def test_the_short_and_the_ordinary_way_answer_alike(settings: Any, document: Any) -> None:
    api = make_api()
    short = send(api, document)
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != "alerting.api.shortcut.IntakeShortcut"]
    ordinary = send(api, document)
    assert short.status_code == ordinary.status_code
    changing = {"id": "", "trace_id": ""}
    assert short.json() | changing == ordinary.json() | changing
    assert short["Content-Type"] == ordinary["Content-Type"]
    assert short["X-Content-Type-Options"] == ordinary["X-Content-Type-Options"] == "nosniff"
    assert short["X-Trace-Id"]
    assert "X-Frame-Options" not in short


@pytest.mark.django_db
def test_keys_are_not_taken_over_plain_http_where_tls_is_demanded(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    api = make_api()
    assert send(api, GOOD).status_code == 301
    assert not stored(api)
    assert api.client.post("/api/v1/alerts", GOOD, content_type="application/json", secure=True).status_code == 202


@pytest.mark.django_db
def test_a_foreign_host_name_is_refused() -> None:
    response = send(make_api(), GOOD, Host="evil.example")
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


@pytest.mark.django_db
def test_a_database_that_is_away_is_a_503_and_forgiven_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    api = make_api()
    assert send(api, GOOD).status_code == 202

    def away(*_: Any) -> None:
        raise OperationalError("server closed the connection at 10.0.0.1")

    with monkeypatch.context() as patch:
        patch.setattr("alerting.intake.one_statement", away)
        response = send(api, GOOD)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response["Retry-After"]) >= 1
    assert "10.0.0.1" not in response.text
    assert send(api, GOOD).status_code == 202


@pytest.mark.django_db
def test_answers_speak_the_language_asked_for_only(monkeypatch: pytest.MonkeyPatch) -> None:
    spoken: list[str] = []
    monkeypatch.setattr(backlog, "check", lambda tenant_id: spoken.append(get_language()))
    api = make_api()
    send(api, GOOD, **{"Accept-Language": "de"})
    send(api, GOOD)
    assert spoken == ["de", "en"]


@pytest.mark.django_db
class TestADiskThatIsFull:
    """A web process that cannot store alerts says so to its load balancer, and not for longer than it knows."""

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
        clock = SimpleNamespace(now=1_000.0)
        monkeypatch.setattr(room, "time", SimpleNamespace(monotonic=lambda: clock.now))
        monkeypatch.setattr(room, "_full_at", None)
        return clock

    def refuse(self, patch: pytest.MonkeyPatch, cause: Exception) -> None:
        def fail(*args: Any) -> None:
            raise OperationalError("could not extend file") from cause

        patch.setattr(intake, "one_statement", fail)

    def problems(self) -> tuple[int, dict[str, str]]:
        answer = ready(RequestFactory().get("/health/ready"))
        return answer.status_code, json.loads(answer.content)["problems"]

    @pytest.mark.parametrize("key", ["", "once"])
    def test_is_told_until_alerts_are_stored_again(self, key: str) -> None:
        """By a request of its own, and by one that shares its commit."""
        api, headers = make_api(), {"Idempotency-Key": key} if key else {}
        with pytest.MonkeyPatch.context() as patch:
            self.refuse(patch, psycopg2.errors.DiskFull("could not extend file"))
            assert send(api, GOOD, **headers).status_code == 503
        assert self.problems() == (503, {"database": "disk full"})
        assert send(api, GOOD, **headers).status_code == 202
        assert self.problems() == (200, {})

    def test_is_asked_again_after_a_while(self, clock: SimpleNamespace) -> None:
        with pytest.MonkeyPatch.context() as patch:
            self.refuse(patch, psycopg2.errors.DiskFull("could not extend file"))
            send(make_api(), GOOD)
        clock.now += room.SECONDS - 1
        assert self.problems()[0] == 503
        clock.now += 1
        assert self.problems() == (200, {})

    def test_is_not_any_fault(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            self.refuse(patch, psycopg2.OperationalError("server closed the connection"))
            assert send(make_api(), GOOD).status_code == 503
        assert self.problems() == (200, {})
