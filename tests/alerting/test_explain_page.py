"""The page that explains: who sees it, what it takes, and that nothing an alert says becomes markup."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerting.admin.explain_drawing import mrkdwn
from alerting.explain import events, explain_alert
from alerting.explain.recall import as_sent
from alerting.explain.words import Clock
from alerting.models import Alert, AlertGroup, RouteChannel, TimelineEvent
from channels.models import Channel
from tenants.context import tenant_context
from tenants.models import User
from tests.alerting.test_explain_prediction import DISK, World, rerouted_by_enrichment, world
from tests.factories import PASSWORD, make_member, make_tenant

pytestmark = pytest.mark.django_db
__all__ = ["world"]


def signed_in(tenant: Any, role: str = "viewer") -> Client:
    client = Client()
    assert client.login(username=make_member(tenant, role).username, password=PASSWORD)
    return client


def page(client: Client, **query: Any) -> Any:
    return client.get(reverse("admin:explain"), query)


def ask(client: Client, alert: Any, **fields: str) -> Any:
    text = alert if isinstance(alert, str) else json.dumps(alert)
    return client.post(reverse("admin:explain"), {"alert": text, **fields})


def test_a_viewer_writes_an_alert_and_reads_its_story(world: World) -> None:
    answer = ask(signed_in(world.tenant), world.alert({**DISK, "severity": "critical"}))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Chat, Pager would be told at once." in text
    assert text.count('class="ex-node ex-way-') == 2
    assert "ex-way-taken" in text


def test_the_matcher_that_failed_is_shown_on_the_branch_not_taken(world: World) -> None:
    text = ask(signed_in(world.tenant), world.alert(severity="warning")).content.decode()
    assert "it wants severity=critical, the alert has warning" in text
    assert "severity=&quot;critical&quot;" in text


def test_an_alert_that_came_in_is_told_as_it_is_on_record_and_as_if_it_came_now(world: World) -> None:
    world.told(world.alert())
    with tenant_context(world.tenant.pk):
        alert = Alert.objects.get()
    client = signed_in(world.tenant)
    assert "What was decided, as it is on record." in page(client, alert=alert.pk).content.decode()
    again = page(client, alert=alert.pk, now="1").content.decode()
    assert "It is no news" in again
    assert "Nobody would be told because of this." in again


def test_a_group_is_told(world: World) -> None:
    world.told(world.alert())
    with tenant_context(world.tenant.pk):
        group = AlertGroup.objects.get()
    assert "Chat to #alerts" in page(signed_in(world.tenant), group=group.pk).content.decode()


def test_a_stranger_finds_nothing_and_nobody_else_gets_in(world: World) -> None:
    world.told(world.alert())
    with tenant_context(world.tenant.pk):
        alert = Alert.objects.get()
    assert page(signed_in(make_tenant(), "owner"), alert=alert.pk).status_code == 404
    assert page(signed_in(world.tenant), alert="no-uuid").status_code == 404
    assert page(Client()).status_code == 302


@pytest.mark.parametrize("text", ["", "{", "[]", '{"labels": {"a": "b", "a": "c"}}', "9" * 5000, '"\\ud800"'])
def test_what_is_no_alert_is_answered_with_what_is_wrong(world: World, text: str) -> None:
    answer = ask(signed_in(world.tenant), text)
    assert answer.status_code == 200
    assert (
        "would not take this alert" in answer.content.decode() or "This field is required." in answer.content.decode()
    )


def test_a_time_too_far_off_is_an_error_of_the_form(world: World) -> None:
    text = ask(signed_in(world.tenant), world.alert(), at="2199-01-01T00:00").content.decode()
    assert "at most a year away" in text
    later = timezone.localtime(timezone.now() + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    assert "would be told" in ask(signed_in(world.tenant), world.alert(), at=later).content.decode()


def test_what_an_alert_says_never_becomes_markup(world: World) -> None:
    evil = "<script>alert(1)</script>"
    alert = world.alert({**DISK, "host": evil}, annotations={"summary": evil})
    text = ask(signed_in(world.tenant), alert).content.decode()
    assert evil not in text
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("*bold* and _thin_", "<b>bold</b> and <i>thin</i>"),
        ("a_b_c 2*3*4", "a_b_c 2*3*4"),
        ("&lt;b&gt; `x`", "&lt;b&gt; <code>x</code>"),
        (
            "<https://a.example/?q=_x_&amp;y=1|Runbook>",
            '<a href="https://a.example/?q=_x_&amp;y=1" rel="noopener noreferrer nofollow" target="_blank">Runbook</a>',
        ),
        ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
        ('<https://a.example/"onclick="x|y>', "&lt;https://a.example/&quot;onclick=&quot;x|y&gt;"),
    ],
)
def test_slack_s_markup_is_drawn_and_nothing_else(text: str, drawn: str) -> None:
    assert mrkdwn(text) == drawn


def test_an_alert_is_recalled_without_what_enrichment_added(world: World) -> None:
    sent = rerouted_by_enrichment(world)
    world.told(sent)
    with tenant_context(world.tenant.pk):
        assert as_sent(Alert.objects.get())["labels"] == sent["labels"]


def test_a_message_is_drawn_in_the_language_of_its_reader(world: World) -> None:
    reader = make_member(world.tenant, "responder")
    User.objects.filter(pk=reader.pk).update(email="rene@example.com", locale="fr", time_zone="Europe/Paris")
    with tenant_context(world.tenant.pk):
        settings = {"host": "mail.example.com", "to": ["rene@example.com"], "from_address": "alerts@example.com"}
        mail = Channel.objects.create(name="Mail", kind="email", settings=settings)
        RouteChannel.objects.create(route=world.routes["All"], channel=mail)
    text = ask(signed_in(world.tenant), world.alert(severity="warning")).content.decode()
    assert "As rene@example.com reads it (français):" in text
    assert "EN COURS (avertissement)" in text
    assert "As #alerts reads it (English):" in text


def test_who_heard_nothing_of_a_past_alert_is_told_with_the_reason(world: World) -> None:
    world.told(world.alert())
    with tenant_context(world.tenant.pk):
        alert = Alert.objects.get()
        Channel.objects.create(name="Finance", kind="slack", settings={"channel": "#f"}, credentials="{}")
    story = explain_alert(world.tenant.pk, alert.pk)
    assert story is not None
    (step,) = [one for one in story.steps if one.kind == "unheard"]
    assert {one.name: one.code for one in step.details} == {"Finance": "came_later", "Pager": "no_route"}
    assert "Pager: no route led there." in page(signed_in(world.tenant), alert=alert.pk).content.decode()


def test_a_channel_that_was_asked_and_not_told_has_its_reason_on_record(world: World) -> None:
    with tenant_context(world.tenant.pk):
        Channel.objects.filter(name="Chat").update(is_active=False)
    world.told(world.alert())
    with tenant_context(world.tenant.pk):
        alert = Alert.objects.get()
    story = explain_alert(world.tenant.pk, alert.pk)
    assert story is not None
    (step,) = [one for one in story.steps if one.kind == "unheard"]
    assert {one.name: one.code for one in step.details} == {"Chat": "channel_off", "Pager": "no_route"}
    assert "since the channel is switched off" in step.details[0].sentence


def test_where_nobody_was_told_anything_nobody_is_singled_out(world: World) -> None:
    world.send(world.alert())
    with tenant_context(world.tenant.pk):
        alert = Alert.objects.get()
    story = explain_alert(world.tenant.pk, alert.pk)
    assert story is not None
    assert "unheard" not in {one.kind for one in story.steps}


def test_an_escalation_of_the_past_names_whom_it_called_and_to_the_second() -> None:
    now = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    people = [{"who": "ann", "recipient": "a@b.c"}, {"who": "ann", "recipient": "+43"}, {"who": "bob"}]
    event = TimelineEvent(kind="escalated", at=now - timedelta(minutes=20), data={"level": 2, "told": people})
    assert events.told(event, Clock(now, "UTC")).sentence == "14:40:00 – Escalated to ann, bob, level 2"
    early = TimelineEvent(kind="escalated", at=now - timedelta(days=1), reason="called_late", data=event.data)
    sentence = events.told(early, Clock(now, "UTC")).sentence
    assert sentence == "Sun 22 Nov, 15:00:00 – Escalated to ann, bob, level 2: later than planned"
