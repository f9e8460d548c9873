"""Nothing personal and no secret leaves; what an alert is about still can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.assistant.redaction import is_private, redact, redact_pairs


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("mail to jane.doe+ops@example.co.uk failed", "mail to [e-mail] failed"),
        ("host 10.0.12.7 is down", "host [IP] is down"),
        ("peer fe80:0:0:0:1c2d:3e4f:aabb:1 lost", "peer [IP] lost"),
        ("card 4111 1111 1111 1111 refused", "card [card] refused"),
        ("IBAN DE89 3704 0044 0532 0130 00 unknown", "IBAN [IBAN] unknown"),
        ("call +33 6 12 34 56 78 now", "call [phone] now"),
        ("call 0151 234 5678 now", "call [phone] now"),
        ("Authorization: Bearer abcdef0123456789", "Authorization: [token]"),
        ("token eyJhbGciOiJIUzI1.eyJzdWIiOiIx.sig here", "[token] here"),
        ("key sk-proj-AbCdEf0123456789 leaked", "key [token] leaked"),
        ("https://bob:hunter2@db.example.org/x", "https://[login]@db.example.org/x"),
        ("GET /login?user=bob&session=xyz failed", "GET /login?[secret]&[secret] failed"),
        ("device 00:1a:2b:3c:4d:5e gone", "device [MAC] gone"),
        ("id 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "id [secret]"),
    ],
)
def test_what_is_personal_or_secret_goes(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "The disk of web-1 is 97 % full since 10:30",
        "latency_p99_ms is 1250.5, above 250 for 5 min",
        "HTTP 503 from checkout-service v2.14.3 in eu-west-1",
        "Build 20261123.4 failed at 2026-11-23T19:00:00Z",
    ],
)
def test_what_is_neither_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=500))
def test_any_text_is_taken_and_redacting_again_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert redact(once) == redact(redact(once))


def test_names_hide_values_that_look_harmless() -> None:
    pairs = {"user": "bob", "customer_id": "17", "service": "shop", "alertname": "Slow", "hostname": "web-1"}
    told = redact_pairs(pairs)
    assert told == {
        "user": "[hidden]",
        "customer_id": "[hidden]",
        "service": "shop",
        "alertname": "Slow",
        "hostname": "web-1",
    }
    assert is_private("Session_Token")
