"""What is in a mail beside its words: the list of alerts, the look made from MJML, and a provider's API."""

import csv
import io
import json
from typing import Any

import msgspec
import pytest

from channels.errors import ChannelError, ErrorReason
from channels.mail.attachments import MAX_BYTES, alerts_csv, safe
from channels.templating import builtin
from channels.templating.samples import sample_message
from tests.channels.sending import changed, send
from tests.fakes.http import FakeServer, Reply, Request

SETTINGS = {"provider": "postmark", "to": ["oncall@example.com"], "from_address": "alerts@example.com"}


def many(count: int, **fields: Any) -> Any:
    line = msgspec.structs.replace(sample_message().alerts[0], **fields)
    return changed(alerts=[line] * count, total_count=count)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =cmd|' /C calc'!A0", "\r=1", "\uff1d1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert safe(cell).startswith("'")
    rows = list(csv.reader(io.StringIO(alerts_csv(many(5, labels={cell: cell})).decode("utf-8-sig"))))
    assert rows[0][-1] == rows[1][-1] == safe(cell)


def test_the_list_is_whole_or_ends_at_a_row() -> None:
    assert alerts_csv(many(4)) == b""
    table = alerts_csv(many(50, annotations={"summary": "x" * 5_000}, labels={f"l{n}": "y" * 900 for n in range(40)}))
    rows = list(csv.reader(io.StringIO(table.decode("utf-8-sig"))))
    assert len(table) <= MAX_BYTES + 3
    assert {len(row) for row in rows} == {len(rows[0])}
    assert 1 < len(rows) < 51


def test_the_look_asks_nobody_elses_server() -> None:
    source = builtin.builtin_source("email", "html")
    assert "<!doctype html>" in source
    assert "prefers-color-scheme: dark" in source
    assert "{% for alert in alerts %}" in source
    assert not [
        one for one in ("googleapis", "@import", "<img", "<script", "{% if alert.repeat_count &gt;") if one in source
    ]


@pytest.fixture
def postmark(settings: Any) -> Any:
    heard: list[Request] = []
    replies = [
        Reply(
            200, json.dumps({"ErrorCode": 0, "Message": "OK", "MessageID": "abc", "To": "oncall@example.com"}).encode()
        )
    ]

    def answer(request: Request) -> Reply:
        heard.append(request)
        return replies[-1]

    with FakeServer(answer) as server:
        settings.ANYMAIL = {"POSTMARK_API_URL": f"{server.url}/"}
        yield heard, replies


def test_a_provider_gets_the_mail_with_its_headers(postmark: Any) -> None:
    heard, _replies = postmark
    receipt = send("email", SETTINGS, {"api_key": "key"})
    assert receipt.detail == {"provider": "postmark", "id": "abc", "to": "oncall@example.com"}
    (request,) = heard
    body = json.loads(request.body)
    assert request.headers["x-postmark-server-token"] == "key"
    assert body["To"] == "oncall@example.com"
    assert {"TextBody", "HtmlBody"} <= set(body)
    assert {"Message-ID", "References"} <= {header["Name"] for header in body["Headers"]}


@pytest.mark.parametrize(
    ("reply", "reason", "permanent", "ambiguous"),
    [
        (Reply(401, b"{}"), ErrorReason.AUTH, True, False),
        (Reply(422, b'{"ErrorCode": 300}'), ErrorReason.CLIENT_ERROR, True, False),
        (Reply(429, b"{}", {"Retry-After": "9"}), ErrorReason.RATE_LIMITED, False, False),
        (Reply(200, b"<html>"), ErrorReason.SERVER_ERROR, False, True),
        (Reply(500, b"no"), ErrorReason.SERVER_ERROR, False, True),
        (Reply(drop=True), ErrorReason.NETWORK, False, True),
    ],
)
def test_a_providers_refusals(
    postmark: Any, reply: Reply, reason: ErrorReason, permanent: bool, ambiguous: bool
) -> None:
    heard, replies = postmark
    replies.append(reply)
    with pytest.raises(ChannelError) as caught:
        send("email", SETTINGS, {"api_key": "key"})
    error = caught.value
    assert (error.reason, error.permanent, error.ambiguous) == (reason, permanent, ambiguous)
    assert len(heard) == 1
    assert "key" not in error.detail
