"""The REST door of explain: what it takes, what it answers, who may ask."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from alerting.models import Alert, AlertGroup, Silence, TimelineEvent
from channels.models import Channel, Delivery, DeliveryAttempt
from channels.templating.samples import sample_message
from tenants.context import tenant_context
from tests.factories import Api, make_api

pytestmark = pytest.mark.django_db

ALERT = {"labels": {"alertname": "DiskFull", "region": "eu-west-2"}}


def ask(api: Api, **document: Any) -> Any:
    return api.client.post("/api/v1/explain", json.dumps(document), "application/json")


def step(answer: Any, kind: str) -> dict[str, Any]:
    return next(one for one in answer.json()["steps"] if one["kind"] == kind)


def make_group(api: Api) -> tuple[Alert, AlertGroup]:
    group = AlertGroup.objects.create(
        tenant=api.tenant, key=uuid4().bytes, labels={"alertname": "DiskFull"}, title="DiskFull", severity=30
    )
    alert = Alert.objects.create(
        tenant=api.tenant, fingerprint=uuid4().bytes, status="firing", severity=30, labels=ALERT["labels"],
        annotations={}, starts_at=timezone.now(), group=group,
    )  # fmt: skip
    return alert, group


def make_delivery(api: Api, group: AlertGroup) -> Delivery:
    channel = Channel.objects.create(name="Chat", kind="slack", settings={"channel": "#alerts"})
    delivery = Delivery.objects.create(
        tenant=api.tenant, channel=channel, recipient="#alerts", source_id=group.pk, kind="notification",
        reason="first", dedup_key=b"x" * 32, message=sample_message().to_json(), state="dead",
        state_reason="Refused for good: invalid_auth", attempts=1, expires_at=timezone.now(),
    )  # fmt: skip
    DeliveryAttempt.objects.create(
        tenant=api.tenant, delivery=delivery, lease_token=1, outcome="permanent", latency_ms=120, error_class="auth"
    )
    return delivery


def test_an_alert_is_told_step_by_step() -> None:
    answer = ask(make_api(), alert=ALERT)
    assert answer.status_code == 200
    told = [one["kind"] for one in answer.json()["steps"]]
    assert told[:5] == ["door", "identity", "news", "enrichment", "silences"]
    assert answer.json()["is_prediction"] is True
    assert "no route" in answer.json()["summary"]


def test_a_silence_that_just_misses_names_the_matcher_and_the_value() -> None:
    api = make_api()
    with tenant_context(api.tenant.pk):
        Silence.objects.create(
            matchers=[{"name": "region", "op": "=", "value": "eu-west-1"}], author="Ann", comment="db upgrade",
            starts_at=timezone.now() - timedelta(hours=1), ends_at=timezone.now() + timedelta(hours=1),
        )  # fmt: skip
    missed = step(ask(api, alert=ALERT), "silences")["details"][0]
    assert "“db upgrade” (by Ann, until " in missed["sentence"]
    assert missed["sentence"].endswith("does not mute it: it wants region=eu-west-1, the alert has eu-west-2.")
    assert missed["data"] == {"state": "active", "failed": 'region="eu-west-1"', "seen": "eu-west-2"}


def test_a_time_to_come_is_judged_by_what_holds_then() -> None:
    api = make_api()
    with tenant_context(api.tenant.pk):
        Silence.objects.create(
            matchers=[{"name": "region", "op": "=", "value": "eu-west-2"}], author="Ann", comment="move",
            starts_at=timezone.now() + timedelta(hours=1), ends_at=timezone.now() + timedelta(hours=3),
        )  # fmt: skip
    now, later = ask(api, alert=ALERT), ask(api, alert=ALERT, at=(timezone.now() + timedelta(hours=2)).isoformat())
    assert step(now, "silences")["details"][0]["code"] == "pending"
    assert step(later, "silences")["details"][0]["code"] == "muted"


def test_an_alert_the_door_refuses_is_explained_too() -> None:
    answer = ask(make_api(), alert={"labels": {"not a name": "x"}, "colour": "red"})
    assert answer.status_code == 200
    faults = step(answer, "door")["details"]
    assert {one["data"]["pointer"] for one in faults} == {"/labels/not a name", "/colour"}
    assert answer.json()["verdict"] == "fault"


def test_a_known_alert_is_told_with_its_messages_and_their_attempts() -> None:
    api = make_api()
    with tenant_context(api.tenant.pk):
        alert, group = make_group(api)
        make_delivery(api, group)
        TimelineEvent.objects.create(tenant=api.tenant, alert_id=alert.pk, group_id=group.pk, kind="fired")
        TimelineEvent.objects.create(
            tenant=api.tenant,
            group_id=group.pk,
            kind="told",
            reason="first",
            data={"channel": "Chat", "recipient": "#alerts"},
        )
    answer = ask(api, alert_id=str(alert.pk))
    assert [one["code"] for one in step(answer, "history")["details"]] == ["fired", "told"]
    assert "Told: Chat, #alerts (first message)" in step(answer, "history")["details"][1]["sentence"]
    message = step(answer, "deliveries")["details"][0]
    assert "Chat to #alerts (first message): dead letter" in message["sentence"]
    assert message["details"][0]["sentence"].endswith("refused for good after 120 ms (auth)")
    assert answer.json()["summary"].startswith("1 message: 1 dead letter.")


def test_a_group_nobody_was_told_of_says_why() -> None:
    api = make_api()
    with tenant_context(api.tenant.pk):
        _alert, group = make_group(api)
        TimelineEvent.objects.create(tenant=api.tenant, group_id=group.pk, kind="not_told", reason="no_channel")
    answer = ask(api, group_id=str(group.pk))
    assert answer.json()["summary"].startswith("Nobody was told")
    assert "the route has no channel" in answer.json()["summary"]


@pytest.mark.parametrize("name", ["alert_id", "group_id"])
def test_what_is_foreign_is_not_there(name: str) -> None:
    api = make_api()
    with tenant_context(api.tenant.pk):
        alert, group = make_group(api)
    foreign = {"alert_id": alert.pk, "group_id": group.pk}[name]
    assert ask(make_api(), **{name: str(foreign)}).status_code == 404
    assert ask(make_api(), **{name: str(uuid4())}).status_code == 404


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "/alert"),
        ({"alert": ALERT, "alert_id": str(uuid4())}, "/alert"),
        ({"alert": ["x"]}, "/alert"),
        ({"alert": ALERT, "at": "tomorrow"}, "/at"),
        ({"alert": ALERT, "at": "2026-11-23T10:00:00"}, "/at"),
        ({"alert": ALERT, "at": "9999-12-31T23:59:59Z"}, "/at"),
        ({"alert_id": "x"}, "/alert_id"),
        ({"group_id": str(uuid4()), "at": "2026-11-23T10:00:00Z"}, "/at"),
        ({"alert": ALERT, "labels": {}}, "/labels"),
    ],
)
def test_a_question_that_makes_no_sense_is_a_problem_document(document: dict[str, Any], pointer: str) -> None:
    answer = ask(make_api(), **document)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert pointer in [one["pointer"] for one in answer.json()["errors"]]


def test_it_takes_a_key_that_may_read_alerts() -> None:
    assert ask(make_api(scopes=["alerts:read"]), alert=ALERT).status_code == 200
    assert ask(make_api(scopes=["alerts:write"]), alert=ALERT).status_code == 403
