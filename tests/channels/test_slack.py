"""Slack, spoken to over HTTP: what it gets, and what each refusal means."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from channels import registry
from channels.adapters.base import Receipt
from channels.adapters.slack_blocks import split_text
from channels.adapters.slack_layout import build_blocks
from channels.errors import ChannelError, ErrorReason, InvalidSettings
from channels.templating.samples import NASTY, worst_messages
from tests.channels.sending import DELIVERY_ID, changed, outgoing
from tests.channels.sending import send as send_by
from tests.fakes.http import FakeServer, Reply
from tests.fakes.slack import FakeSlack, Scripted
from tests.fakes.slack_limits import find_fault

SETTINGS = {"channel": "#alerts"}
CREDENTIALS = {"token": "xoxb-test"}
ADAPTER = registry.adapter("slack")


def send(**kwargs: Any) -> Receipt:
    return send_by("slack", SETTINGS, CREDENTIALS, **kwargs)


def fail(**kwargs: Any) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        send(**kwargs)
    return caught.value


def test_a_message_arrives_with_blocks_text_and_its_delivery_id(slack: FakeSlack) -> None:
    receipt = send()
    (message,) = slack.messages
    assert receipt.provider_id == f"{message.channel}:{message.ts}"
    assert message.text.startswith("\U0001f534 FIRING: Disk almost full on db-primary-1")
    assert message.metadata == {"event_type": "alert_delivery", "event_payload": {"delivery_id": DELIVERY_ID}}
    (attachment,) = message.attachments
    assert attachment["color"] == "#d92d20"
    shown = [block["type"] for block in [*message.blocks, *attachment["blocks"]]]
    assert shown == ["header", "section", "section", "context", "actions"]
    assert message.arguments["link_names"] is False
    assert message.arguments["unfurl_links"] is False


def test_a_tenants_template_is_the_title_and_the_text(slack: FakeSlack) -> None:
    send(sources={"title": "Ouch: {{ title }}", "text": "*{{ labels.cluster }}*"})
    message = slack.messages[0]
    assert message.blocks[0]["text"]["text"] == "Ouch: Disk almost full on db-primary-1"
    assert message.attachments[0]["blocks"][0]["text"] == {"type": "mrkdwn", "text": "*eu-west-1*", "verbatim": True}


@pytest.mark.parametrize("number", range(4))
def test_the_worst_messages_fit_slacks_limits(slack: FakeSlack, number: int) -> None:
    send(message=worst_messages()[number])
    assert len(slack.messages) == 1


def test_nothing_in_a_label_pings_or_breaks_the_marks(slack: FakeSlack) -> None:
    labels = {"alertname": "<!here> @channel <@U1>", NASTY: NASTY}
    send(message=changed(title="<!channel> & <script>\nline", group_labels=labels, sent_reason="<!everyone>"))
    message = slack.messages[0]
    marked = [message.text]
    for block in [*message.blocks, *message.attachments[0]["blocks"]]:
        texts = [block.get("text"), *block.get("elements", [])]
        marked += [text["text"] for text in texts if text and text.get("type") == "mrkdwn"]
    assert not any("<!" in text or "<@" in text for text in marked)
    assert not any("\u202e" in text for text in marked)


def test_a_link_that_is_no_web_address_gets_no_button() -> None:
    message = changed(group_url="javascript:alert(1)", links=[])
    assert "actions" not in [block["type"] for block in build_blocks(message, "t", "x")]


def test_long_text_is_cut_between_lines_and_never_through_an_entity() -> None:
    text = "\n".join(["a" * 99] * 100) + "\n" + "b" * 2997 + "&amp;" * 2
    pieces = split_text(text, 3000)
    assert all(len(piece) <= 3000 for piece in pieces)
    assert "".join(pieces).replace("\n", "") == text.replace("\n", "")
    assert not any(piece.endswith(("&", "&a", "&am", "&amp")) for piece in pieces)
    blocks = build_blocks(changed(), "t" * 500, "x" * 100_000)
    assert find_fault({"text": "t", "blocks": blocks}) == ""


@pytest.mark.parametrize(
    ("code", "reason", "permanent", "ambiguous"),
    [
        ("invalid_auth", ErrorReason.AUTH, True, False),
        ("account_inactive", ErrorReason.AUTH, True, False),
        ("token_revoked", ErrorReason.AUTH, True, False),
        ("channel_not_found", ErrorReason.INVALID_RECIPIENT, True, False),
        ("is_archived", ErrorReason.INVALID_RECIPIENT, True, False),
        ("not_in_channel", ErrorReason.INVALID_RECIPIENT, True, False),
        ("something_new", ErrorReason.CLIENT_ERROR, True, False),
        ("ratelimited", ErrorReason.RATE_LIMITED, False, False),
        ("service_unavailable", ErrorReason.SERVER_ERROR, False, False),
        ("internal_error", ErrorReason.SERVER_ERROR, False, True),
        ("fatal_error", ErrorReason.SERVER_ERROR, False, True),
    ],
)
def test_a_200_that_says_no_is_a_failure(
    slack: FakeSlack, code: str, reason: ErrorReason, permanent: bool, ambiguous: bool
) -> None:
    slack.script.append(Scripted(Reply(200, b'{"ok":false,"error":"%s"}' % code.encode())))
    error = fail()
    assert (error.reason, error.permanent, error.ambiguous) == (reason, permanent, ambiguous)
    assert len([method for method, _ in slack.calls if method == "chat.postMessage"]) == 1


def test_a_rate_limit_says_how_long_to_wait(slack: FakeSlack) -> None:
    slack.script.append(Scripted(Reply(429, b'{"ok":false,"error":"ratelimited"}', {"Retry-After": "7"})))
    error = fail()
    assert (error.reason, error.retry_after, error.ambiguous) == (ErrorReason.RATE_LIMITED, 7.0, False)


def test_a_rate_limit_is_never_longer_than_an_hour(slack: FakeSlack) -> None:
    slack.script.append(Scripted(Reply(429, b"{}", {"Retry-After": "999999999"})))
    assert fail().retry_after == 3600.0


@pytest.mark.parametrize("reply", [Reply(500), Reply(503, b"<html>"), Reply(200, b"<html>no</html>"), Reply(200)])
def test_a_broken_answer_may_hide_a_sent_message(slack: FakeSlack, reply: Reply) -> None:
    slack.script.append(Scripted(reply))
    error = fail()
    assert (error.reason, error.permanent, error.ambiguous) == (ErrorReason.SERVER_ERROR, False, True)


def test_a_dropped_line_after_acceptance_is_found_again(slack: FakeSlack) -> None:
    began = datetime.now(UTC)
    slack.script.append(Scripted(Reply(drop=True), accept=True))
    assert fail().ambiguous
    assert len(slack.messages) == 1, "the SDK must not send it again by itself"
    found = ADAPTER.find(outgoing("slack", SETTINGS, CREDENTIALS), began)
    assert found is not None
    assert found.provider_id == f"C0ALERTS:{slack.messages[0].ts}"


def test_a_time_out_is_ambiguous(slack: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(ADAPTER), "send_timeout", 1)
    slack.script.append(Scripted(Reply(hang=2.5), accept=True))
    error = fail()
    assert (error.reason, error.ambiguous) == (ErrorReason.TIMEOUT, True)


def test_what_never_arrived_is_not_found(slack: FakeSlack) -> None:
    send(delivery_id="another")
    assert ADAPTER.find(outgoing("slack", SETTINGS, CREDENTIALS), datetime.now(UTC)) is None


def test_the_search_goes_through_all_pages(slack: FakeSlack) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    send()
    for number in range(250):
        slack._post({"channel": "C0ALERTS", "text": f"noise {number}"})
    assert ADAPTER.find(outgoing("slack", SETTINGS, CREDENTIALS), began) is not None
    assert len([method for method, _ in slack.calls if method == "conversations.history"]) == 2


def test_a_search_that_is_refused_says_so(slack: FakeSlack) -> None:
    slack.script.append(Scripted(Reply(429, b"{}", {"Retry-After": "3"}), method="conversations.history"))
    with pytest.raises(ChannelError) as caught:
        ADAPTER.find(outgoing("slack", {"channel": "C0ALERTS"}, CREDENTIALS), datetime.now(UTC))
    assert caught.value.retry_after == 3.0


def test_nobody_there_is_surely_unsent(settings: Settings) -> None:
    with FakeServer(lambda _: Reply()) as server:
        settings.SLACK_API_BASE_URL = f"{server.url}/api/"
    error = fail()
    assert (error.reason, error.ambiguous, error.permanent) == (ErrorReason.NETWORK, False, False)


def test_the_token_follows_no_redirect_and_no_proxy(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    thief: list[str] = []
    with FakeServer(lambda request: thief.append(request.path) or Reply()) as other:
        for name in ("http_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, other.url)
        with FakeServer(lambda _: Reply(302, headers={"Location": f"{other.url}/stolen"})) as server:
            settings.SLACK_API_BASE_URL = f"{server.url}/api/"
            error = fail()
    assert thief == []
    assert error.permanent


@pytest.mark.parametrize(
    ("given", "field"),
    [({}, "channel"), ({"channel": 5}, "channel"), ({"channel": "a b"}, "channel"), ({"channel": "x", "y": 1}, "y")],
)
def test_wrong_settings_name_the_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        ADAPTER.settings_from(given)
    assert list(caught.value.errors) == [field]


def test_a_token_is_never_printed() -> None:
    credentials = ADAPTER.credentials_from({"token": "xoxb-1-2-secret"})
    assert "secret" not in f"{credentials!r} {credentials}"
    assert "secret" not in repr(outgoing("slack", SETTINGS, {"token": "xoxb-1-2-secret"}))
    with pytest.raises(InvalidSettings) as caught:
        ADAPTER.credentials_from({"token": "secret-without-prefix"})
    assert "secret-without" not in str(caught.value)
