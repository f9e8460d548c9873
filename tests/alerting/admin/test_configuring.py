"""Configuring alerting in the admin: forms that say what is wrong and where, audited saves."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from alerting.admin.fields import DurationTextField, LabelListField, MatchersField
from alerting.admin.routes import tree_lines
from alerting.models import (
    AlertingPolicy,
    EnrichmentStep,
    GroupingRule,
    InhibitionRule,
    MaintenanceWindow,
    Route,
    RouteChannel,
    Silence,
)
from channels.models import Channel, MessageTemplate
from tenants.context import tenant_context
from tenants.models import AuditEntry
from tests.alerting.admin.world import World, admin_url

TEAM = '[{"name": "team", "op": "=", "value": "a"}]'


def save(world: World, model: Any, page: str = "add", **data: Any) -> Any:
    url = admin_url(model, "add") if page == "add" else world.url(model, page)
    return world.client(world.owner).post(url, data)


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def audited(world: World, action: str) -> AuditEntry:
    with tenant_context(world.tenant.pk):
        return AuditEntry.objects.get(action=action)


# Matchers


@pytest.mark.parametrize(
    ("model", "says"), [(Silence, "Add at least one matcher."), (Route, "No matcher: every alert.")]
)
def test_an_empty_builder_says_what_no_matcher_means_there(ours: World, model: Any, says: str) -> None:
    page = ours.client(ours.owner).get(admin_url(model, "add")).content.decode()
    hints = {"Add at least one matcher.", "No matcher: every alert."}
    assert {hint for hint in hints if hint in page} == {says}


@pytest.mark.parametrize("text", ['{team="a"}', 'team="a"', TEAM])
def test_matchers_are_read_from_the_builder_and_from_pasted_text(text: str) -> None:
    assert MatchersField().clean(text) == [{"name": "team", "op": "=", "value": "a"}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"name": "a", "op": "=", "value": "b"}, {"name": "c", "op": "=~", "value": "("}]', "Row 2, value:"),
        ('[{"name": "", "op": "=", "value": "b"}]', "Row 1, label:"),
        ('[{"name": "a", "op": "==", "value": "b"}]', "Row 1, operator:"),
        ('[{"name": "a", "op": "=~", "value": "(?=x)"}]', "Look-ahead"),
        ("{team=", "braces"),
        ('{team "a"}', "position 2"),
        ("[{", "JSON"),
        ('[{"name": "a\\ud800", "value": "b"}]', "surrogate"),
    ],
)
def test_a_wrong_matcher_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MatchersField().clean(text)
    assert words in " ".join(refused.value.messages)


def test_required_matchers_must_be_there() -> None:
    with pytest.raises(ValidationError, match="at least one"):
        MatchersField(required=True).clean("[]")


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("4h", 14_400), ("1d 12h", 129_600), ("", None), ("1h30m", 5_400)]
)
def test_durations_as_people_write_them(text: str, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert DurationTextField(required=False).clean(text) == expected


@pytest.mark.parametrize("text", ["5", "five minutes", "5y", "-5m", "999999d", "00:05:00"])
def test_durations_nobody_can_mean(text: str) -> None:
    with pytest.raises(ValidationError):
        DurationTextField().clean(text)


def test_label_lists_are_parted_by_commas_and_blanks() -> None:
    assert LabelListField().clean("a, b c,,a") == ["a", "b", "c"]


# Saves


def test_a_grouping_rule_is_made_changed_and_deleted_with_audit(ours: World) -> None:
    data = {"name": "by team", "position": "1", "matchers": TEAM, "group_by": "team, region"}
    assert save(ours, GroupingRule, **data).status_code == 302
    created = audited(ours, "groupingrule.created")
    assert created.actor_label == ours.owner.username
    assert created.after["group_by"] == ["team", "region"]
    assert save(ours, GroupingRule, "change", **{**data, "name": "renamed"}).status_code == 302
    changed = audited(ours, "groupingrule.changed")
    assert (changed.before["name"], changed.after["name"]) == (f"grouping {ours.marker}", "renamed")
    assert save(ours, GroupingRule, "delete", post="yes").status_code == 302
    assert audited(ours, "groupingrule.deleted").before["name"] == "renamed"


def test_saving_what_did_not_change_leaves_no_entry(ours: World) -> None:
    rule = ours.rows[GroupingRule]
    same = {"name": rule.name, "position": "0", "matchers": f'{{team="{ours.marker}"}}', "group_by": "alertname"}
    assert save(ours, GroupingRule, "change", **same).status_code == 302
    with tenant_context(ours.tenant.pk):
        assert not AuditEntry.objects.filter(action="groupingrule.changed").exists()


def test_deleting_several_is_audited_one_by_one(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        more = [GroupingRule.objects.create(name=f"more {number}") for number in range(3)]
    data = {"action": "delete_selected", "_selected_action": [str(one.pk) for one in more], "post": "yes"}
    ours.client(ours.owner).post(admin_url(GroupingRule, "changelist"), data)
    with tenant_context(ours.tenant.pk):
        assert AuditEntry.objects.filter(action="groupingrule.deleted").count() == 3


def test_the_history_page_shows_before_and_after(ours: World) -> None:
    save(ours, GroupingRule, "change", name="renamed", position="0", matchers="", group_by="alertname")
    body = ours.client(ours.owner).get(ours.url(GroupingRule, "history")).content.decode()
    assert f"grouping {ours.marker}" in body
    assert "renamed" in body


def test_group_by_with_dots_and_names_is_refused(ours: World) -> None:
    answer = save(ours, GroupingRule, name="x", position="0", matchers="", group_by="... team")
    assert "every label" in errors(answer)["group_by"][0]


# Routes


def test_the_first_route_takes_everything(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        Route.objects.all().delete()
    answer = save(ours, Route, name="all", position="0", matchers=TEAM)
    assert "matchers" in errors(answer)
    assert save(ours, Route, name="all", position="0", matchers="[]").status_code == 302


def test_a_route_below_tells_its_channels_and_inherits_timers(ours: World) -> None:
    root, channel = ours.rows[Route], ours.rows[Channel]
    data = {"name": "below", "parent": str(root.pk), "position": "1", "matchers": '{severity="critical"}'}
    assert save(ours, Route, **data, tells=[str(channel.pk)], group_wait="10s").status_code == 302
    with tenant_context(ours.tenant.pk):
        below = Route.objects.get(name="below")
        assert below.group_wait == timedelta(seconds=10)
        assert RouteChannel.objects.filter(route=below).count() == 1
        line = next(node for node in tree_lines() if node.route == below)
    assert line.depth == 1
    assert line.timers == [("10s", False), ("5m", True), ("4h", True)]
    assert not line.inherits_channels


def test_a_new_route_is_proposed_below_the_root_or_where_it_was_asked_for(ours: World) -> None:
    root, client = ours.rows[Route], ours.client(ours.owner)
    with tenant_context(ours.tenant.pk):
        below = Route.objects.create(tenant=ours.tenant, name="below", parent=root, position=1, matchers=[])
    for query, proposed in (("", root), (f"?parent={below.pk}", below)):
        form = client.get(admin_url(Route, "add") + query).context["adminform"].form
        assert str(form["parent"].value()) == str(proposed.pk)


def test_a_second_root_and_a_circle_are_refused(ours: World) -> None:
    assert "parent" in errors(save(ours, Route, name="second", position="0", matchers="[]"))
    root = ours.rows[Route]
    with tenant_context(ours.tenant.pk):
        child = Route.objects.create(name="child", parent=root)
    answer = save(ours, Route, "change", name="root", position="0", matchers="[]", parent=str(child.pk))
    assert "parent" in errors(answer)


def test_a_timer_out_of_bounds_is_told_at_its_field(ours: World) -> None:
    answer = save(ours, Route, "change", name="root", position="0", matchers="[]", group_wait="3d")
    assert "group_wait" in errors(answer)


def test_the_tree_page_names_what_is_inherited(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        Route.objects.create(name="Night shift", parent=ours.rows[Route], matchers=[])
    body = ours.client(ours.viewer).get(admin_url(Route, "changelist")).content.decode()
    assert "Night shift" in body
    assert "al-inherited" in body
    assert "add below" not in body


# Silences


def silence(world: World, **data: str) -> Any:
    values = {
        "matchers": TEAM,
        "starts_at_0": "2099-01-01",
        "starts_at_1": "10:00",
        "ends_at_0": "2099-01-01",
        "ends_at_1": "12:00",
        "comment": "known",
        **data,
    }
    return save(world, Silence, **values)


def test_a_silence_has_its_author(ours: World) -> None:
    assert silence(ours).status_code == 302
    with tenant_context(ours.tenant.pk):
        assert Silence.objects.get(comment="known").author == ours.owner.username


def test_a_silence_that_mutes_everything_needs_the_slug_typed(ours: World) -> None:
    everything = '{team=~".*"}'
    assert ours.tenant.slug in errors(silence(ours, matchers=everything))["confirmation"][0]
    assert "confirmation" in errors(silence(ours, matchers=everything, confirmation="yes"))
    assert silence(ours, matchers=everything, confirmation=ours.tenant.slug).status_code == 302


def test_a_silence_without_matchers_or_order_is_refused(ours: World) -> None:
    assert "matchers" in errors(silence(ours, matchers="[]"))
    assert "ends_at" in errors(silence(ours, ends_at_1="09:00"))


def test_a_preview_says_what_is_muted_now_and_what_is_wrong(ours: World) -> None:
    url = reverse("admin:alerting_silence_preview")
    client = ours.client(ours.responder)
    found = client.post(url, {"matchers": f'{{team="{ours.marker}"}}'}).content.decode()
    assert "<b>1</b>" in found
    assert f"alert {ours.marker}" in found
    assert "Row 1, value:" in client.post(url, {"matchers": '[{"name":"a","op":"=~","value":"("}]'}).content.decode()
    assert "at least one" in client.post(url, {"matchers": ""}).content.decode()


def test_a_silence_is_ended_not_deleted(ours: World) -> None:
    client = ours.client(ours.responder)
    assert client.post(ours.url(Silence, "delete"), {"post": "yes"}).status_code == 403
    client.post(ours.url(Silence, "end"))
    assert "over" in client.get(admin_url(Silence, "changelist"), {"state": "expired"}).content.decode()
    with tenant_context(ours.tenant.pk):
        assert AuditEntry.objects.filter(object_type="silence").exists()


# Windows, inhibition, enrichment, policy


def window(world: World, **data: str) -> Any:
    values = {
        "name": "upgrade",
        "matchers": TEAM,
        "start_date": "2026-01-03",
        "start_time": "02:00",
        "duration": "2h",
        "rrule": "FREQ=WEEKLY;BYDAY=SA",
        "time_zone": "Europe/Paris",
        "is_active": "on",
        **data,
    }
    return save(world, MaintenanceWindow, **values)


def test_a_window_shows_when_it_opens_next(ours: World) -> None:
    assert window(ours).status_code == 302
    with tenant_context(ours.tenant.pk):
        row = MaintenanceWindow.objects.get(name="upgrade")
    body = ours.client(ours.viewer).get(admin_url(MaintenanceWindow, "change", row.pk)).content.decode()
    assert body.count("02:00 to 04:00 (Europe/Paris)") == 5


@pytest.mark.parametrize(("field", "value"), [("rrule", "FREQ=SECONDLY"), ("duration", "90d"), ("time_zone", "Mars")])
def test_a_window_nobody_can_mean(field: str, value: str, ours: World) -> None:
    assert field in errors(window(ours, **{field: value}))


def test_a_window_that_never_closes_is_refused_unless_it_is_off(ours: World) -> None:
    answer = window(ours, rrule="FREQ=DAILY", duration="1d")
    assert "would never close" in errors(answer)["duration"][0]
    assert window(ours, rrule="FREQ=DAILY", duration="23h").status_code == 302
    assert window(ours, name="off", rrule="FREQ=DAILY", duration="1d", is_active="").status_code == 302


def test_an_inhibition_rule_needs_both_sides(ours: World) -> None:
    answer = save(ours, InhibitionRule, name="x", source_matchers=TEAM, target_matchers="[]", equal="")
    assert "target_matchers" in errors(answer)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "This is not valid JSON"),
        ('{"labels": {}}', "labels"),
        ('{"lables": {"a": "b"}}', "no such setting"),
        ("[]", "object"),
    ],
)
def test_settings_of_a_step_are_judged_by_its_kind(text: str, words: str, ours: World) -> None:
    answer = save(ours, EnrichmentStep, name="x", position="0", kind="static", matchers="", settings=text)
    assert words in " ".join(errors(answer)["settings"])


def test_a_step_is_saved(ours: World) -> None:
    settings = '{"labels": {"region": "eu"}}'
    data = {"name": "x", "position": "0", "kind": "static", "matchers": "", "settings": settings, "is_active": "on"}
    assert save(ours, EnrichmentStep, **data).status_code == 302
    with tenant_context(ours.tenant.pk):
        assert EnrichmentStep.objects.get(name="x").settings == {"labels": {"region": "eu"}}


def test_the_general_settings_are_one_page(ours: World) -> None:
    client = ours.client(ours.owner)
    answer = client.get(admin_url(AlertingPolicy, "changelist"))
    assert answer.url == ours.url(AlertingPolicy)
    data = {"stale_after": "20m", "ignored_labels": "pod", "flap_window": "30m", "flap_enter": "6", "flap_leave": "6"}
    data |= {"scoring": "apply", "severity_floor": "20", "trust_floor": "0.8"}
    assert "flap_leave" in errors(save(ours, AlertingPolicy, "change", **data))
    bad = {**data, "flap_leave": "2", "trust_floor": "0.2", "scoring": "always"}
    assert {"trust_floor", "scoring"} == set(errors(save(ours, AlertingPolicy, "change", **bad)))
    assert save(ours, AlertingPolicy, "change", **{**data, "flap_leave": "2"}).status_code == 302
    assert client.get(admin_url(AlertingPolicy, "add")).status_code == 403


@pytest.mark.parametrize("name", ["tenant", "id"])
def test_the_tenant_is_never_a_field(name: str, ours: World) -> None:
    for model in (Channel, Route, GroupingRule, Silence):
        answer = ours.client(ours.owner).get(admin_url(model, "add"))
        assert name not in answer.context["adminform"].form.fields


def test_the_messages_to_preview_a_template_with_are_named_by_their_titles(ours: World) -> None:
    page = ours.client(ours.owner).get(admin_url(MessageTemplate, "add")).content.decode()
    assert f"message {ours.marker} · channel {ours.marker}" in page
    assert "a sample alert: Disk almost full" in page
