"""A flooded Slack channel gets one message that lists everything that waited; nothing is dropped."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from channels.delivery import deliver_due
from channels.models import Channel, Delivery, ThreadAnchor
from channels.templating.samples import sample_message
from tenants.context import tenant_context
from tenants.isolation import new_id
from tests.channels.deliveries import health, let_pass, make_channel, put, reconcile_due, states
from tests.factories import make_tenant
from tests.fakes.http import Reply
from tests.fakes.slack import FakeSlack, Scripted

pytestmark = pytest.mark.django_db


def flooded(count: int) -> Channel:
    """A channel that may take 12 a minute, and so much waiting for it, each about a group of its own."""
    tenant = make_tenant()
    credentials = json.dumps({"token": "xoxb-test"})
    options = {"settings": {"channel": "C0ALERTS"}, "credentials": credentials, "rate_per_minute": 12}
    channel = make_channel(tenant, "slack", **options)
    for number in range(count):
        group = new_id()
        fields = {"title": f"disk {number:03d} full", "group_id": str(group), "created_at": datetime.now(UTC)}
        fields["group_url"] = f"https://alerts.example.com/g/{number:03d}"
        message = msgspec.structs.replace(sample_message(), **fields)
        put(channel, recipient="C0ALERTS", source_id=group, message=message)
    return channel


def text_of(message: Any) -> str:
    return "\n".join(block["text"]["text"] for block in message.blocks if "text" in block)


def test_everything_that_waited_is_in_one_message(slack: FakeSlack) -> None:
    channel = flooded(30)
    deliver_due(channel.tenant_id)
    (digest,) = slack.messages
    text = text_of(digest)
    assert text.startswith("30 messages in one")
    for number in range(30):
        assert f"<https://alerts.example.com/g/{number:03d}|disk {number:03d} full>" in text
    assert states(channel) == {"delivered": 30}
    with tenant_context(channel.tenant_id):
        rows = Delivery.objects.filter(channel=channel)
        assert {row.provider_id for row in rows} == {f"C0ALERTS:{digest.ts}"}
        assert sum("30 waited" in row.state_reason for row in rows) == 29
        assert all(row.attempt_log.count() == 1 for row in rows)
        assert not ThreadAnchor.objects.exists(), "a digest is no group's thread"
    assert health(channel).tokens == pytest.approx(1.0, abs=0.2), "one message was sent, so one is paid for"


def test_a_few_that_wait_go_one_by_one(slack: FakeSlack) -> None:
    channel = flooded(5)
    deliver_due(channel.tenant_id)
    assert len(slack.messages) == 2
    assert all("one" not in message.text for message in slack.messages)
    assert states(channel) == {"delivered": 2, "pending": 3}


def test_a_flood_beyond_one_message_is_told_by_the_next(slack: FakeSlack) -> None:
    channel = flooded(70)
    for _round in range(6):
        deliver_due(channel.tenant_id)
        let_pass(61, [channel.tenant])
    assert states(channel) == {"delivered": 70}
    told = "\n".join(f"{message.text}\n{text_of(message)}" for message in slack.messages)
    assert all(f"disk {number:03d} full" in told for number in range(70))
    assert len(slack.messages) < 30


def test_a_digest_that_fails_keeps_all_waiting(slack: FakeSlack) -> None:
    channel = flooded(30)
    slack.script.append(Scripted(Reply(429, b"{}", {"Retry-After": "20"})))
    deliver_due(channel.tenant_id)
    assert states(channel) == {"pending": 30}
    assert health(channel).consecutive_failures == 0


def test_a_digest_whose_answer_was_lost_is_found_for_each(slack: FakeSlack) -> None:
    channel = flooded(20)
    slack.script.append(Scripted(Reply(drop=True), accept=True))
    deliver_due(channel.tenant_id)
    assert states(channel) == {"uncertain": 20}
    assert health(channel).consecutive_failures == 1, "one call failed, not twenty"
    for _round in range(3):
        let_pass(10, [channel.tenant])
        reconcile_due()
    assert states(channel) == {"delivered": 20}
    assert len(slack.messages) == 1


def test_none_dies_of_what_is_refused_with_the_others(slack: FakeSlack) -> None:
    channel = flooded(20)
    refused = Scripted(Reply(200, b'{"ok":false,"error":"invalid_blocks"}'))
    slack.script.extend([refused] * 3)
    for _round in range(20):
        let_pass(61, [channel.tenant])
        deliver_due(channel.tenant_id)
    assert states(channel) == {"delivered": 20}
    assert len(slack.messages) == 20, "after three tries together each goes alone"
