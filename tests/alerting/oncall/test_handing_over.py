"""Hand-over notices: who begins a shift is told, once, and nobody else."""

import pytest

from alerting.models import OnCallSchedule, ScheduleOverride, ScheduleState, Timer
from alerting.oncall.handing_over import hand_over_due
from tests.alerting.escalation.scenes import Call
from tests.alerting.scenes import at

pytestmark = pytest.mark.django_db


def look(call: Call) -> list[str]:
    """Look at what is due; return who has been told so far."""
    while hand_over_due(call.id):
        pass
    return [one.recipient for one in call.deliveries() if one.kind == "hand_over"]


def timer(call: Call) -> Timer:
    return Timer.objects.get(tenant_id=call.id, kind="hand_over")


def test_a_new_schedule_begins_quietly_and_looks_again_at_its_next_hand_over() -> None:
    call = Call()
    call.schedule(call.person("ann"), call.person("bob"))
    assert look(call) == []
    assert timer(call).due_at > at(0)
    assert timer(call).due_at < at(7 * 24 * 60 + 1)


def test_who_takes_over_is_told_once() -> None:
    call = Call()
    ann, bob = call.person("ann"), call.person("bob")
    schedule = call.schedule(ann)
    look(call)
    with call.context():
        ScheduleOverride.objects.create(schedule=schedule, person=bob, starts_at=at(-1), ends_at=at(60))
    assert look(call) == ["bob"]
    assert at(59) < timer(call).due_at < at(61)
    Timer.objects.filter(tenant_id=call.id, kind="hand_over").update(due_at=at(-1))
    assert look(call) == ["bob"]
    (message,) = [one for one in call.messages() if one.kind == "hand_over"]
    assert message.title == "You are on call now: primary"
    with call.context():
        ScheduleOverride.objects.update(ends_at=at(-0.5))
    assert look(call) == ["bob", "ann"]


def test_a_schedule_that_does_not_want_notices_sends_none() -> None:
    call = Call()
    ann, bob = call.person("ann"), call.person("bob")
    schedule = call.schedule(ann)
    look(call)
    with call.context():
        OnCallSchedule.objects.update(notifies_hand_over=False)
        ScheduleOverride.objects.create(schedule=schedule, person=bob, starts_at=at(-1), ends_at=at(60))
    assert look(call) == []
    with call.context():
        assert ScheduleState.objects.get().person_id == bob.pk


def test_a_schedule_that_is_gone_takes_its_timer_along() -> None:
    call = Call()
    call.schedule(call.person("ann"))
    look(call)
    with call.context():
        OnCallSchedule.objects.all().delete()
    assert look(call) == []
    assert not Timer.objects.filter(tenant_id=call.id, kind="hand_over").exists()
