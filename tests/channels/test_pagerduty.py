"""PagerDuty, fed with events it checks as the real one does."""

import json
from typing import Any

import pytest

from channels import registry
from channels.adapters.base import Receipt
from channels.errors import ChannelError, ErrorReason, InvalidSettings
from channels.message import AlertLine
from channels.templating.samples import AT, worst_messages
from tests.channels.sending import DELIVERY_ID, changed
from tests.channels.sending import send as send_by
from tests.fakes.http import Reply
from tests.fakes.pagerduty import FakePagerDuty, ScriptedEvent, refuse

KEY = "r" * 32
CREDENTIALS = {"routing_key": KEY}
ADAPTER = registry.adapter("pagerduty")
INCIDENT = "payments:0192c0de-0000-7000-8000-000000000002"


def send(raw: dict[str, Any] | None = None, **kwargs: Any) -> Receipt:
    return send_by("pagerduty", raw or {}, CREDENTIALS, **kwargs)


def fail(**kwargs: Any) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        send(**kwargs)
    return caught.value


def test_a_firing_group_is_an_incident(pagerduty: FakePagerDuty) -> None:
    receipt = send()
    (incident,) = pagerduty.incidents
    assert receipt == Receipt(provider_id=INCIDENT, detail={"action": "trigger"})
    assert (incident.key, incident.status) == (INCIDENT, "triggered")
    payload = incident.payload
    assert payload["summary"].startswith("Disk almost full on db-primary-1")
    assert payload["severity"] == "critical"
    assert payload["source"] == "db-primary-1"
    assert (payload["class"], payload["group"]) == ("DiskAlmostFull", "ledger")
    assert payload["custom_details"]["alerts"][0]["labels"]["mountpoint"] == "/var/lib/pg"
    assert payload["custom_details"]["alerts_left_out"] == 2
    assert [link["text"] for link in incident.event["links"]] == ["Group", "Runbook", "Dashboard"]
    assert incident.event["client_url"] == "https://alerts.example.com/groups/0192c0de"


def test_acknowledge_and_resolve_find_the_incident(pagerduty: FakePagerDuty) -> None:
    send()
    send(message=changed(status="acknowledged"), delivery_id="another")
    assert pagerduty.incidents[0].status == "acknowledged"
    send(message=changed(status="resolved"), delivery_id="a third")
    assert pagerduty.incidents[0].status == "resolved"
    assert pagerduty.incidents[0].actions == ["trigger", "acknowledge", "resolve"]


def test_the_same_event_twice_is_one_incident(pagerduty: FakePagerDuty) -> None:
    pagerduty.script.append(ScriptedEvent(Reply(drop=True), accept=True))
    assert fail().ambiguous
    send()
    assert len(pagerduty.incidents) == 1


def test_the_next_group_of_the_kind_is_the_next_incident(pagerduty: FakePagerDuty) -> None:
    send()
    send(message=changed(status="resolved"))
    send(message=changed(group_id="0192c0de-0000-7000-8000-000000000003"))
    assert [one.status for one in pagerduty.incidents] == ["resolved", "triggered"]


@pytest.mark.parametrize(
    ("number", "name"), [(0, "info"), (10, "info"), (20, "warning"), (30, "error"), (45, "critical")]
)
def test_severities_have_pagerdutys_names(pagerduty: FakePagerDuty, number: int, name: str) -> None:
    send(message=changed(severity=number))
    assert pagerduty.incidents[0].payload["severity"] == name


@pytest.mark.parametrize("number", range(4))
def test_the_worst_messages_are_taken(pagerduty: FakePagerDuty, number: int) -> None:
    message = worst_messages()[number]
    send(message=message)
    assert len(pagerduty.incidents) == (message.status == "firing")


def test_no_message_is_too_big(pagerduty: FakePagerDuty) -> None:
    big = AlertLine(
        fingerprint="f",
        status="firing",
        labels={f"{number}": "\U0001f525" * 900 for number in range(60)},
        annotations={f"{number}": "\u0001é" * 900 for number in range(60)},
        starts_at=AT,
    )
    send(message=changed(alerts=[big] * 50, total_count=50, group_labels=big.labels))
    details = pagerduty.incidents[0].payload["custom_details"]
    assert 0 < len(details["alerts"]) < 50
    assert len(details["alerts"]) + details["alerts_left_out"] == 50


def test_pictures_and_links_are_web_addresses(pagerduty: FakePagerDuty) -> None:
    def line(url: str) -> AlertLine:
        return AlertLine(fingerprint="f", status="firing", annotations={"image_url": url})

    urls = ["https://img.example.com/a.png", "http://img.example.com/b.png", "javascript:alert(1)"]
    send(message=changed(alerts=[line(url) for url in urls], group_url="javascript:alert(1)", links=[]))
    event = pagerduty.incidents[0].event
    assert event["images"] == [{"src": urls[0], "alt": "Chart"}]
    assert "links" not in event
    assert "client_url" not in event


def test_what_is_only_for_information_may_be_a_change_event(pagerduty: FakePagerDuty) -> None:
    receipt = send({"info_as": "change"}, message=changed(severity=10))
    assert receipt.detail == {"action": "change"}
    assert pagerduty.incidents == []
    assert pagerduty.changes[0]["payload"]["summary"].startswith("Disk almost full")
    send({"info_as": "change"}, message=changed(severity=20))
    send(message=changed(kind="change"))
    assert (len(pagerduty.incidents), len(pagerduty.changes)) == (1, 2)


@pytest.mark.parametrize(
    ("reply", "reason", "permanent", "ambiguous"),
    [
        (refuse("Event object is invalid", "x"), ErrorReason.CLIENT_ERROR, True, False),
        (refuse("Invalid routing key"), ErrorReason.AUTH, True, False),
        (Reply(413), ErrorReason.TOO_LARGE, True, False),
        (Reply(429), ErrorReason.RATE_LIMITED, False, False),
        (Reply(500), ErrorReason.SERVER_ERROR, False, True),
        (Reply(503), ErrorReason.SERVER_ERROR, False, True),
        (Reply(302, b"", {"Location": "http://127.0.0.1:1/"}), ErrorReason.CLIENT_ERROR, True, False),
        (Reply(202, b"not json"), ErrorReason.SERVER_ERROR, False, True),
        (Reply(202, b"{}"), ErrorReason.SERVER_ERROR, False, True),
        (Reply(drop=True), ErrorReason.NETWORK, False, True),
    ],
)
def test_what_pagerduty_answers_is_told_at_once(
    pagerduty: FakePagerDuty, reply: Reply, reason: ErrorReason, permanent: bool, ambiguous: bool
) -> None:
    pagerduty.script.append(ScriptedEvent(reply))
    error = fail()
    assert (error.reason, error.permanent, error.ambiguous) == (reason, permanent, ambiguous)
    assert len(pagerduty.calls) == 1
    assert KEY not in str(error)


def test_a_wrong_key_is_said_in_pagerdutys_words(pagerduty: FakePagerDuty) -> None:
    pagerduty.routing_key = "s" * 32
    assert fail().detail == "HTTP 400 Invalid routing key"


def test_a_limit_says_how_long_to_wait(pagerduty: FakePagerDuty) -> None:
    pagerduty.script += [ScriptedEvent(Reply(429, b"", {"Retry-After": "9"})), ScriptedEvent(Reply(429))]
    assert [fail().retry_after, fail().retry_after] == [9.0, 5.0]


def test_the_key_is_in_the_body_and_nowhere_else(pagerduty: FakePagerDuty) -> None:
    send()
    (request,) = pagerduty.calls
    assert json.loads(request.body)["routing_key"] == KEY
    assert KEY not in json.dumps(request.headers)
    assert KEY not in repr(ADAPTER.credentials_from(CREDENTIALS))


@pytest.mark.parametrize("credentials", [{}, {"routing_key": "short"}, {"routing_key": KEY, "webhook_secrets": ["x"]}])
def test_wrong_credentials_are_refused(credentials: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings):
        ADAPTER.credentials_from(credentials)


def test_the_delivery_id_stands_for_a_group_that_is_none(pagerduty: FakePagerDuty) -> None:
    assert send(message=changed(group_id="")).provider_id == f"payments:test:{DELIVERY_ID}"
