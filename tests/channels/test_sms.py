"""SMS, sent to a Twilio that checks what Twilio checks, and to a gateway of somebody else."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from channels import registry
from channels.adapters.base import Receipt
from channels.errors import ChannelError, ErrorReason, InvalidSettings
from channels.sms.composing import code_of, long_id, short_id
from channels.sms.twilio_errors import OptedOut
from channels.templating.samples import sample_message, worst_messages
from tests.channels.sending import DELIVERY_ID, changed, outgoing
from tests.channels.sending import send as send_by
from tests.fakes.http import FakeServer, Reply, Request
from tests.fakes.twilio import ACCOUNT, FakeTwilio, ScriptedTwilio, refuse

NUMBER = "+436641234567"
SETTINGS = {"to": [NUMBER], "sender": "Alerts", "account_sid": ACCOUNT}
CREDENTIALS = {"auth_token": "test-token"}
ADAPTER = registry.adapter("sms")
GROUP = "0192c0de-0000-7000-8000-000000000002"


def send(**kwargs: Any) -> Receipt:
    return send_by("sms", SETTINGS | kwargs.pop("settings", {}), CREDENTIALS, **kwargs)


def fail(**kwargs: Any) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        send(**kwargs)
    return caught.value


def test_a_message_is_one_segment_with_link_answer_and_code(twilio: FakeTwilio, settings: Settings) -> None:
    settings.PUBLIC_BASE_URL = "https://a.example.com"
    url = f"https://a.example.com/admin/alerting/alertgroup/{GROUP}/change/"
    receipt = send(message=changed(group_id=GROUP, group_url=url))
    (message,) = twilio.messages
    assert receipt.provider_id == message.sid
    assert receipt.detail == {"segments": "1", "encoding": "GSM-7"}
    assert (message.to, message.sender, message.segments) == (NUMBER, "Alerts", 1)
    assert message.body.startswith("CRITICAL: Disk almost full on db-primary-1 (4 firing, 1 resolved)")
    link = f"https://a.example.com/g/{short_id(long_id('AZLA3gAAcACAAAAAAAAAAg'))}"
    assert message.body.endswith(f"{link} 1=ACK 2=RES [{code_of(DELIVERY_ID)}]")
    assert message.status_callback == f"https://a.example.com/callbacks/twilio/payments/status/{DELIVERY_ID}"


@pytest.mark.parametrize("number", range(4))
def test_the_worst_messages_are_one_segment_too(twilio: FakeTwilio, number: int) -> None:
    send(message=worst_messages()[number])
    assert [message.segments for message in twilio.messages] == [1]


def test_more_segments_are_taken_only_where_the_tenant_pays_for_them(twilio: FakeTwilio) -> None:
    long = changed(title="x" * 290, group_url="")
    for allowed in (1, 2, 3):
        send(message=long, settings={"max_segments": allowed})
    assert [message.segments for message in twilio.messages] == [1, 2, 3]


def test_a_resolved_message_asks_for_no_answer(twilio: FakeTwilio) -> None:
    send(message=changed(status="resolved"))
    assert twilio.messages[0].body.startswith("RESOLVED: ")
    assert "ACK" not in twilio.messages[0].body


@pytest.mark.parametrize(
    ("status", "code", "reason", "permanent", "ambiguous"),
    [
        (400, 21211, ErrorReason.INVALID_RECIPIENT, True, False),
        (400, 21408, ErrorReason.INVALID_RECIPIENT, True, False),
        (400, 21610, ErrorReason.INVALID_RECIPIENT, True, False),
        (401, 20003, ErrorReason.AUTH, True, False),
        (400, 21617, ErrorReason.TOO_LARGE, True, False),
        (400, 21603, ErrorReason.CLIENT_ERROR, True, False),
        (429, 20429, ErrorReason.RATE_LIMITED, False, False),
        (400, 21611, ErrorReason.RATE_LIMITED, False, False),
        (503, 20503, ErrorReason.SERVER_ERROR, False, False),
        (500, 20500, ErrorReason.SERVER_ERROR, False, True),
    ],
)
def test_what_twilio_refuses(
    twilio: FakeTwilio, status: int, code: int, reason: ErrorReason, permanent: bool, ambiguous: bool
) -> None:
    twilio.script.append(ScriptedTwilio(refuse(status, code, "no")))
    error = fail()
    assert (error.reason, error.permanent, error.ambiguous, error.status) == (reason, permanent, ambiguous, status)
    assert error.detail == f"{code} no"
    assert len(twilio.calls) == 1


def test_a_limit_says_how_long_to_wait(twilio: FakeTwilio) -> None:
    twilio.script.append(ScriptedTwilio(refuse(429, 20429, "Too Many Requests", {"Retry-After": "7"})))
    twilio.script.append(ScriptedTwilio(refuse(429, 20429, "Too Many Requests")))
    assert [fail().retry_after, fail().retry_after] == [7.0, 5.0]


def test_who_wrote_stop_is_known_as_such(twilio: FakeTwilio) -> None:
    twilio.opted_out.add(NUMBER)
    assert isinstance(fail(), OptedOut)


def test_wrong_credentials_are_refused_in_words(twilio: FakeTwilio) -> None:
    twilio.token = "another"
    error = fail()
    assert (error.reason, error.detail) == (ErrorReason.AUTH, "20003 Authenticate")
    assert "test-token" not in repr(ADAPTER.credentials_from(CREDENTIALS))


@pytest.mark.parametrize(
    "reply", [Reply(drop=True), Reply(201, b"not json"), Reply(201, b"{}"), Reply(302, b"", {"Location": "/"})]
)
def test_a_lost_or_malformed_answer_is_looked_up(twilio: FakeTwilio, reply: Reply) -> None:
    twilio.script.append(ScriptedTwilio(reply, accept=True))
    error = fail()
    assert error.ambiguous == (reply.status != 302)
    found = ADAPTER.find(outgoing("sms", SETTINGS, CREDENTIALS), datetime.now(UTC) - timedelta(seconds=5))
    assert found == Receipt(provider_id=twilio.messages[0].sid)


def test_what_never_arrived_is_not_found_even_among_many(twilio: FakeTwilio) -> None:
    for number in range(30):
        send(delivery_id=f"other-{number}")
    wanted = outgoing("sms", SETTINGS, CREDENTIALS)
    assert ADAPTER.find(wanted, datetime.now(UTC)) is None
    send()
    for number in range(30):
        send(delivery_id=f"later-{number}")
    found = ADAPTER.find(wanted, datetime.now(UTC))
    assert found is not None
    assert [one.body[-7:] for one in twilio.messages if one.sid == found.provider_id] == [f"[{code_of(DELIVERY_ID)}]"]


def test_twilio_is_called_nowhere_but_at_the_operators_address(twilio: FakeTwilio, settings: Settings) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = False
    settings.EGRESS_ALLOW_HTTP = False
    send()
    assert len(twilio.messages) == 1
    settings.TWILIO_API_BASE_URL = "http://169.254.169.254"
    assert fail().reason is ErrorReason.BLOCKED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("to", []),
        ("to", ["06641234567"]),
        ("to", ["+43"]),
        ("to", ["+39 899 123456"]),
        ("to", ["not a number"]),
        ("countries", ["XX"]),
        ("sender", "much too long a name"),
        ("account_sid", "AC1"),
        ("max_segments", 9),
        ("quiet_hours", "22-7"),
        ("quiet_hours", "25:00-07:00"),
        ("time_zone", "Mars/Olympus"),
        ("colour", "red"),
    ],
)
def test_wrong_settings_are_refused_by_field(field: str, value: Any) -> None:
    with pytest.raises(InvalidSettings) as caught:
        ADAPTER.settings_from(SETTINGS | {field: value})
    assert list(caught.value.errors) == [field]


def test_numbers_are_read_as_people_write_them() -> None:
    raw = SETTINGS | {"to": ["0664 123 45 67", "+43 (664) 1234567", "+33 6 12 34 56 78"], "countries": ["AT", "FR"]}
    assert ADAPTER.recipients(ADAPTER.settings_from(raw)) == [NUMBER, "+33612345678"]
    with pytest.raises(InvalidSettings):
        ADAPTER.settings_from(raw | {"countries": ["AT"]})


def test_the_operator_may_forbid_countries(settings: Settings) -> None:
    settings.SMS_COUNTRIES = ["FR"]
    with pytest.raises(InvalidSettings):
        ADAPTER.settings_from(SETTINGS)


class Gateway:
    """Somebody's HTTP gateway."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.reply = Reply(200, b'{"messages":[{"id":4711}]}')

    def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.reply


@pytest.fixture
def other(settings: Settings) -> Iterator[tuple[Gateway, dict[str, Any]]]:
    settings.EGRESS_ALLOW_HTTP = settings.EGRESS_ALLOW_LOOPBACK = True
    fake = Gateway()
    with FakeServer(fake) as server:
        yield fake, {"to": [NUMBER], "gateway": "http", "url": f"{server.url}/sms", "id_field": "messages.0.id"}


def test_another_gateway_gets_what_the_template_says(other: tuple[Gateway, dict[str, Any]]) -> None:
    fake, raw = other
    evil = changed(title='"},{to} & x=1', group_id="", group_url="")
    receipt = send_by("sms", raw, {"authorization": "Bearer abc"}, message=evil)
    (request,) = fake.requests
    body = json.loads(request.body)
    assert receipt.provider_id == "4711"
    assert set(body) == {"to", "from", "text", "reference"}
    assert (body["to"], body["reference"]) == (NUMBER, DELIVERY_ID)
    assert '"},{to} & x=1' in body["text"]
    assert request.headers["authorization"] == "Bearer abc"
    send_by("sms", raw | {"request": "number={to}&message={text}"}, {}, message=evil)
    assert fake.requests[1].headers["content-type"] == "application/x-www-form-urlencoded"
    assert b"&message=CRITICAL%3A+%22%7D%2C%7Bto%7D+%26+x%3D1" in fake.requests[1].body


@pytest.mark.parametrize(
    ("status", "reason", "permanent", "ambiguous"),
    [
        (400, ErrorReason.CLIENT_ERROR, True, False),
        (403, ErrorReason.AUTH, True, False),
        (429, ErrorReason.RATE_LIMITED, False, False),
        (503, ErrorReason.SERVER_ERROR, False, False),
        (500, ErrorReason.SERVER_ERROR, False, True),
    ],
)
def test_another_gateways_answers(
    other: tuple[Gateway, dict[str, Any]], status: int, reason: ErrorReason, permanent: bool, ambiguous: bool
) -> None:
    fake, raw = other
    fake.reply = Reply(status)
    with pytest.raises(ChannelError) as caught:
        send_by("sms", raw, {})
    error = caught.value
    assert (error.reason, error.permanent, error.ambiguous) == (reason, permanent, ambiguous)
    with pytest.raises(ChannelError, match="cannot be asked"):
        ADAPTER.find(outgoing("sms", raw, {}), sample_message().created_at)


@pytest.mark.parametrize("request_text", ["", "{to}", "to={to}", '{"to": "{to}", "text": {text}}', "{to}{text}"])
def test_a_request_template_that_cannot_work_is_refused(request_text: str) -> None:
    raw = {"to": [NUMBER], "gateway": "http", "url": "https://sms.example.com/", "request": request_text}
    with pytest.raises(InvalidSettings) as caught:
        ADAPTER.settings_from(raw)
    assert list(caught.value.errors) == ["request"]
