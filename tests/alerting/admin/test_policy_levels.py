"""The levels of a policy as rows of a form: what is sent is kept, what is wrong is told beside its control."""

import re
from typing import Any

import pytest

from alerting.models import EscalationPolicy, OnCallSchedule
from channels.models import Channel
from tenants.context import tenant_context
from tenants.models import User
from tests.alerting.admin.world import World, admin_url

REST = {"name": "written", "repeat_count": "1", "repeat_wait": "10m", "acknowledge_timeout": "30m"}


def member(world: World) -> str:
    return f"member:{world.responder.pk}"


def schedule(world: World) -> str:
    return f"schedule:{world.rows[OnCallSchedule].pk}"


def row(number: int, wait: str, *targets: str, **more: str) -> dict[str, str]:
    """One level as a browser sends it, with a spare target that nobody filled in."""
    said = {f"target-{place}": target for place, target in enumerate([*targets, ""])}
    said |= {f"via-{place}": "" for place in range(len(targets) + 1)}
    whole = {"order": str(number + 1), "wait": wait, "importance": "urgent", **said, **more}
    return {f"levels-{number}-{key}": value for key, value in whole.items()}


def save(world: World, *rows: dict[str, str], **more: str) -> Any:
    data = dict(REST, **more)
    for one in rows:
        data |= one
    return world.client(world.owner).post(admin_url(EscalationPolicy, "add"), data)


def stored(world: World) -> list[dict[str, Any]]:
    with tenant_context(world.tenant.pk):
        levels: list[dict[str, Any]] = EscalationPolicy.objects.get(name="written").levels
    return levels


def test_rows_become_levels_and_empty_ones_are_left_out(ours: World) -> None:
    levels = [row(0, "0s", schedule(ours)), row(1, "1h 30m", member(ours), importance="normal", **{"via-0": "sms"})]
    answer = save(ours, *levels, row(2, ""), row(3, " "))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    first, second = stored(ours)
    whom = {"kind": "schedule", "id": str(ours.rows[OnCallSchedule].pk), "via": ""}
    assert first == {"wait": 0, "targets": [whom], "importance": "urgent"}
    whom = {"kind": "member", "id": str(ours.responder.pk), "via": "sms"}
    assert second == {"wait": 5400, "targets": [whom], "importance": "normal"}


def test_the_page_shows_every_level_with_spare_rows(ours: World) -> None:
    save(ours, row(0, "0s", schedule(ours)), row(1, "5m", member(ours), **{"via-0": "sms"}))
    with tenant_context(ours.tenant.pk):
        policy = EscalationPolicy.objects.get(name="written")
    page = ours.client(ours.owner).get(admin_url(EscalationPolicy, "change", policy.pk)).content.decode()
    body = page.split("<template>", 1)[0]
    assert re.findall(r'name="levels-(\d+)-wait" data-part="wait" value="([^"]*)"', body) == [
        ("0", "0s"), ("1", "5m"), ("2", ""), ("3", "")
    ]  # fmt: skip
    assert f'<option value="{member(ours)}" selected>' in body
    assert '<option value="sms" selected>' in body
    assert 'name="levels-1-target-1"' in body


@pytest.mark.parametrize(
    ("wished", "order"),
    [
        ({}, ["1m", "2m", "3m"]),
        ({2: "1"}, ["3m", "1m", "2m"]),
        ({0: "3"}, ["2m", "3m", "1m"]),
        ({1: "3"}, ["1m", "3m", "2m"]),
        ({0: "nonsense"}, ["1m", "2m", "3m"]),
    ],
)
def test_a_level_goes_to_the_place_it_is_given(wished: dict[int, str], order: list[str], ours: World) -> None:
    rows = [row(number, f"{number + 1}m", member(ours)) for number in range(3)]
    for number, place in wished.items():
        rows[number][f"levels-{number}-order"] = place
    assert save(ours, *rows).status_code == 302
    assert [f"{one['wait'] // 60}m" for one in stored(ours)] == order


def test_a_level_marked_for_removal_goes_whatever_is_wrong_with_it(ours: World) -> None:
    answer = save(ours, row(0, "0s", member(ours)), row(1, "soon", remove="1"))
    assert answer.status_code == 302
    assert len(stored(ours)) == 1


FAULTS: list[tuple[str, dict[str, str], str, str]] = [
    ("soon", {}, "wait", "Write a duration such as"),
    ("", {}, "wait", "Say how long to wait"),
    ("2d", {}, "wait", "Wait at most 24 hours"),
    ("5m", {"target-0": ""}, "targets", "Choose whom it tells"),
    ("5m", {"target-0": "member:nobody"}, "target", "no longer there"),
    ("5m", {"via-0": "pigeon"}, "via", "one of the kinds of channel"),
    ("5m", {"importance": "extreme"}, "importance", "Choose urgent or normal"),
]


@pytest.mark.parametrize(("wait", "change", "control", "words"), FAULTS, ids=[f"{one[2]} {one[0]}" for one in FAULTS])
def test_what_is_wrong_is_told_beside_its_control(
    wait: str, change: dict[str, str], control: str, words: str, ours: World
) -> None:
    answer = save(ours, row(0, "0s", member(ours)), row(1, wait, member(ours), **change))
    assert answer.context["adminform"].form.errors == {"levels": ["Mend what is marked: level 2."]}
    body = answer.content.decode().split("<template>", 1)[0]
    first, second = re.findall(r"<fieldset class=\"al-level\".*?</fieldset>", body, re.DOTALL)
    assert "al-fault" not in first
    assert words in re.findall(r'<p class="al-fault"[^>]*>([^<]*)', second)[0]
    if control in {"wait", "target", "via", "importance"}:
        assert second.count('aria-invalid="true"') == 1
        marked = next(tag for tag in re.findall(r"<(?:input|select)[^>]*>", second) if "aria-invalid" in tag)
        assert f"-{control}" in marked
    assert f'value="{wait}"' in second


def test_a_channel_is_told_as_it_is_set_up(ours: World) -> None:
    channel = f"channel:{ours.rows[Channel].pk}"
    answer = save(ours, row(0, "0s", channel, **{"via-0": "sms"}))
    assert "A channel is told as it is set up" in answer.content.decode()
    assert save(ours, row(0, "0s", channel)).status_code == 302


def test_a_policy_needs_a_level(ours: World) -> None:
    answer = save(ours, row(0, ""))
    assert answer.context["adminform"].form.errors == {"levels": ["Add at least one level."]}


def test_another_tenants_people_are_no_choice_and_not_taken(ours: World, foreign: World) -> None:
    page = ours.client(ours.owner).get(admin_url(EscalationPolicy, "add")).content.decode()
    for theirs in (member(foreign), schedule(foreign), f"channel:{foreign.rows[Channel].pk}"):
        assert theirs not in page
        answer = save(ours, row(0, "0s", theirs))
        assert answer.context["adminform"].form.errors == {"levels": ["Mend what is marked: level 1."]}


def test_somebody_who_is_gone_is_shown_and_has_to_be_chosen_again(ours: World) -> None:
    save(ours, row(0, "0s", member(ours)))
    with tenant_context(ours.tenant.pk):
        policy = EscalationPolicy.objects.get(name="written")
    User.objects.filter(pk=ours.responder.pk).update(is_active=False)
    url = admin_url(EscalationPolicy, "change", policy.pk)
    client = ours.client(ours.owner)
    assert f'<option value="{member(ours)}" selected>no longer there</option>' in client.get(url).content.decode()
    answer = client.post(url, REST | row(0, "0s", member(ours)))
    assert "This is no longer there" in answer.content.decode()


def test_a_viewer_reads_the_levels_in_words(ours: World) -> None:
    page = ours.client(ours.viewer).get(ours.url(EscalationPolicy)).content.decode()
    assert f"after 0s: who is on call by “schedule {ours.marker}”" in page
    assert "levels-0-wait" not in page
