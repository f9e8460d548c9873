"""Who may open and change what: the role in the tenant decides, nothing else."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from alerting.admin.registry import PAGES
from alerting.models import (
    AlertGroup,
    EnrichmentStep,
    GroupingRule,
    InhibitionRule,
    MaintenanceWindow,
    NotificationRule,
    QuarantinedAlert,
    Silence,
)
from channels.models import Channel, Delivery
from metrics.models import Threshold
from tenants.context import tenant_context
from tenants.models import AuditEntry, Membership, Tenant, User
from tests.alerting.admin.world import World, admin_url
from tests.factories import PASSWORD

MODELS = list(PAGES)
IDS = [model.__name__ for model in MODELS]


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_a_viewer_looks_but_never_posts(model: Any, ours: World) -> None:
    client = ours.client(ours.viewer)
    hidden = model is AuditEntry
    assert client.get(admin_url(model, "changelist"), follow=True).status_code == (403 if hidden else 200)
    assert client.get(ours.url(model)).status_code == (403 if hidden else 200)
    for page in ("change", "delete"):
        assert client.post(ours.url(model, page), {"name": "x", "post": "yes"}).status_code == 403
    assert client.post(admin_url(model, "add"), {"name": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (AlertGroup, "act"),
        (Channel, "test"),
        (Silence, "end"),
        (Delivery, "replay"),
        (QuarantinedAlert, "discard"),
    ],
)
def test_a_viewer_presses_no_button(model: Any, name: str, ours: World) -> None:
    assert ours.client(ours.viewer).post(ours.url(model, name), {"deed": "resolve"}).status_code == 403


def test_a_responder_acts_but_does_not_configure(ours: World) -> None:
    client = ours.client(ours.responder)
    assert client.post(ours.url(AlertGroup, "act"), {"deed": "acknowledge"}).status_code == 302
    assert client.post(ours.url(GroupingRule), {"name": "x"}).status_code == 403
    assert client.get(admin_url(AuditEntry, "changelist")).status_code == 403


def test_the_sidebar_holds_what_the_role_allows(ours: World) -> None:
    body = ours.client(ours.viewer).get(reverse("admin:index")).content.decode()
    assert reverse("admin:alerting_route_changelist") in body
    assert reverse("admin:tenants_auditentry_changelist") not in body


def test_history_needs_the_permission_to_read_the_audit_log(ours: World) -> None:
    assert ours.client(ours.viewer).get(ours.url(Channel, "history")).status_code == 403
    assert ours.client(ours.owner).get(ours.url(Channel, "history")).status_code == 200


def test_django_permissions_and_staff_open_nothing(db: None) -> None:
    User.objects.create_user("staff", "staff@example.org", PASSWORD, is_staff=True)
    client = Client()
    assert client.login(username="staff", password=PASSWORD)
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:login"))


def test_a_member_signs_in_without_being_staff(ours: World) -> None:
    User.objects.filter(pk=ours.viewer.pk).update(is_staff=False)
    client = Client()
    answer = client.post(reverse("admin:login"), {"username": ours.viewer.username, "password": PASSWORD})
    assert answer.status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200


def test_a_person_without_a_tenant_is_told_so(db: None) -> None:
    User.objects.create_user("lonely", "lonely@example.org", PASSWORD)
    answer = Client().post(reverse("admin:login"), {"username": "lonely", "password": PASSWORD})
    assert "not a member of any tenant" in answer.content.decode()


def test_signing_in_again_while_signed_in_shows_the_form(ours: World) -> None:
    answer = ours.client(ours.owner).post(reverse("admin:login"), {"username": "x", "password": "wrong"})
    assert answer.status_code == 200


def test_an_operator_sees_nothing_before_saying_why(ours: World) -> None:
    operator = User.objects.create_superuser("operator", "operator@example.org", PASSWORD)
    client = ours.client(operator)
    assert client.get(reverse("admin:index")).url == reverse("admin:choose_tenant")
    assert client.get(ours.url(Channel)).url == reverse("admin:choose_tenant")
    refused = client.post(reverse("admin:choose_tenant"), {"tenant": ours.tenant.pk, "reason": "short"})
    assert refused.status_code == 200
    client.post(reverse("admin:choose_tenant"), {"tenant": ours.tenant.pk, "reason": "ticket 4711, lost messages"})
    body = client.get(reverse("admin:index")).content.decode()
    assert "platform operator" in body
    with tenant_context(ours.tenant.pk):
        assert AuditEntry.objects.filter(action="operator.entered", reason__contains="4711").count() == 1
    client.post(reverse("admin:leave_tenant"))
    assert client.get(reverse("admin:index")).url == reverse("admin:choose_tenant")


def test_a_member_changes_between_their_tenants(ours: World, foreign: World) -> None:
    with tenant_context(foreign.tenant.pk):
        role = Membership.objects.get(user=foreign.viewer).role
        Membership.objects.create(user=ours.owner, role=role)
        ours.owner.groups.add(role.group)
    client = ours.client(ours.owner)
    client.post(reverse("admin:choose_tenant"), {"tenant": foreign.tenant.pk})
    assert f"group {foreign.marker}" in client.get(reverse("admin:index")).content.decode()
    client.post(reverse("admin:choose_tenant"), {"tenant": ours.tenant.pk})
    body = client.get(reverse("admin:index")).content.decode()
    assert f"group {ours.marker}" in body
    assert f"group {foreign.marker}" not in body


@pytest.mark.parametrize("tenant", ["", "x", "0192c0de-0000-7000-8000-000000000001"])
def test_no_other_tenant_can_be_chosen(tenant: str, ours: World) -> None:
    answer = ours.client(ours.owner).post(reverse("admin:choose_tenant"), {"tenant": tenant})
    assert answer.status_code == 404


def test_a_stranger_cannot_choose_our_tenant(ours: World, foreign: World) -> None:
    client = foreign.client(foreign.owner)
    assert client.post(reverse("admin:choose_tenant"), {"tenant": ours.tenant.pk}).status_code == 404


@pytest.mark.parametrize("page", ["admin:index", "admin:dashboard_part", "admin:choose_tenant", "admin:search"])
def test_without_signing_in_there_is_only_the_door(page: str, db: None) -> None:
    answer = Client().get(reverse(page))
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]


def test_every_form_needs_its_csrf_token(ours: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ours.owner)
    for url in (ours.url(AlertGroup, "act"), ours.url(Channel, "test"), reverse("admin:choose_tenant")):
        assert client.post(url, {"deed": "resolve"}).status_code == 403


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_nul_in_a_query_is_a_bad_request(model: Any, ours: World) -> None:
    assert ours.client(ours.owner).get(admin_url(model, "changelist") + "?q=%00").status_code == 400
    assert Tenant.objects.filter(pk=ours.tenant.pk).exists()


@pytest.mark.parametrize(
    "model", [Silence, MaintenanceWindow, InhibitionRule, GroupingRule, EnrichmentStep, NotificationRule, Threshold]
)
def test_who_may_only_look_reads_words_and_no_code(model: Any, ours: World) -> None:
    body = ours.client(ours.viewer).get(ours.url(model)).content.decode()
    assert "[{&quot;" not in body
    assert "[{&#x27;" not in body
    assert not re.search(r">\s*\d+:\d\d:\d\d\s*<", body)
    assert 'name="confirmation"' not in body
    if hasattr(ours.rows[model], "matchers"):
        assert 'class="al-matcher"' in body or "every alert" in body
