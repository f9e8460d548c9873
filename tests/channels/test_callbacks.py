"""What providers call us about, verified and read without database or HTTP."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from channels.callbacks import pagerduty, twilio
from channels.callbacks.errors import Malformed, Refused
from channels.callbacks.twilio import Command
from tests.fakes import pagerduty as fake_pagerduty
from tests.fakes import twilio as fake_twilio

URL = "https://alerts.example.com/callbacks/twilio/ours/status/1?a=b"
FIELDS = {"MessageSid": "SM1", "MessageStatus": "sent", "Body": "é 1+1", "Empty": ""}
TOKEN, SECRET = "token", "0123456789abcdef0123"


@given(st.dictionaries(st.text(min_size=1, max_size=10), st.text(max_size=20), max_size=6), st.text(max_size=20))
def test_our_check_is_twilios_own(fields: dict[str, str], token: str) -> None:
    signature = RequestValidator(token).compute_signature(URL, fields)
    twilio.verify([token], URL, fields, signature)
    assert fake_twilio.sign(token, URL, fields) == signature


@pytest.mark.parametrize(
    ("token", "url", "fields", "signature"),
    [
        ("other", URL, FIELDS, None),
        (TOKEN, URL + "x", FIELDS, None),
        (TOKEN, URL, {**FIELDS, "MessageStatus": "delivered"}, None),
        (TOKEN, URL, {**FIELDS, "More": "1"}, None),
        (TOKEN, URL, FIELDS, ""),
        (TOKEN, URL, FIELDS, "é"),
    ],
)
def test_anything_else_is_refused(token: str, url: str, fields: dict[str, str], signature: str | None) -> None:
    good = fake_twilio.sign(TOKEN, URL, FIELDS)
    with pytest.raises(Refused):
        twilio.verify([token], url, fields, good if signature is None else signature)
    with pytest.raises(Refused):
        twilio.verify([], URL, FIELDS, good)


@pytest.mark.parametrize("body", [b"\xff=1", b"a=1&a=2", b"no form at all", b"&".join([b"a=1"] * 200), b"a=%ff%fe=&&"])
def test_what_is_no_form_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        twilio.read_form(body)


def test_a_receipt_is_read() -> None:
    assert twilio.read_receipt(FIELDS) == twilio.Receipt(sid="SM1", state="sent", rank=3)
    failed = twilio.read_receipt({"SmsSid": "SM2", "MessageStatus": "Undelivered", "ErrorCode": "30003"})
    assert (failed.state, failed.rank, failed.error_code) == ("undelivered", 4, 30003)
    assert twilio.read_receipt({"MessageSid": "1", "MessageStatus": "accepted", "ErrorCode": "x"}).state == "queued"
    for fields in ({}, {"MessageSid": "1", "MessageStatus": "odd"}, {"MessageStatus": "sent"}):
        with pytest.raises(Malformed):
            twilio.read_receipt(fields)


@pytest.mark.parametrize(
    ("text", "command", "code"),
    [
        ("ACK", Command.ACKNOWLEDGE, ""),
        (" ack! ", Command.ACKNOWLEDGE, ""),
        ("1", Command.ACKNOWLEDGE, ""),
        ("2", Command.RESOLVE, ""),
        ("res 12345", Command.RESOLVE, "12345"),
        ("12345 RES", Command.RESOLVE, "12345"),
        ("[12345]", Command.ACKNOWLEDGE, "12345"),
        ("1 00012", Command.ACKNOWLEDGE, "00012"),
        ("unack", Command.UNACKNOWLEDGE, ""),
        ("STOP", Command.STOP, ""),
        ("start", Command.START, ""),
        ("", Command.UNKNOWN, ""),
        ("123456", Command.UNKNOWN, ""),
        ("do not ack", Command.UNKNOWN, ""),
        ("ack res", Command.UNKNOWN, ""),
        ("thanks", Command.UNKNOWN, ""),
        ("\u0661", Command.UNKNOWN, ""),
    ],
)
def test_an_answer_is_understood_or_said_not_to_be(text: str, command: Command, code: str) -> None:
    assert twilio.read_command(text) == (command, code)


@given(st.text(max_size=200))
def test_no_answer_breaks_the_reader(text: str) -> None:
    command, code = twilio.read_command(text)
    assert command in Command
    assert code == "" or (len(code) == 5 and code.isdigit())


def test_twilio_says_itself_who_opts_out() -> None:
    fields = {"MessageSid": "1", "From": "+43664", "Body": "basta", "OptOutType": "STOP"}
    assert twilio.read_answer(fields).command is Command.STOP
    with pytest.raises(Malformed):
        twilio.read_answer({"MessageSid": "1"})


def event(**changes: Any) -> bytes:
    inner: dict[str, Any] = {
        "id": "01DEN",
        "event_type": "incident.acknowledged",
        "resource_type": "incident",
        "occurred_at": "2026-01-05T12:00:00.000Z",
        "agent": {"id": "P1", "type": "user_reference", "summary": "Earline"},
        "client": None,
        "data": {"id": "PG1", "type": "incident", "incident_key": "ours:1", "status": "acknowledged"},
    }
    return json.dumps({"event": inner | changes}).encode()


def test_a_webhook_of_pagerduty_is_verified_by_any_of_several_signatures() -> None:
    body = event()
    header = fake_pagerduty.sign(["another secret of theirs", SECRET], body)
    pagerduty.verify([SECRET], body, header)
    pagerduty.verify(["older one of ours", SECRET], body, header.replace(",", ", "))
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    pagerduty.verify([SECRET], body, f"v0=abc,v1={mac}")


@pytest.mark.parametrize("header", ["v1=", "v1=abc,v1=def", "v1=é"])
def test_a_wrong_signature_is_refused_and_a_missing_one_malformed(header: str) -> None:
    with pytest.raises(Refused):
        pagerduty.verify([SECRET], event(), header)
    with pytest.raises(Refused):
        pagerduty.verify([SECRET], event() + b" ", fake_pagerduty.sign([SECRET], event()))
    with pytest.raises(Refused):
        pagerduty.verify([], event(), fake_pagerduty.sign([SECRET], event()))
    for missing in ("", "nothing", "v2=abc"):
        with pytest.raises(Malformed):
            pagerduty.verify([SECRET], event(), missing)


def test_what_happened_is_read() -> None:
    found = pagerduty.read_happening(event())
    assert (found.id, found.act, found.dedup_key, found.by_person) == ("01DEN", "acknowledge", "ours:1", True)
    assert found.who == "Earline"
    ping = pagerduty.read_happening(event(event_type="pagey.ping", agent=None, data={"message": "hello"}))
    assert (ping.act, ping.dedup_key, ping.by_person) == ("", "", False)
    assert pagerduty.read_happening(event(data={"incident_key": None})).dedup_key == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"event": 1}',
        event(id=""),
        event(occurred_at="yesterday"),
        event(occurred_at="2026-01-05T12:00:00"),
    ],
)
def test_what_is_no_event_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        pagerduty.read_happening(body)
