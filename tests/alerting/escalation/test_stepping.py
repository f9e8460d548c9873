"""Escalations from the first call to the last, and everything that stops or hurries them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerting import lifecycle
from alerting.escalation.stepping import step_due
from alerting.models import AlertGroup, EscalationPolicy, Route, Timer
from channels.delivery import ending
from channels.models import Delivery, DeliveryState
from tests.alerting.escalation.scenes import Call, channel_target, level, member_target, schedule_target
from tests.alerting.scenes import alert, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    return Call()


def fire(call: Call, severity: str = "critical") -> None:
    """An alert comes in, is looked at, and the escalation takes its first steps."""
    call.feed(alert(severity=severity))
    call.flush()
    call.step()


def test_one_level_after_the_other_until_everybody_was_called(call: Call) -> None:
    ann, bob = call.person("ann"), call.person("bob")
    call.routed(level(0, schedule_target(call.schedule(ann))), level(5, member_target(bob)))
    fire(call)
    assert call.called() == ["ann"]
    assert call.due_in() == 5
    call.wait(4)
    assert call.called() == ["ann"]
    call.wait(1.1)
    assert call.called() == ["ann", "bob"]
    assert call.escalation().state == "exhausted"
    assert call.due_in() is None
    kinds = [kind for kind in call.kinds() if kind.startswith("escalat")]
    assert kinds == ["escalation_started", "escalated", "escalated", "escalation_ended:all_called"]


def test_the_message_says_which_level_and_why(call: Call) -> None:
    ann = call.person("ann")
    call.routed(level(0, schedule_target(call.schedule(ann))))
    fire(call)
    (message,) = [one for one in call.messages() if one.kind == "escalation"]
    assert message.sent_reason == "you are on call (primary): level 1 of the escalation policy ops"
    assert (message.reason, message.firing_count, message.status) == ("escalation", 1, "firing")
    (delivery,) = call.deliveries()
    assert delivery.source_id == call.group().pk


def test_it_begins_again_as_often_as_the_policy_says(call: Call) -> None:
    ann = call.person("ann")
    call.routed(level(0, member_target(ann)), repeat_count=2)
    fire(call)
    for _round in range(5):
        call.wait(10.1)
    assert call.called() == ["ann"] * 3


def test_acknowledging_stops_and_taking_it_back_goes_on(call: Call) -> None:
    ann, bob = call.person("ann"), call.person("bob")
    call.routed(level(0, member_target(ann)), level(10, member_target(bob)))
    fire(call)
    call.age(4)
    lifecycle.acknowledge(call.principal, call.group().pk)
    assert call.deliveries()[0].state == "cancelled"
    assert call.due_in() is None
    call.wait(60)
    assert call.called() == ["ann"]
    lifecycle.unacknowledge(call.principal, call.group().pk)
    assert call.due_in() == 6
    call.wait(6.1)
    assert call.called() == ["ann", "bob"]


def test_an_acknowledgement_that_runs_out_calls_the_last_level_again(call: Call) -> None:
    ann, bob = call.person("ann"), call.person("bob")
    levels = level(0, member_target(ann)), level(10, member_target(bob))
    call.routed(*levels, acknowledge_timeout=at(30) - at(0))
    fire(call)
    lifecycle.acknowledge(call.principal, call.group().pk)
    call.wait(29)
    assert (call.called(), call.group().status) == (["ann"], "acknowledged")
    call.wait(1.1)
    assert (call.called(), call.group().status) == (["ann", "ann"], "firing")
    assert "unacknowledged:timed_out" in call.kinds()
    call.wait(10.1)
    assert call.called() == ["ann", "ann", "bob"]


def test_resolving_ends_it(call: Call) -> None:
    call.routed(level(0, member_target(call.person("ann"))), level(5, member_target(call.person("bob"))))
    fire(call)
    lifecycle.resolve(call.principal, call.group().pk)
    assert call.escalation().state == "ended"
    call.wait(60)
    assert call.called() == ["ann"]


def test_the_end_of_the_alert_ends_it(call: Call) -> None:
    call.routed(level(0, member_target(call.person("ann"))), level(5, member_target(call.person("bob"))))
    fire(call)
    call.feed(alert(severity="critical", status="resolved"))
    call.hurry()
    call.flush()
    assert call.escalation().state == "ended"
    call.wait(60)
    assert call.called() == ["ann"]


def test_a_step_finds_out_by_itself_that_the_group_is_over(call: Call) -> None:
    call.routed(level(0, member_target(call.person("ann"))), level(5, member_target(call.person("bob"))))
    fire(call)
    with call.context():
        AlertGroup.objects.update(status="resolved")
    call.wait(6)
    assert call.called() == ["ann"]
    assert (call.escalation().state, call.due_in()) == ("ended", None)


def test_a_rise_of_severity_begins_anew(call: Call) -> None:
    ann, bob = call.person("ann"), call.person("bob")
    call.routed(level(0, member_target(ann)), level(30, member_target(bob)))
    fire(call, "warning")
    call.age(6)
    call.feed(alert(severity="critical"))
    call.flush()
    call.step()
    assert call.called() == ["ann", "ann"]
    assert "escalation_started:severity_raised" in call.kinds()
    assert call.escalation().run == 2


def test_edits_do_not_reach_what_runs(call: Call) -> None:
    ann, bob, cid = call.person("ann"), call.person("bob"), call.person("cid")
    call.routed(level(0, member_target(ann)), level(5, member_target(bob)))
    fire(call)
    with call.context():
        EscalationPolicy.objects.update(levels=[level(0, member_target(cid))])
    call.flush()
    call.wait(5.1)
    assert call.called() == ["ann", "bob"]


def test_after_downtime_only_the_highest_overdue_step_fires_and_says_so(call: Call) -> None:
    names = ["ann", "bob", "cid", "dan"]
    people = [call.person(name) for name in names]
    call.routed(*(level(0 if number == 0 else 5, member_target(one)) for number, one in enumerate(people)))
    fire(call)
    call.wait(12)
    assert call.called() == ["ann", "cid"]
    skipped = [kind for kind in call.kinds() if kind.startswith("escalation_skipped")]
    assert skipped == ["escalation_skipped:superseded"]
    assert "escalated:called_late" in call.kinds()
    assert "2 minutes late" in call.messages()[-1].sent_reason
    assert call.due_in() == 5
    call.wait(5.1)
    assert call.called() == ["ann", "cid", "dan"]


def test_own_rules_first_here_then_there_and_silence_once_acknowledged(call: Call) -> None:
    ann = call.person("ann", contact=False)
    slack, sms, phone = (call.contact(ann, name) for name in ("slack", "sms", "phone"))
    for minutes, contact in ((0, slack), (5, sms), (15, phone)):
        call.rule(ann, contact, minutes)
    call.routed(level(0, member_target(ann)))
    fire(call)
    assert (call.called(), call.due_in()) == (["slack"], 5)
    call.wait(5.1)
    assert call.called() == ["slack", "sms"]
    lifecycle.acknowledge(call.principal, call.group().pk)
    call.wait(60)
    assert call.called() == ["slack", "sms"]
    assert [one.state for one in call.notices()] == ["sent", "sent", "cancelled"]


def test_rules_of_the_importance_hold(call: Call) -> None:
    ann = call.person("ann", contact=False)
    mail, phone = call.contact(ann, "mail"), call.contact(ann, "phone")
    call.rule(ann, mail, 0, "normal")
    call.rule(ann, phone, 0, "urgent")
    call.routed(level(0, member_target(ann), importance="normal"), level(5, member_target(ann)))
    fire(call)
    call.wait(5.1)
    assert call.called() == ["mail", "phone"]


def test_a_level_that_reaches_nobody_is_passed_over_at_once(call: Call) -> None:
    deaf, bob = call.person("deaf", contact=False), call.person("bob")
    call.contact(deaf, "unproven", verified=False)
    empty = call.schedule(name="empty")
    call.routed(level(0, member_target(deaf), schedule_target(empty)), level(30, member_target(bob)))
    fire(call)
    assert call.called() == ["bob"]
    kinds = call.kinds()
    for why in ("no_contact", "nobody_on_call", "nobody_reached"):
        assert f"escalation_skipped:{why}" in kinds


def test_a_call_that_failed_brings_the_next_level_at_once(call: Call) -> None:
    ann, bob = call.person("ann"), call.person("bob")
    call.routed(level(0, member_target(ann)), level(30, member_target(bob)))
    fire(call)
    with call.context():
        ending.end([Delivery.objects.get().pk], DeliveryState.EXPIRED, "no such number")
    call.step()
    assert call.called() == ["ann", "bob"]


def test_a_call_that_failed_brings_the_same_persons_next_contact_first(call: Call) -> None:
    ann, bob = call.person("ann", contact=False), call.person("bob")
    for minutes, name in ((0, "slack"), (5, "sms")):
        call.rule(ann, call.contact(ann, name), minutes)
    call.routed(level(0, member_target(ann)), level(30, member_target(bob)))
    fire(call)
    with call.context():
        ending.end([Delivery.objects.get().pk], DeliveryState.EXPIRED, "workspace is gone")
    call.step()
    assert call.called() == ["slack", "sms"]
    assert call.due_in() == 30


def test_a_critical_message_that_failed_hurries_the_groups_escalation(call: Call) -> None:
    route = call.routed(level(30, member_target(call.person("ann"))))
    with call.context():
        route.route_channels.create(tenant_id=call.id, channel=call.pager)
    fire(call)
    assert call.called() == []
    with call.context():
        ending.end([Delivery.objects.get(kind="notification").pk], DeliveryState.EXPIRED, "too late")
    call.step()
    assert call.called() == ["ann"]


def test_a_channel_is_told_as_a_target(call: Call) -> None:
    room = call.channel("room")
    call.routed(level(0, channel_target(room)))
    fire(call)
    assert call.called() == ["http://127.0.0.1:9/hook"]


def test_muting_holds_and_its_end_goes_on(call: Call) -> None:
    ann, bob = call.person("ann"), call.person("bob")
    call.routed(level(0, member_target(ann)), level(10, member_target(bob)))
    fire(call)
    silence = lifecycle.silence_group(call.principal, call.group().pk, at(60), "known")
    call.flush()
    assert (call.escalation().state, call.due_in()) == ("muted", None)
    call.wait(30)
    assert call.called() == ["ann"]
    with call.context():
        silence.delete()
    call.flush()
    call.wait(10.1)
    assert call.called() == ["ann", "bob"]


def test_another_route_ends_the_policy_and_starts_its_own(call: Call) -> None:
    ann, bob = call.person("ann"), call.person("bob")
    root = call.routed(level(0, member_target(ann)), level(10, member_target(ann)))
    other = call.policy_of(level(0, member_target(bob)), name="database")
    fire(call)
    with call.context():
        Route.objects.filter(pk=root.pk).update(policy=other)
    call.flush()
    call.step()
    assert call.called() == ["ann", "bob"]
    assert "escalation_ended:rerouted" in call.kinds()


def test_many_groups_cost_no_more_statements_than_one(call: Call) -> None:
    call.group_by("alertname")
    call.routed(level(0, member_target(call.person("ann"))), level(5, member_target(call.person("bob"))))
    call.feed(*(alert(f"Down{number}", severity="critical") for number in range(60)))
    call.flush()
    counts = []
    for limit in (1, 50):
        with CaptureQueriesContext(connection) as captured:
            assert step_due(call.id, limit) == limit
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert len(call.called()) == 51


def test_timers_of_groups_and_of_escalations_keep_apart(call: Call) -> None:
    call.routed(level(5, member_target(call.person("ann"))))
    call.feed(alert(severity="critical"))
    call.flush()
    Timer.objects.filter(tenant_id=call.id, kind="escalation").update(due_at=at(-1))
    assert call.flush() == 0
    assert Timer.objects.filter(tenant_id=call.id, kind="escalation").count() == 1
    Timer.objects.filter(tenant_id=call.id, kind="group").update(due_at=at(-1))
    groups = Timer.objects.filter(tenant_id=call.id, kind="group").count()
    call.step()
    assert Timer.objects.filter(tenant_id=call.id, kind="group").count() == groups
