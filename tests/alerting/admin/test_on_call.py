"""On-call and escalation in the admin: cards and lines for layers, the calendar, who is called next."""

import json
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from django.urls import reverse

from alerting.models import ContactMethod, EscalationPolicy, OnCallSchedule, Route, ScheduleOverride
from alerting.oncall import feeds
from channels.message import Message
from channels.models import Channel, Delivery
from tenants.context import tenant_context
from tenants.models import AuditEntry
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
    answer = save(ours, OnCallSchedule, name="drawn", time_zone="Europe/Paris", layers=f"{lines}; only 22:00-06:00")
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    schedule = stored(ours, "drawn")
    assert [layer["unit"] for layer in schedule.layers] == ["weekly", "daily"]
    page = ours.client(ours.owner).get(admin_url(OnCallSchedule, "change", schedule.pk)).content.decode()
    assert page.count("al-strip-bar") > 14
    assert page.count("al-strip-name") == 4
    assert "only 22:00-06:00" in page
    assert "goes on call without a verified contact" in page
    assert ".ics" in page


def stored(world: World, name: str) -> OnCallSchedule:
    with tenant_context(world.tenant.pk):
        return OnCallSchedule.objects.get(name=name)


def card(world: World, **changes: Any) -> dict[str, Any]:
    """A layer as the cards of the form send it."""
    people = [str(world.responder.pk), str(world.owner.pk)]
    span = {"start": "07:00:00", "end": "23:00:00", "weekdays": [0, 1, 2, 3, 4]}
    whole = {"name": "Week", "people": people, "unit": "weekly", "every": 1, "starts_at": "2026-01-05T09:00:00"}
    return {**whole, "ends_at": None, "restrictions": [span], **changes}


def test_a_schedule_is_made_of_cards(ours: World) -> None:
    cards = [card(ours), card(ours, name="Night", unit="daily", every=2, ends_at="2027-01-01T09:00:00")]
    answer = save(ours, OnCallSchedule, name="cards", layers=json.dumps(cards))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert stored(ours, "cards").layers == cards
    page = ours.client(ours.owner).get(admin_url(OnCallSchedule, "change", stored(ours, "cards").pk))
    assert page.context["adminform"].form["layers"].value() == cards


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": " "}, "Layer 2: Give it a name."),
        ({"people": []}, "Layer 2: Add at least one person."),
        ({"starts_at": "T09:00:00"}, "Layer 2: Say on which day"),
        ({"starts_at": "2026-01-05T"}, "Layer 2: Say at which time"),
        ({"every": ""}, "Layer 2: Say how long"),
        ({"every": 999}, "Layer 2: A turn lasts from an hour to a year."),
        ({"restrictions": [{"start": "", "end": "", "weekdays": []}]}, "Layer 2: Give each time of day"),
        ({"ends_at": "2025-01-01T09:00:00"}, "Layer 2: It ends after it begins."),
        ({"people": ["0192c0de-0000-7000-8000-000000000001"]}, "Layer 2: Only members"),
        ({"people": ["nobody"]}, "Layer 2: "),
        ({"unit": "yearly"}, "Layer 2: "),
    ],
)
def test_what_is_wrong_with_a_card_is_said_and_the_cards_stay(change: dict[str, Any], words: str, ours: World) -> None:
    typed = json.dumps([card(ours), card(ours, **change)])
    answer = save(ours, OnCallSchedule, name="x", layers=typed)
    assert words in answer.context["adminform"].form.errors["layers"][0]
    page = answer.content.decode()
    assert json.loads(page.split('id="layer-editor" type="application/json">')[1].split("</script>")[0])["rows"]
    drawn = ours.client(ours.owner).post(reverse("admin:alerting_oncallschedule_preview"), {"layers": typed})
    assert words in drawn.content.decode()


@pytest.mark.parametrize("typed", ["[1]", '[{"people": 1}]', "[", '{"name": "x"}', "[[]]", '[{"name": null}]'])
def test_what_is_no_card_at_all_is_refused_kindly(typed: str, ours: World) -> None:
    answer = save(ours, OnCallSchedule, name="x", layers=typed)
    assert answer.context["adminform"].form.errors["layers"]


def test_unsaved_layers_are_drawn_with_the_overrides(ours: World, foreign: World) -> None:
    preview = reverse("admin:alerting_oncallschedule_preview")
    client = ours.client(ours.viewer)
    typed = {"layers": json.dumps([card(ours)]), "time_zone": "Europe/Paris"}
    body = client.post(f"{preview}?schedule={ours.rows[OnCallSchedule].pk}", typed).content.decode()
    assert body.count("al-strip-name") == 3
    assert "Europe/Paris" in body
    assert ours.responder.username in body
    assert client.post(f"{preview}?schedule={foreign.rows[OnCallSchedule].pk}", typed).status_code == 404
    assert "al-fault" in client.post(preview, typed | {"time_zone": "Mars/Base"}).content.decode()


def test_the_address_of_the_feed_is_renewed(ours: World, foreign: World) -> None:
    schedule = ours.rows[OnCallSchedule]
    url = reverse("admin:alerting_oncallschedule_renew_feed", args=[schedule.pk])
    old = feeds.address(schedule)
    assert ours.client(ours.viewer).post(url).status_code == 403
    assert ours.client(ours.owner).get(url).status_code == 405
    assert foreign.client(foreign.owner).post(url).status_code == 404
    page = ours.client(ours.owner).post(url, follow=True).content.decode()
    assert "the old one no longer works" in page
    assert old not in page
    with tenant_context(ours.tenant.pk):
        assert AuditEntry.objects.filter(action="oncallschedule.changed").exists()
    assert feeds.calendar(old.rpartition("/")[2]) is None


def test_a_viewer_reads_the_layers(ours: World) -> None:
    page = ours.client(ours.viewer).get(ours.url(OnCallSchedule)).content.decode()
    assert f"layer {ours.marker}; weekly from 2026-01-05 09:00; {ours.owner.username}" in page
    assert "Renew the address" not in page


def test_a_layer_that_is_not_understood_is_told_at_its_line(ours: World) -> None:
    answer = save(
        ours, OnCallSchedule, name="x", layers=f"All; weekly from 2026-01-05 09:00; {ours.owner.username}\nHm"
    )
    assert "Line 2" in answer.context["adminform"].form.errors["layers"][0]
    answer = save(ours, OnCallSchedule, name="x", layers="All; every 999 weeks from 2026-01-05 09:00; nobody")
    assert "no member" in answer.context["adminform"].form.errors["layers"][0]
    long = f"All; every 999 weeks from 2026-01-05 09:00; {ours.owner.username}"
    answer = save(ours, OnCallSchedule, name="x", layers=long)
    assert "from an hour to a year" in answer.context["adminform"].form.errors["layers"][0]


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


def test_the_tree_shows_which_policy_a_route_starts_and_which_it_inherits(ours: World) -> None:
    root, policy = ours.rows[Route], ours.rows[EscalationPolicy]
    with tenant_context(ours.tenant.pk):
        Route.objects.filter(pk=root.pk).update(policy=policy)
        Route.objects.create(name="below", parent=root)
    page = ours.client(ours.owner).get(admin_url(Route, "changelist"))
    shown = [(node.route.name, node.policy, node.inherits_policy) for node in page.context["nodes"]]
    assert shown == [(root.name, policy, False), ("below", policy, True)]
    assert page.content.decode().count(f">{policy.name}</a>") == 2


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
    assert "level 1 · ann (ann)" in page
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


@pytest.mark.django_db
def test_a_page_says_who_is_on_call_at_any_time() -> None:
    call = Call()
    ann, owner = call.person("ann"), make_member(call.tenant)
    call.schedule(ann, name="days", ends_at="2026-02-01T09:00:00")
    call.schedule(name="empty")
    client = World(call.tenant, "x", owner, owner, owner).client(owner)
    page = client.get(reverse("admin:who"))
    assert [line.person for line in page.context["schedules"]] == [None, None]
    asked = {"labels": 'alertname="X"', "at": "2026-01-20T12:00"}
    at = datetime(2026, 1, 20, 12, tzinfo=UTC)
    with patch("alerting.admin.escalation.timezone.now", return_value=at):
        page = client.get(reverse("admin:who"), asked)
    days, empty = page.context["schedules"]
    assert (days.person, days.until) == (ann, datetime(2026, 2, 1, 9))
    assert (empty.person, empty.until) == (None, None)
