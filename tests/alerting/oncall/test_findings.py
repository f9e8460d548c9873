"""What would go wrong is found and shown before it matters."""

import pytest

from alerting.models import AuditFinding, ContactMethod, OnCallSchedule
from alerting.oncall.reading import read_people
from alerting.oncall.watching import watch, watch_all
from channels.models import Channel, PausedAddress
from tests.alerting.escalation.scenes import Call, level, member_target, schedule_target

pytestmark = pytest.mark.django_db


def stored(call: Call) -> dict[str, int]:
    with call.context():
        return dict(AuditFinding.objects.values_list("check_name", "count"))


def test_a_tenant_whose_people_can_all_be_reached_has_no_finding() -> None:
    call = Call()
    ann = call.person("ann")
    call.policy_of(level(0, schedule_target(call.schedule(ann)), member_target(ann)))
    assert set(watch(call.id).values()) == {0}
    assert stored(call) == {}


def test_somebody_whose_only_address_is_paused_cannot_be_reached() -> None:
    call = Call()
    ann = call.person("ann", contact=False)
    call.contact(ann, "Ann@example.org")
    call.schedule(ann)
    with call.context():
        channel = Channel.objects.get(pk=ContactMethod.objects.get(person=ann).channel_id)
        assert read_people([ann.pk])[ann.pk].contacts
        PausedAddress.objects.create(address="ann@example.org", why="bounced")
        assert read_people([ann.pk])[ann.pk].contacts, "only mail is paused, and this channel is none"
        Channel.objects.filter(pk=channel.pk).update(kind="email")
        assert not read_people([ann.pk])[ann.pk].contacts
    watch(call.id)
    assert stored(call)["on_call_unreachable"] == 1


def test_gaps_deaf_people_and_lost_targets_are_counted_and_go_again() -> None:
    call = Call()
    deaf = call.person("deaf", contact=False)
    office = {"start": "09:00:00", "end": "17:00:00", "weekdays": []}
    schedule = call.schedule(deaf, restrictions=[office])
    gone = call.schedule(deaf, name="gone")
    call.policy_of(level(0, schedule_target(gone), member_target(deaf)))
    with call.context():
        gone.delete()
    watch_all()
    found = stored(call)
    assert found["nobody_on_call"] >= 14
    assert (found["on_call_unreachable"], found["escalation_targets_gone"]) == (1, 2)
    with call.context():
        example = AuditFinding.objects.get(check_name="on_call_unreachable").examples[0]
    assert example.endswith("deaf goes on call without a verified contact.")
    call.contact(deaf, "ears")
    with call.context():
        OnCallSchedule.objects.filter(pk=schedule.pk).delete()
    watch(call.id)
    assert stored(call) == {"nobody_on_call": 0, "on_call_unreachable": 0, "escalation_targets_gone": 1}
