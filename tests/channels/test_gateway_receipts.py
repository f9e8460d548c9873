"""Receipts of SMS gateways, verified and read without database or HTTP."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import registry
from channels.callbacks import gateway
from channels.callbacks.errors import Malformed, Refused
from channels.errors import InvalidSettings
from channels.models import SmsReceipt
from tests.fakes.sms_gateway import sign

SECRET, OTHER = "a secret of the gateway", "the one before it....."
FIELDS = gateway.Fields(id="message.id", status="message.state", error="message.code", states={"arrived": "delivered"})
HTTP = {"to": ["+436641234567"], "gateway": "http", "url": "https://sms.example.com/"}


def call(**message: Any) -> bytes:
    return json.dumps({"message": message}).encode()


@given(st.binary(max_size=40), st.booleans())
def test_hex_and_base64_by_any_of_the_secrets(body: bytes, in_hex: bool) -> None:
    gateway.verify([OTHER, SECRET], body, sign(SECRET, body, in_hex=in_hex))
    gateway.verify([SECRET], body, sign(SECRET, body).removeprefix("sha256=").upper())
    with pytest.raises(Refused):
        gateway.verify([SECRET], body + b" ", sign(SECRET, body, in_hex=in_hex))


@pytest.mark.parametrize("given_signature", ["", "sha256=", "é", "v1=00", sign(OTHER, b"{}")])
def test_anything_else_is_refused(given_signature: str) -> None:
    with pytest.raises(Refused):
        gateway.verify([SECRET], b"{}", given_signature)
    with pytest.raises(Refused):
        gateway.verify([], b"{}", sign(SECRET, b"{}"))


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("arrived", "delivered"),
        ("DELIVRD", "delivered"),
        ("Delivered", "delivered"),
        ("ACCEPTD", "queued"),
        ("UNDELIV", "undelivered"),
        ("EXPIRED", "undelivered"),
        ("REJECTD", "failed"),
        ("read", "read"),
    ],
)
def test_the_gateways_words_become_ours(said: str, state: str) -> None:
    receipt = gateway.read_receipt(call(id=17, state=said, code=" 30003"), FIELDS)
    assert receipt == gateway.Receipt(message_id="17", state=state, rank=gateway.RANKS[state], error_code=30003)


def test_the_tenants_own_word_wins() -> None:
    fields = gateway.Fields(id="id", status="status", error="error", states={"delivered": "sent"})
    form = gateway.read_receipt(b"id=a1&status=delivered&error=no+number", fields)
    assert form == gateway.Receipt(message_id="a1", state="sent", rank=3)


def test_a_word_that_says_nothing_about_the_way_is_none() -> None:
    assert gateway.read_receipt(call(id="1", state="billed"), FIELDS) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1]", b"{}", b"\xff", call(id="1"), call(state="sent"), b"a&b", b'{"message": 1}', b"[" * 10_000],
)
def test_what_is_no_receipt_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        gateway.read_receipt(body, FIELDS)


@given(st.binary(max_size=200))
def test_nothing_breaks_the_reader(body: bytes) -> None:
    with suppress(Malformed):
        gateway.read_receipt(body, FIELDS)


def test_every_state_is_one_that_a_message_may_have() -> None:
    assert set(gateway.RANKS) | set(gateway.USUAL_WORDS.values()) <= set(SmsReceipt.values)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("receipt_header", "X Signature"),
        ("receipt_header", ""),
        ("receipt_states", ["DELIVRD"]),
        ("receipt_states", ["DELIVRD=there"]),
        ("receipt_states", ["=delivered"]),
    ],
)
def test_settings_that_cannot_work_are_refused_by_field(field: str, value: Any) -> None:
    adapter = registry.adapter("sms")
    adapter.settings_from(HTTP | {"receipt_states": ["OK=delivered"]})
    with pytest.raises(InvalidSettings) as caught:
        adapter.settings_from(HTTP | {field: value})
    assert list(caught.value.errors) == [field]


@pytest.mark.parametrize(("secrets", "good"), [(["0123456789abcdef"], True), (["short"], False), ([], True)])
def test_a_secret_that_can_be_guessed_is_refused(secrets: list[str], good: bool) -> None:
    adapter = registry.adapter("sms")
    if good:
        adapter.credentials_from({"webhook_secrets": secrets})
        return
    with pytest.raises(InvalidSettings) as caught:
        adapter.credentials_from({"webhook_secrets": secrets})
    assert list(caught.value.errors) == ["webhook_secrets"]
