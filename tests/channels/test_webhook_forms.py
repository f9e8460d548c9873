"""What a webhook says: validated against the documented schema, and read by a receiver made for Alertmanager."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from pytest_django.fixtures import Settings

from alerting.decoding import decode_alertmanager
from channels import registry
from channels.adapters.webhook_alertmanager import common
from channels.errors import InvalidSettings
from channels.message import AlertLine, Link, Message
from channels.templating.samples import AT, NASTY, sample_message, worst_messages
from tests.channels.sending import changed, send
from tests.fakes.http import FakeServer
from tests.fakes.webhook import FakeWebhook

SECRET = "whsec_" + "c2VjcmV0" * 4
SCHEMA = json.loads((Path(__file__).parents[2] / "docs/webhook-schema/v1.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


class Receiver(FakeWebhook):
    """A receiver that knows where it listens and what it got last."""

    url = ""

    def last(self) -> Any:
        return json.loads(self.arrived[-1].request.body)


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.EGRESS_ALLOW_HTTP = settings.EGRESS_ALLOW_LOOPBACK = True
    fake = Receiver(secrets=[SECRET])
    with FakeServer(fake) as server:
        fake.url = f"{server.url}/hooks/a"
        yield fake


def post(receiver: Receiver, message: Message, form: str = "native") -> Any:
    send("webhook", {"url": receiver.url, "format": form}, {"secrets": [SECRET]}, message=message)
    assert receiver.arrived[-1].signature == "valid"
    return receiver.last()


@pytest.mark.parametrize("number", range(4))
def test_what_is_sent_is_what_the_schema_says(receiver: Receiver, number: int) -> None:
    VALIDATOR.validate(post(receiver, worst_messages()[number]))


def test_every_field_is_documented(receiver: Receiver) -> None:
    body = post(receiver, sample_message())
    defined = SCHEMA["$defs"]
    assert set(body) == set(SCHEMA["properties"])
    assert set(body["data"]) == set(defined["message"]["properties"])
    for name, struct in (("alert", AlertLine), ("link", Link)):
        fields = {field.encode_name for field in msgspec.structs.fields(struct)}
        assert set(defined[name]["required"]) <= fields <= set(defined[name]["properties"])
    for part in (SCHEMA, *defined.values()):
        assert all(rule.get("description") or "$ref" in rule for rule in part["properties"].values())


@pytest.mark.parametrize(
    ("path", "value"),
    [(("schema_version",), 2), (("data", "status"), "odd"), (("data", "created_at"), "yesterday"), (("data",), [])],
)
def test_the_schema_refuses_what_it_does_not_describe(receiver: Receiver, path: tuple[str, ...], value: Any) -> None:
    body = post(receiver, sample_message())
    inner = body
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    assert list(VALIDATOR.iter_errors(body))


def test_a_receiver_made_for_alertmanager_takes_it(receiver: Receiver) -> None:
    body = post(receiver, sample_message(), "alertmanager")
    decoded = decode_alertmanager(receiver.arrived[-1].request.body, AT)
    assert decoded.rejected == []
    assert [dict(alert.labels)["instance"] for alert in decoded.alerts] == [
        "db-primary-1",
        "db-replica-2",
        "db-replica-3",
    ]
    assert body["version"] == "4"
    assert body["status"] == "firing"
    assert body["truncatedAlerts"] == 2
    assert body["receiver"] == "payments"
    assert body["commonLabels"] == {"alertname": "DiskAlmostFull", "mountpoint": "/var/lib/pg"}
    assert body["groupKey"].endswith('{alertname="DiskAlmostFull", cluster="eu-west-1", service="ledger"}')
    assert [alert["status"] for alert in body["alerts"]] == ["firing", "firing", "resolved"]
    assert [alert["endsAt"][:4] for alert in body["alerts"]] == ["0001", "0001", "2026"]


def test_the_alertmanager_form_has_alertmanagers_fields_and_no_others(receiver: Receiver) -> None:
    body = post(receiver, sample_message(), "alertmanager")
    assert list(body) == [
        *("version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels"),
        *("commonAnnotations", "externalURL", "alerts"),
    ]
    assert list(body["alerts"][0]) == [
        *("status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"),
    ]
    assert len(body["alerts"][0]["fingerprint"]) == 16


@pytest.mark.parametrize("number", range(4))
def test_the_worst_messages_are_alertmanagers_too(receiver: Receiver, number: int) -> None:
    message = worst_messages()[number]
    body = post(receiver, message, "alertmanager")
    assert body["status"] == message.status
    assert len(body["alerts"]) == len(message.alerts)


def test_an_acknowledged_group_still_fires_for_alertmanager(receiver: Receiver) -> None:
    body = post(receiver, changed(status="acknowledged", group_labels={NASTY: NASTY}), "alertmanager")
    assert body["status"] == "firing"


def test_common_is_what_all_have() -> None:
    assert common([]) == {}
    assert common([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}, {"a": "1"}]) == {"a": "1"}


def test_another_form_is_refused() -> None:
    with pytest.raises(InvalidSettings) as caught:
        registry.adapter("webhook").settings_from({"url": "https://a.example.com/", "format": "xml"})
    assert list(caught.value.errors) == ["format"]
