"""The signed webhook, received by a receiver that checks signatures."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from channels import registry
from channels.adapters.webhook import sign
from channels.errors import ChannelError, ErrorReason, InvalidSettings
from channels.templating.samples import worst_messages
from tests.channels.sending import DELIVERY_ID, send
from tests.fakes.http import FakeServer, Reply
from tests.fakes.webhook import FakeWebhook

OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()
ADAPTER = registry.adapter("webhook")


class Receiver(FakeWebhook):
    """A receiver that knows where it listens."""

    url = ""


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.EGRESS_ALLOW_HTTP = settings.EGRESS_ALLOW_LOOPBACK = True
    fake = Receiver(secrets=[OLD])
    with FakeServer(fake) as server:
        fake.url = f"{server.url}/hooks/a?b=1"
        yield fake


def fail(receiver: Receiver, reply: Reply) -> ChannelError:
    receiver.script.append(reply)
    with pytest.raises(ChannelError) as caught:
        send("webhook", {"url": receiver.url}, {"secrets": [OLD]})
    return caught.value


def test_a_message_arrives_signed(receiver: Receiver) -> None:
    send("webhook", {"url": receiver.url}, {"secrets": [OLD]})
    (arrival,) = receiver.arrived
    body = json.loads(arrival.request.body)
    assert arrival.signature == "valid"
    assert arrival.webhook_id == DELIVERY_ID == body["data"]["delivery_id"]
    assert arrival.request.query == {"b": "1"}
    assert body["type"] == "alert.notification"
    assert body["data"]["alerts"][0]["labels"]["instance"] == "db-primary-1"
    assert body["data"]["summary"].startswith("FIRING (critical): Disk almost full")


def test_a_receiver_that_has_either_secret_takes_it(receiver: Receiver) -> None:
    for known in ([OLD], [NEW], [NEW, OLD]):
        receiver.secrets = known
        send("webhook", {"url": receiver.url}, {"secrets": [NEW, OLD]})
    assert [arrival.signature for arrival in receiver.arrived] == ["valid"] * 3


def test_a_foreign_secret_or_a_changed_body_is_invalid(receiver: Receiver) -> None:
    send("webhook", {"url": receiver.url}, {"secrets": [NEW]})
    assert receiver.arrived[0].signature == "invalid"
    assert sign([OLD], "id", "1", b"a") != sign([OLD], "id", "1", b"b") != sign([OLD], "id", "2", b"b")


def test_the_signature_is_the_one_of_the_standard() -> None:
    # The example of the Standard Webhooks specification's reference libraries.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body) == expected


@pytest.mark.parametrize(
    ("status", "reason", "permanent"),
    [
        (400, ErrorReason.CLIENT_ERROR, True),
        (401, ErrorReason.AUTH, True),
        (404, ErrorReason.CLIENT_ERROR, True),
        (413, ErrorReason.TOO_LARGE, True),
        (302, ErrorReason.CLIENT_ERROR, True),
        (408, ErrorReason.SERVER_ERROR, False),
        (425, ErrorReason.SERVER_ERROR, False),
        (500, ErrorReason.SERVER_ERROR, False),
        (503, ErrorReason.SERVER_ERROR, False),
        (429, ErrorReason.RATE_LIMITED, False),
    ],
)
def test_a_status_means(receiver: Receiver, status: int, reason: ErrorReason, permanent: bool) -> None:
    error = fail(receiver, Reply(status))
    assert (error.reason, error.permanent, error.ambiguous, error.status) == (reason, permanent, False, status)
    assert not error.disable


def test_gone_asks_to_be_switched_off(receiver: Receiver) -> None:
    error = fail(receiver, Reply(410))
    assert error.permanent
    assert error.disable


def test_retry_after_is_read_as_seconds_and_as_a_date(receiver: Receiver) -> None:
    assert fail(receiver, Reply(503, headers={"Retry-After": "12"})).retry_after == 12
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert fail(receiver, Reply(429, headers={"Retry-After": later})).retry_after == pytest.approx(100, abs=5)
    assert fail(receiver, Reply(429, headers={"Retry-After": "soon"})).retry_after is None


def test_a_dropped_line_is_ambiguous(receiver: Receiver) -> None:
    error = fail(receiver, Reply(drop=True))
    assert error.ambiguous
    assert ADAPTER.idempotent, "so a second send is safe"


def test_the_worst_messages_are_json(receiver: Receiver) -> None:
    for message in worst_messages():
        send("webhook", {"url": receiver.url}, {"secrets": [OLD]}, message=message)
    assert [json.loads(arrival.request.body)["type"] for arrival in receiver.arrived] == ["alert.notification"] * 4


def test_an_inward_address_is_blocked_when_saved_and_when_sent(settings: Settings, receiver: Receiver) -> None:
    checked = {"url": receiver.url}
    settings.EGRESS_ALLOW_LOOPBACK = False
    with pytest.raises(InvalidSettings) as refused:
        send("webhook", checked, {"secrets": [OLD]})
    assert list(refused.value.errors) == ["url"]
    assert not receiver.arrived


def test_an_address_that_turned_inward_after_saving_is_blocked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = False
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_kwargs: [(2, 1, 6, "", ("169.254.169.254", 443))])
    with pytest.raises(ChannelError) as caught:
        send("webhook", {"url": "https://hooks.example.com/a"}, {"secrets": [OLD]})
    assert (caught.value.reason, caught.value.permanent) == (ErrorReason.BLOCKED, True)


@pytest.mark.parametrize("secrets", [[], ["short"], ["whsec_!!!"], [OLD] * 5, "x", [1], ["whsec_" + "QQ=="]])
def test_wrong_secrets_are_refused(secrets: Any) -> None:
    with pytest.raises(InvalidSettings) as caught:
        ADAPTER.credentials_from({"secrets": secrets})
    assert list(caught.value.errors) == ["secrets"]
