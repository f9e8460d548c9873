"""Working alerts in the admin: groups, alerts, quarantine, the overview."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alerting import auditor
from alerting.admin import dashboard_data, finding_words
from alerting.decoding.alert import Decoded
from alerting.intake import accept
from alerting.models import (
    Alert,
    AlertGroup,
    IntakeRequest,
    OnCallSchedule,
    QuarantinedAlert,
    ScheduleOverride,
    Silence,
    TimelineEvent,
)
from alerting.oncall import watching
from channels.models import Channel, Delivery
from tenants.context import tenant_context
from tenants.models import AuditEntry
from tenants.principal import system
from tests.alerting.admin.world import World, admin_url, make_alert, make_delivery, make_group
from tests.alerting.scenes import alert

NASTY = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'


def in_tenant(world: World, ask: Callable[[], Any]) -> Any:
    with tenant_context(world.tenant.pk):
        return ask()


def act(world: World, **data: str) -> Any:
    return world.client(world.responder).post(world.url(AlertGroup, "act"), data, follow=True)


@pytest.mark.parametrize(
    ("deed", "status", "action"),
    [
        ("acknowledge", "acknowledged", "alertgroup.acknowledged"),
        ("resolve", "resolved", "alertgroup.resolved"),
    ],
)
def test_a_button_acts_and_is_audited(deed: str, status: str, action: str, ours: World) -> None:
    answer = act(ours, deed=deed)
    assert answer.status_code == 200
    assert in_tenant(ours, lambda: AlertGroup.objects.get().status) == status
    entry = in_tenant(ours, lambda: AuditEntry.objects.get(action=action))
    assert entry.actor_label == ours.responder.username


def test_an_acknowledgement_is_taken_back(ours: World) -> None:
    act(ours, deed="acknowledge")
    act(ours, deed="unacknowledge")
    assert in_tenant(ours, lambda: AlertGroup.objects.get().status) == "firing"


def test_a_comment_stands_on_the_timeline_and_is_escaped(ours: World) -> None:
    body = act(ours, deed="comment", text=NASTY).content.decode()
    assert in_tenant(ours, lambda: TimelineEvent.objects.filter(kind="comment").count()) == 2
    assert "<script>alert(1)" not in body
    assert "&lt;script&gt;alert(1)" in body


def test_an_empty_comment_is_refused_in_words(ours: World) -> None:
    assert "Write something first." in act(ours, deed="comment", text=" ").content.decode()


def test_a_group_is_assigned_to_a_member_only(ours: World, foreign: World) -> None:
    act(ours, deed="assign", person=str(ours.viewer.pk))
    assert in_tenant(ours, lambda: AlertGroup.objects.get().assigned_to_id) == ours.viewer.pk
    answer = act(ours, deed="assign", person=str(foreign.owner.pk))
    assert "Choose a member of this tenant." in answer.content.decode()


@pytest.mark.parametrize("data", [{"length": "4h"}, {"until": "2099-01-01T10:00"}])
def test_a_group_is_silenced_from_its_page(data: dict[str, str], ours: World) -> None:
    act(ours, deed="silence", comment="known", **data)
    silence = in_tenant(ours, lambda: Silence.objects.get(comment="known"))
    assert silence.author == ours.responder.username
    assert {"name": "team", "op": "=", "value": ours.marker} in silence.matchers


def test_a_silence_into_the_past_is_refused(ours: World) -> None:
    answer = act(ours, deed="silence", until="2001-01-01T10:00")
    assert "lies in the future" in answer.content.decode()


def test_an_unknown_deed_does_not_exist(ours: World) -> None:
    assert act(ours, deed="delete").status_code == 404


def test_what_the_state_forbids_is_said(ours: World) -> None:
    act(ours, deed="resolve")
    assert "This group is resolved." in act(ours, deed="acknowledge").content.decode()


@pytest.mark.parametrize(
    ("action", "status"), [("acknowledge_selected", "acknowledged"), ("resolve_selected", "resolved")]
)
def test_many_groups_at_once(action: str, status: str, ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        groups = [make_group(f"{ours.marker}-{number}") for number in range(3)]
    ours.client(ours.responder).post(
        admin_url(AlertGroup, "changelist"), {"action": action, "_selected_action": [str(one.pk) for one in groups]}
    )
    assert in_tenant(ours, lambda: AlertGroup.objects.filter(status=status).count()) == 3


def test_the_list_begins_with_open_groups_and_filters(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        make_group("Old", status="resolved")
        make_group("Small", severity=10)
    client = ours.client(ours.viewer)
    url = admin_url(AlertGroup, "changelist")
    assert "group Old" not in client.get(url, follow=True).content.decode()
    assert "group Old" in client.get(url, {"status": "resolved"}).content.decode()
    severe = client.get(url, {"severity": "40", "status": "firing"}).content.decode()
    assert f"group {ours.marker}" in severe
    assert "group Small" not in severe
    assert "group Small" in client.get(url, {"q": "small"}).content.decode()
    assert "group Small" not in client.get(url, {"q": ours.marker}).content.decode()


@pytest.mark.parametrize("query", ["status=x", "severity=9999999999999999999", "opened_at_from_0=never", "o=99", "p=x"])
def test_odd_queries_do_no_harm(query: str, ours: World) -> None:
    answer = ours.client(ours.viewer).get(f"{admin_url(AlertGroup, 'changelist')}?{query}")
    assert answer.status_code in {200, 302, 400}


def test_labels_of_strangers_are_escaped_everywhere(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        group = make_group(NASTY, title=NASTY)
        alert = make_alert(group, NASTY, labels={"alertname": NASTY, NASTY[:60]: NASTY})
        make_delivery(Channel.objects.get(), group, NASTY[:40])
    client = ours.client(ours.owner)
    pages = [
        admin_url(AlertGroup, "changelist") + "?status=all",
        admin_url(AlertGroup, "change", group.pk),
        admin_url(Alert, "changelist"),
        admin_url(Alert, "change", alert.pk),
        admin_url(Delivery, "changelist"),
        reverse("admin:index"),
    ]
    for page in pages:
        body = client.get(page).content.decode()
        assert "<script>alert(1)" not in body, page
        assert "<img src=x" not in body, page


def test_the_group_page_tells_the_story(ours: World) -> None:
    body = ours.client(ours.viewer).get(ours.url(AlertGroup)).content.decode()
    for words in ("summary", "dead", "answer", "recipient"):
        assert f"{words} {ours.marker}" in body or f"{words}-{ours.marker}" in body
    assert "Acknowledge</button>" not in body


@pytest.mark.parametrize(
    ("model", "most"), [(AlertGroup, 24), (Alert, 24), (Delivery, 24), (QuarantinedAlert, 24), (AuditEntry, 24)]
)
def test_a_list_costs_the_same_however_long(model: Any, most: int, ours: World) -> None:
    client, url = ours.client(ours.owner), admin_url(model, "changelist") + "?o=1"
    few = count_queries(client, url)
    with tenant_context(ours.tenant.pk):
        channel = Channel.objects.get()
        for number in range(15):
            group = make_group(f"more-{number}", assigned_to=ours.viewer)
            make_alert(group, f"more-{number}")
            make_delivery(channel, group, f"more-{number}")
            item = QuarantinedAlert(source="native", item_index=number, raw=b"{}", errors=[])
            item.save()
    assert count_queries(client, url) == few
    assert few <= most


def test_the_group_page_costs_the_same_however_much_hangs_on_it(ours: World) -> None:
    client, url = ours.client(ours.owner), ours.url(AlertGroup)
    few = count_queries(client, url)
    with tenant_context(ours.tenant.pk):
        for number in range(15):
            make_alert(ours.rows[AlertGroup], f"more-{number}")
            make_delivery(ours.rows[Channel], ours.rows[AlertGroup], f"more-{number}")
    assert count_queries(client, url) == few


def test_the_overview_takes_few_statements(ours: World) -> None:
    assert count_queries(ours.client(ours.owner), reverse("admin:index")) <= 28


def count_queries(client: Any, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_the_overview_refreshes_by_its_part(ours: World) -> None:
    body = ours.client(ours.viewer).get(reverse("admin:dashboard_part")).content.decode()
    assert f"check {ours.marker}" in body
    assert "<html" not in body


def test_every_check_of_the_auditor_is_told_in_words() -> None:
    assert {check.name for check in auditor.CHECKS} | set(watching.CHECKS.values()) == set(finding_words.TITLES)


def test_gaps_ahead_are_shown_with_their_times_and_where_to_mend_them(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        OnCallSchedule.objects.create(name="empty nights")
    watching.watch(ours.tenant.pk)
    body = ours.client(ours.viewer).get(reverse("admin:dashboard_part")).content.decode()
    assert "times with nobody on call" in body
    assert "empty nights" in body
    assert admin_url(OnCallSchedule, "changelist") in body


def test_what_came_in_just_now_is_in_the_overview_s_rates(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        before = dashboard_data.rates()
        accept(system(ours.tenant.pk), "native", Decoded([alert()], []))
        after = dashboard_data.rates()
    assert before[-1].accepted == 0
    assert after[-1].accepted > 0


def test_a_list_counts_entries_whatever_they_are_called(ours: World) -> None:
    body = ours.client(ours.owner).get(admin_url(QuarantinedAlert, "changelist")).content.decode()
    assert re.search(r"\s1 entry\s", body)
    assert "1 quarantine" not in body


def test_a_quarantined_item_is_mended_and_replayed(ours: World) -> None:
    url = ours.url(QuarantinedAlert)
    client = ours.client(ours.responder)
    wrong = client.post(url, {"fixed": '{"labels": {"a": "b"}, "severity": "hot"}'})
    assert "/severity" in wrong.content.decode()
    assert client.post(url, {"fixed": '{"labels": {"a": "b"}, "severity": "error"}'}).status_code == 302
    assert in_tenant(ours, lambda: QuarantinedAlert.objects.get().state) == "replayed"
    assert in_tenant(ours, lambda: IntakeRequest.objects.get().accepted) == 1


def test_a_quarantined_item_is_discarded_once(ours: World) -> None:
    client, url = ours.client(ours.responder), ours.url(QuarantinedAlert, "discard")
    client.post(url)
    assert in_tenant(ours, lambda: QuarantinedAlert.objects.get().state) == "discarded"
    assert "settled already" in client.post(url, follow=True).content.decode()


def test_bytes_that_are_no_text_can_be_looked_at(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        item = QuarantinedAlert.objects.create(source="native", item_index=1, raw=b"\xff\xfe{", errors=[])
    assert ours.client(ours.viewer).get(admin_url(QuarantinedAlert, "change", item.pk)).status_code == 200


def test_an_empty_list_says_so_and_one_that_is_filtered_says_that(ours: World) -> None:
    client, url = ours.client(ours.owner), admin_url(ScheduleOverride, "changelist")
    with tenant_context(ours.tenant.pk):
        ScheduleOverride.objects.all().delete()
    body = client.get(url).content.decode()
    assert "Nothing here yet" in body
    assert "Reset filters" not in body
    searched = client.get(admin_url(Channel, "changelist"), {"q": "no such channel"}).content.decode()
    assert "Nothing matches" in searched
    assert "Reset filters" in searched


def test_an_alert_s_web_addresses_are_links_and_nothing_else_is(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        Alert.objects.update(
            annotations={"runbook_url": "https://runbooks.example.org/x", "bad": "javascript:alert(1)", "text": "plain"}
        )
    body = ours.client(ours.viewer).get(ours.url(Alert)).content.decode()
    assert 'href="https://runbooks.example.org/x" rel="noopener noreferrer nofollow"' in body
    assert 'href="javascript:' not in body


def test_times_are_of_one_kind_in_english(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        Alert.objects.update(starts_at=datetime(2026, 11, 23, 21, 5, 9, tzinfo=UTC))
    body = ours.client(ours.viewer).get(ours.url(Alert)).content.decode()
    assert "23 Nov 2026, 21:05:09" in body
    assert "p.m." not in body


def test_an_export_follows_the_search_and_disarms_formulas(ours: World) -> None:
    trap = '=HYPERLINK("https://evil.example")'
    with tenant_context(ours.tenant.pk):
        make_group(ours.marker, title=trap, opened_at=datetime(2026, 11, 23, tzinfo=UTC))
    client, url = ours.client(ours.viewer), admin_url(AlertGroup, "export")
    rows = list(csv.reader(io.StringIO(b"".join(client.get(url, {"q": "HYPERLINK"}).streaming_content).decode())))
    assert len(rows) == 2
    assert '\'=HYPERLINK("https://evil.example")' in rows[1]
    assert "2026-11-23T00:00:00+00:00" in rows[1]
    assert client.get(url, {"p": "7", "q": "HYPERLINK"}).status_code == 200
    assert client.get(url, {"tenant__slug": "x"}).status_code == 400
    assert client.post(url).status_code in {403, 405}
    assert "Export as CSV" in client.get(admin_url(AlertGroup, "changelist"), follow=True).content.decode()
