"""On-call and escalation in the admin: lines for layers and levels, the calendar, who is called next."""

from typing import Any

import pytest
from django.urls import reverse

from alerting.models import ContactMethod, EscalationPolicy, OnCallSchedule, Route, ScheduleOverride
from channels.message import Message
from channels.models import Channel, Delivery
from tenants.context import tenant_context
from tests.alerting.admin.world import World, admin_url
from tests.alerting.escalation.scenes import Call, level, member_target
from tests.alerting.scenes import alert
from tests.factories import make_member


def save(world: World, model: Any, page: str = "add", **data: Any) -> Any:
    url = admin_url(model, "add") if page == "add" else world.url(model, page)
    return world.client(world.owner).post(url, data)


def test_a_schedule_is_written_as_lines_and_drawn_as_strips(ours: World) -> None:
    owner, responder = ours.owner.username, ours.responder.username
    lines = f"All; weekly from 2026-01-05 09:00; {owner}, {responder}\nNight; daily from 2026-01-05 22:00; {owner}"
    answer = save(ours, OnCallSchedule, name="drawn", time_zone="Europe/Paris", lines=f"{lines}; only 22:00-06:00")
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    with tenant_context(ours.tenant.pk):
        schedule = OnCallSchedule.objects.get(name="drawn")
    assert [layer["unit"] for layer in schedule.layers] == ["weekly", "daily"]
    page = ours.client(ours.owner).get(admin_url(OnCallSchedule, "change", schedule.pk)).content.decode()
    assert page.count("al-strip-bar") > 14
    assert page.count("al-strip-name") == 4
    assert "only 22:00-06:00" in page
    assert "goes on call without a verified contact" in page
    assert ".ics" in page


def test_a_layer_that_is_not_understood_is_told_at_its_line(ours: World) -> None:
    answer = save(ours, OnCallSchedule, name="x", lines=f"All; weekly from 2026-01-05 09:00; {ours.owner.username}\nHm")
    assert "Line 2" in answer.context["adminform"].form.errors["lines"][0]
    answer = save(ours, OnCallSchedule, name="x", lines="All; every 999 weeks from 2026-01-05 09:00; nobody")
    assert "no member" in answer.context["adminform"].form.errors["lines"][0]
    long = f"All; every 999 weeks from 2026-01-05 09:00; {ours.owner.username}"
    answer = save(ours, OnCallSchedule, name="x", lines=long)
    assert "at most a year" in answer.context["adminform"].form.errors["lines"][0]


def test_a_policy_is_written_as_lines(ours: World) -> None:
    name = ours.rows[OnCallSchedule].name
    data = {"name": "written", "repeat_count": "1", "repeat_wait": "10m", "acknowledge_timeout": "30m"}
    lines = f"0m; schedule: {name}\n5m; member: {ours.responder.username}; normal"
    answer = save(ours, EscalationPolicy, **data, lines=lines)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    with tenant_context(ours.tenant.pk):
        policy = EscalationPolicy.objects.get(name="written")
    assert [(one["wait"], one["importance"]) for one in policy.levels] == [(0, "urgent"), (300, "normal")]
    page = ours.client(ours.owner).get(admin_url(EscalationPolicy, "change", policy.pk)).content.decode()
    assert f"5m; member: {ours.responder.username}; normal" in page
    answer = save(ours, EscalationPolicy, **(data | {"name": "other"}), lines="5m; member: nobody")
    assert "Line 1" in answer.context["adminform"].form.errors["lines"][0]


def test_an_override_can_be_made_by_a_responder(ours: World) -> None:
    data = {
        "schedule": str(ours.rows[OnCallSchedule].pk),
        "person": str(ours.viewer.pk),
        "starts_at_0": "2026-06-01",
        "starts_at_1": "09:00",
        "ends_at_0": "2026-06-02",
        "ends_at_1": "09:00",
    }
    client = ours.client(ours.responder)
    answer = client.post(admin_url(ScheduleOverride, "add"), data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    wrong = client.post(admin_url(ScheduleOverride, "add"), data | {"ends_at_0": "2026-05-01"})
    assert "ends_at" in wrong.context["adminform"].form.errors


def test_a_schedule_that_policies_name_is_protected(ours: World) -> None:
    client = ours.client(ours.owner)
    client.post(ours.url(OnCallSchedule, "delete"), {"post": "yes"})
    with tenant_context(ours.tenant.pk):
        assert OnCallSchedule.objects.filter(pk=ours.rows[OnCallSchedule].pk).exists()


def test_a_route_starts_a_policy(ours: World) -> None:
    page = ours.client(ours.owner).get(ours.url(Route)).content.decode()
    assert ours.rows[EscalationPolicy].name in page


@pytest.mark.django_db
def test_the_page_of_a_group_says_who_is_called_next() -> None:
    call = Call()
    ann, bob = call.person("ann"), call.person("bob")
    call.routed(level(0, member_target(ann)), level(5, member_target(bob)))
    call.feed(alert(severity="critical"))
    call.flush()
    call.step()
    owner = make_member(call.tenant)
    world = World(call.tenant, "x", owner, owner, owner)
    client = world.client(owner)
    page = client.get(reverse("admin:alerting_alertgroup_change", args=[call.group().pk])).content.decode()
    assert "Who is called next" in page
    assert "bob" in page.split("Who is called next")[1]
    asked = {"labels": 'alertname="X"', "at": ""}
    who = client.get(reverse("admin:who"), asked).content.decode()
    assert who.count("al-nowrap") >= 2
    assert "ann" in who.split("al-nowrap")[1]
    wrong = client.get(reverse("admin:who"), {"labels": 'alertname=~"X"'}).content.decode()
    assert "one value each" in wrong


def test_a_responder_adds_and_proves_their_own_contact_only(ours: World) -> None:
    client = ours.client(ours.responder)
    with tenant_context(ours.tenant.pk):
        settings = {"host": "mail.example.org", "to": ["o@example.org"], "from_address": "a@example.org"}
        channel = Channel.objects.create(name="mail", kind="email", settings=settings)
    data = {"person": str(ours.responder.pk), "channel": str(channel.pk), "address": "me@example.org", "code": ""}
    others = client.post(admin_url(ContactMethod, "add"), data | {"person": str(ours.owner.pk)})
    assert "person" in others.context["adminform"].form.errors
    assert client.post(admin_url(ContactMethod, "add"), data).status_code == 302
    with tenant_context(ours.tenant.pk):
        contact = ContactMethod.objects.get(person=ours.responder)
        message = Message.from_json(bytes(Delivery.objects.get(kind="verification").message))
    url = admin_url(ContactMethod, "change", contact.pk)
    client.post(url, data | {"code": "000000x"})
    client.post(url, data | {"code": message.title.split()[-1]})
    with tenant_context(ours.tenant.pk):
        assert ContactMethod.objects.get(pk=contact.pk).verified_at is not None
    client.post(url, data | {"address": "else@example.org"})
    with tenant_context(ours.tenant.pk):
        assert ContactMethod.objects.get(pk=contact.pk).verified_at is None
    theirs = ours.url(ContactMethod)
    assert client.post(theirs, data | {"person": str(ours.owner.pk)}).status_code == 403
    assert client.post(ours.url(ContactMethod, "delete"), {"post": "yes"}).status_code == 403
