"""The words of explanations: what a matcher misses, times on the reader's clock, and what holds a message back."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from alerting.explain import explain
from alerting.explain.words import Clock, listed, mismatch, span
from alerting.matchers import Matcher
from channels.models import Channel, DestinationHealth, MessageTemplate
from tenants.context import tenant_context
from tests.alerting.test_explain_prediction import World, inhibition, silence, window, world

__all__ = ["world"]
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LABELS = {"region": "eu-west-2"}


@pytest.mark.parametrize(
    ("matcher", "told"),
    [
        (Matcher("region", "=", "eu-west-1"), "it wants region=eu-west-1, the alert has eu-west-2"),
        (Matcher("team", "=", "db"), "it wants team=db, the alert has no team"),
        (Matcher("region", "=", ""), "it wants no label region, the alert has region=eu-west-2"),
        (Matcher("team", "!=", ""), "it wants some team, the alert has none"),
        (Matcher("region", "!=", "eu-west-2"), "it wants any region but eu-west-2, and the alert has just that"),
        (Matcher("region", "=~", "us-.*"), "it wants region to match us-.*, the alert has eu-west-2"),
        (Matcher("team", "=~", "a|b"), "it wants team to match a|b, the alert has no team"),
        (Matcher("region", "!~", "eu-.*"), "it wants region not to match eu-.*, the alert has eu-west-2"),
        (Matcher("team", "!~", ".*"), "it wants team not to match .*, and a missing team does"),
    ],
)
def test_a_matcher_that_fails_says_what_it_wants_and_what_it_got(matcher: Matcher, told: str) -> None:
    assert not matcher.matches(LABELS)
    assert mismatch(matcher, LABELS) == told


def test_percent_signs_of_an_alert_are_only_text() -> None:
    assert mismatch(Matcher("x", "=", "%(name)s"), {"x": "100%"}) == "it wants x=%(name)s, the alert has 100%"


def test_times_are_on_the_tenant_s_clock_and_as_short_as_they_may_be() -> None:
    clock = Clock(NOW, "Europe/Paris")
    assert clock.at(NOW + timedelta(hours=3)) == "19:00"
    assert clock.at(NOW + timedelta(seconds=30)) == "16:00:30"
    assert clock.at(NOW + timedelta(hours=9)) == "Tue 24 Nov, 01:00"
    assert clock.at(NOW + timedelta(days=300)) == "19 Sep 2027, 17:00"
    assert clock.until(NOW + timedelta(minutes=5)) == "in 5 min"
    assert clock.until(NOW - timedelta(hours=1, minutes=30)) == "1 h 30 min ago"
    assert clock.until(NOW) == "just now"


def test_spans_name_their_two_largest_units() -> None:
    assert span(timedelta(days=2, hours=3, minutes=4)) == "2 days 3 h"
    assert span(timedelta(hours=3, minutes=59, seconds=59)) == "4 h"
    assert span(timedelta(seconds=90)) == "1 min 30 s"
    assert span(timedelta(0)) == "0 s"


def test_a_long_list_says_how_many_more_there_are() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(map(str, range(14))).endswith("10, 11 and 2 more")


@pytest.mark.django_db
def test_a_destination_that_keeps_failing_is_told_later(world: World) -> None:
    with tenant_context(world.tenant.pk):
        DestinationHealth.objects.create(
            channel=world.channel("Chat"), circuit="open", blocked_until=timezone.now() + timedelta(minutes=5),
            blocked_reason="HTTP 503", tokens=5, tokens_at=timezone.now(),
        )  # fmt: skip
    one = explain(world.tenant.pk, world.alert()).destinations[0]
    assert one.is_told
    assert one.held_until is not None
    assert "has been failing and is tried again in 5 min. (HTTP 503)" in one.sentence or "in 4 min" in one.sentence


@pytest.mark.django_db
def test_a_used_up_rate_limit_holds_the_message_back(world: World) -> None:
    with tenant_context(world.tenant.pk):
        DestinationHealth.objects.create(channel=world.channel("Chat"), tokens=0, tokens_at=timezone.now())
        Channel.objects.filter(name="Chat").update(rate_per_minute=1)
    one = explain(world.tenant.pk, world.alert()).destinations[0]
    assert one.held_until is not None
    assert "rate limit" in one.sentence


@pytest.mark.django_db
def test_a_template_that_fails_is_shown_with_what_goes_out_instead(world: World) -> None:
    with tenant_context(world.tenant.pk):
        template = MessageTemplate.objects.create(name="Bad", kind="slack", parts={"text": "{{ 1 // 0 }}"})
        Channel.objects.filter(name="Chat").update(template=template)
    told = explain(world.tenant.pk, world.alert())
    assert told.messages[0].problems
    assert "firing" in told.messages[0].parts["text"]
    assert next(step for step in told.steps if step.kind == "messages").verdict == "fault"


@pytest.mark.django_db
def test_a_tenant_s_own_template_is_what_is_shown(world: World) -> None:
    with tenant_context(world.tenant.pk):
        template = MessageTemplate.objects.create(name="Mine", kind="slack", parts={"text": "Wake up: {{ title }}"})
        Channel.objects.filter(name="Chat").update(template=template)
    assert explain(world.tenant.pk, world.alert()).messages[0].parts["text"] == "Wake up: DiskFull"


@pytest.mark.django_db
def test_slack_s_message_is_drawn_whole_and_its_layout_is_not_spelt_out(world: World) -> None:
    told = explain(world.tenant.pk, world.alert()).messages[0]
    assert told.kind == "slack"
    assert "blocks" not in told.parts.keys() | told.types.keys()
    assert told.drawing.startswith("<!doctype html>")
    assert "DiskFull" in told.drawing


@pytest.mark.django_db
def test_who_hears_of_it_when_a_silence_ends_is_said(world: World) -> None:
    with tenant_context(world.tenant.pk):
        silence(service="db")
    summary = explain(world.tenant.pk, world.alert()).summary
    assert summary.startswith("Nobody would be told. The silence “db upgrade” mutes it until ")
    assert summary.endswith("Chat would be told then.")


@pytest.mark.django_db
def test_many_silences_that_miss_are_told_nearest_first_and_counted(world: World) -> None:
    with tenant_context(world.tenant.pk):
        for number in range(8):
            silence(service=f"other-{number}")
        silence(service="db", region="eu-west-1")
    found = next(one for one in explain(world.tenant.pk, world.alert()).steps if one.kind == "silences").details
    assert "it wants region=eu-west-1" in found[0].sentence
    assert (len(found), found[-1].data) == (6, {"count": 4})


@pytest.mark.django_db
def test_what_the_door_mends_is_told(world: World) -> None:
    alert = world.alert(
        {"alertname": "Disk\u202eFull", "empty": "", "severity": "sev1"}, starts_at="2001-01-01T00:00:00z"
    )
    told = explain(world.tenant.pk, json.dumps(alert).encode())
    codes = [one.code for one in told.steps[0].details]
    assert codes == ["accepted", "text_cleaned", "empty_dropped", "time_clamped", "severity_mapped"]


@pytest.mark.django_db
def test_a_window_that_is_closed_says_when_it_opens(world: World) -> None:
    with tenant_context(world.tenant.pk):
        window(5, service="db")
        window(-5, service="db")
    found = next(one for one in explain(world.tenant.pk, world.alert()).steps if one.kind == "maintenance").details
    sentences = " ".join(one.sentence for one in found)
    assert "opens only at" in sentences
    assert "but is over" in sentences


@pytest.mark.django_db
def test_what_the_end_of_a_source_frees_is_told(world: World) -> None:
    with tenant_context(world.tenant.pk):
        inhibition()
    source = world.alert({"alertname": "RegionDown", "region": "eu-west-2"})
    world.told(source)
    world.told(world.alert())
    told = explain(world.tenant.pk, {**source, "status": "resolved"})
    freed = next(one for step in told.steps for one in step.details if one.code == "frees")
    assert "“DiskFull”" in freed.sentence
