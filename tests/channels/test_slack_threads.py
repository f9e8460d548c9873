"""One message about each group in Slack: changed in place, its story in the thread, whatever happens in between."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from channels.delivery import deliver_due
from channels.message import Message, Reason
from channels.models import Delivery, ThreadAnchor
from channels.templating.samples import sample_message
from channels.threads.ordering import carries
from tenants.context import tenant_context
from tenants.isolation import new_id
from tests.channels.deliveries import deliver_all_due, get, let_pass, make_channel, outcomes, put, reconcile_due, states
from tests.factories import make_tenant
from tests.fakes.http import Reply
from tests.fakes.slack import FakeSlack, Scripted

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


def whole_message() -> Message:
    """A message that shows all the alerts it counts."""
    message = sample_message()
    return msgspec.structs.replace(message, total_count=len(message.alerts))


class Group:
    """A group that is told to one Slack channel."""

    def __init__(self) -> None:
        self.tenant = make_tenant()
        self.id = new_id()
        credentials = json.dumps({"token": "xoxb-test", "signing_secret": SECRET})
        settings = {"channel": "C0ALERTS"}
        self.channel = make_channel(self.tenant, "slack", settings=settings, credentials=credentials)
        self.minute = 0

    def put(self, **fields: Any) -> Any:
        """Queue the next message about the group."""
        self.minute += 1
        fields = {"created_at": START + timedelta(minutes=self.minute), "group_id": str(self.id), **fields}
        message = msgspec.structs.replace(whole_message(), **fields)
        told = {"message": message, "kind": message.kind, "reason": message.reason}
        (made,) = put(self.channel, recipient="C0ALERTS", source_id=self.id, **told)
        return made

    def tell(self, **fields: Any) -> Any:
        """Queue it and send all that is due."""
        made = self.put(**fields)
        deliver_all_due(self.tenant.pk)
        return made

    def anchor(self) -> ThreadAnchor:
        with tenant_context(self.tenant.pk):
            return ThreadAnchor.objects.get(source_id=self.id)


def test_what_comes_later_changes_the_message_and_answers_in_its_thread(slack: FakeSlack) -> None:
    group = Group()
    group.tell(title="disk full")
    group.tell(title="disk full again", reason=Reason.NEW_ALERTS)
    parent, answer = slack.messages
    assert (parent.edits, "disk full again" in parent.text) == (1, True)
    assert (answer.thread_ts, answer.is_broadcast) == (parent.ts, False)
    group.tell(title="disk full", status="resolved", reason=Reason.ALL_RESOLVED)
    assert slack.messages[0].attachments[0]["color"] == "#12874b"
    assert slack.messages[0].text.startswith("\u2705")
    assert [message.thread_ts for message in slack.messages] == ["", parent.ts, parent.ts]
    assert group.anchor().reference == {"channel": "C0ALERTS", "ts": parent.ts}


def test_the_channel_hears_of_a_rise_of_severity_only(slack: FakeSlack) -> None:
    group = Group()
    for severity in (20, 20, 40, 40, 20):
        group.tell(severity=severity)
    assert [message.is_broadcast for message in slack.messages] == [False, False, True, False, False]


def test_a_deleted_message_is_posted_anew(slack: FakeSlack) -> None:
    group = Group()
    group.tell()
    first = slack.messages[0].ts
    slack.delete(first)
    group.tell()
    (again,) = slack.messages
    assert again.ts != first
    assert again.thread_ts == ""
    group.tell()
    assert slack.messages[1].thread_ts == again.ts


def test_an_archived_channel_says_what_to_do(slack: FakeSlack) -> None:
    group = Group()
    slack.archived.add("C0ALERTS")
    made = get(group.channel, group.tell())
    assert made.state == "dead"
    assert "archived: choose another one" in made.state_reason


def test_a_burst_is_told_once_in_full(slack: FakeSlack) -> None:
    group = Group()
    made = [group.put(title=f"state {number}") for number in range(5)]
    deliver_all_due(group.tenant.pk)
    (parent,) = slack.messages
    assert "state 4" in parent.text
    assert states(group.channel) == {"cancelled": 4, "delivered": 1}
    assert "newer message" in get(group.channel, made[0]).state_reason
    assert get(group.channel, made[4]).state == "delivered"


def test_what_a_newer_message_does_not_know_is_told_in_order(slack: FakeSlack) -> None:
    group = Group()
    lines = sample_message().alerts
    other = msgspec.structs.replace(lines[0], fingerprint="0f" * 16)
    group.put(title="first", alerts=[lines[0]], total_count=1)
    group.put(title="a word", kind="status", reason=Reason.COMMENT, actor="Olga", note="<!channel> look")
    group.put(title="second", alerts=[other], total_count=1)
    for _round in range(4):
        deliver_all_due(group.tenant.pk)
        let_pass(1, [group.tenant])
    parent, comment, last = slack.messages
    assert [one.thread_ts for one in slack.messages] == ["", parent.ts, parent.ts]
    said = comment.blocks[0]["text"]["text"]
    assert "*Olga* writes:" in said
    assert "<!channel>" not in said
    assert "second" in last.text
    assert states(group.channel) == {"delivered": 3}


def test_an_answer_whose_outcome_was_lost_is_found_in_the_thread(slack: FakeSlack) -> None:
    group = Group()
    group.tell()
    slack.script.append(Scripted(Reply(drop=True), accept=True))
    made = group.tell(reason=Reason.NEW_ALERTS)
    assert get(group.channel, made).state == "uncertain"
    let_pass(10, [group.tenant])
    reconcile_due()
    assert get(group.channel, made).state == "delivered"
    assert outcomes(group.channel, made) == ["ambiguous", "found"]
    assert len(slack.messages) == 2


def test_a_first_message_found_after_a_lost_answer_begins_the_thread(slack: FakeSlack) -> None:
    group = Group()
    slack.script.append(Scripted(Reply(drop=True), accept=True))
    group.tell()
    second = group.tell(title="changed", reason=Reason.NEW_ALERTS)
    assert get(group.channel, second).state == "pending", "it waits until it is known whether there is a thread"
    let_pass(10, [group.tenant])
    reconcile_due()
    deliver_due(group.tenant.pk)
    parent, answer = slack.messages
    assert answer.thread_ts == parent.ts
    assert "changed" in parent.text


def test_an_older_state_never_overwrites_a_newer_one(slack: FakeSlack) -> None:
    group = Group()
    group.tell(title="new state")
    group.tell(title="old state", created_at=START - timedelta(hours=1))
    parent, late = slack.messages
    assert "new state" in parent.text
    assert parent.edits == 0
    assert late.thread_ts == parent.ts


def test_groups_and_tenants_have_threads_of_their_own(slack: FakeSlack) -> None:
    ours, theirs = Group(), Group()
    ours.tell()
    theirs.tell()
    assert [message.thread_ts for message in slack.messages] == ["", ""]
    with tenant_context(ours.tenant.pk):
        assert ThreadAnchor.objects.count() == 1
        assert Delivery.objects.count() == 1


def test_buttons_come_with_the_secret_that_makes_them_work(slack: FakeSlack) -> None:
    group = Group()
    group.tell()
    acts = [
        element["action_id"]
        for block in slack.messages[0].attachments[0]["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
    ]
    assert acts[:4] == ["act_acknowledge", "act_resolve", "act_comment", "menu"]
    group.tell(status="acknowledged", kind="status", reason=Reason.ACKNOWLEDGED, actor="Olga")
    shown = json.dumps(slack.messages[0].attachments)
    assert "act_unacknowledge" in shown
    assert "act_acknowledge" not in shown
    with tenant_context(group.tenant.pk):
        group.channel.credentials = json.dumps({"token": "xoxb-test"})
        group.channel.save()
    group.tell()
    assert "act_" not in json.dumps(slack.messages[0].attachments)


def test_a_message_is_needless_only_when_a_newer_one_knows_all_its_alerts() -> None:
    older = whole_message()
    newer = msgspec.structs.replace(older, created_at=older.created_at + timedelta(minutes=1))
    assert carries(newer, older)
    assert not carries(older, newer)
    assert not carries(msgspec.structs.replace(newer, alerts=newer.alerts[1:]), older)
    assert not carries(newer, msgspec.structs.replace(older, total_count=len(older.alerts) + 1))
    assert not carries(newer, msgspec.structs.replace(older, kind="status"))


def test_an_update_whose_outcome_is_unknown_is_made_again_at_once(slack: FakeSlack) -> None:
    group = Group()
    group.tell()
    slack.script.append(Scripted(Reply(drop=True), method="chat.update", accept=True))
    made = group.tell(title="changed")
    assert get(group.channel, made).state == "pending", "nothing was said yet, so there is nothing to look up"
    let_pass(10, [group.tenant])
    deliver_due(group.tenant.pk)
    assert get(group.channel, made).state == "delivered"
    assert outcomes(group.channel, made) == ["retryable", "ok"]
    assert len(slack.messages) == 2


def test_a_quiet_update_without_a_message_posts_nothing(slack: FakeSlack) -> None:
    """As of a group that was told in a digest: there is no message of its own to bring up to date."""
    group = Group()
    made = group.tell(kind="status", reason=Reason.CAUSES)
    assert not slack.messages
    assert (row := get(group.channel, made)).state == "cancelled"
    assert "the next one tells it" in row.state_reason
    group.tell(title="changed", reason=Reason.NEW_ALERTS)
    (parent,) = slack.messages
    assert "changed" in parent.text


def test_a_quiet_update_waits_for_the_message_that_is_on_its_way(slack: FakeSlack) -> None:
    group = Group()
    slack.script.append(Scripted(Reply(429, b"{}", {"Retry-After": "20"})))
    group.tell(title="first")
    made = group.tell(title="with causes", kind="status", reason=Reason.CAUSES)
    assert not slack.messages
    assert get(group.channel, made).state == "pending"
    for _round in range(3):
        let_pass(61, [group.tenant])
        deliver_all_due(group.tenant.pk)
    (parent,) = slack.messages
    assert "with causes" in parent.text
    assert states(group.channel) == {"delivered": 2}


def test_a_quiet_update_of_a_deleted_message_posts_nothing(slack: FakeSlack) -> None:
    group = Group()
    group.tell()
    slack.delete(slack.messages[0].ts)
    made = group.tell(kind="status", reason=Reason.JUDGED)
    assert not slack.messages
    row = get(group.channel, made)
    assert (row.state, "no message" in row.degraded) == ("delivered", True)
    group.tell(title="anew")
    (parent,) = slack.messages
    assert "anew" in parent.text
