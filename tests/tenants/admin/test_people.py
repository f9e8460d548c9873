"""Members, roles, keys, the tenant and the audit log in the admin."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from alerting.models import Route
from alerting.route_channels import set_channels
from channels.models import Channel
from tenants import accounts, audit, keys
from tenants.admin.display import duration_text
from tenants.context import tenant_context
from tenants.models import ApiKey, AuditEntry, Membership, Role, Tenant, User
from tenants.principal import system
from tests.alerting.admin.world import World, admin_url
from tests.factories import make_member


def post(world: World, url: str, data: dict[str, Any], person: User | None = None) -> Any:
    return world.client(person or world.owner).post(url, data)


def role(world: World, name: str) -> Role:
    with tenant_context(world.tenant.pk):
        return Role.objects.get(name=name)


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def test_a_key_is_shown_once_and_works(ours: World) -> None:
    answer = post(ours, admin_url(ApiKey, "add"), {"name": "ci", "scopes": ["alerts:write"]})
    token = re.search(r'id="issued-token">([^<]+)<', answer.content.decode())
    assert token is not None
    principal = keys.verify(token[1], None)
    assert principal is not None
    assert principal.tenant_id == ours.tenant.pk
    with tenant_context(ours.tenant.pk):
        url = admin_url(ApiKey, "change", ApiKey.objects.get(name="ci").pk)
    assert token[1] not in ours.client(ours.owner).get(url).content.decode()


def test_a_key_is_rotated_and_revoked(ours: World) -> None:
    answer = post(ours, ours.url(ApiKey, "rotate"), {})
    assert "issued-token" in answer.content.decode()
    post(ours, ours.url(ApiKey, "revoke"), {})
    with tenant_context(ours.tenant.pk):
        assert ApiKey.objects.get(pk=ours.rows[ApiKey].pk).revoked_at is not None
        assert AuditEntry.objects.filter(action="api_key.revoked").count() == 1


def test_nobody_issues_a_key_that_may_more_than_they(ours: World) -> None:
    admin = make_member(ours.tenant, "admin")
    answer = post(ours, admin_url(ApiKey, "add"), {"name": "x", "scopes": ["audit:read"]}, admin)
    assert "scopes" in errors(answer)


@pytest.mark.parametrize("data", [{"name": "x"}, {"name": "x", "scopes": ["root"]}, {"scopes": ["alerts:read"]}])
def test_a_key_needs_a_name_and_known_scopes(data: dict[str, Any], ours: World) -> None:
    assert errors(post(ours, admin_url(ApiKey, "add"), data))


def test_a_key_that_is_over_before_it_begins_is_refused(ours: World) -> None:
    data = {"name": "x", "scopes": ["alerts:read"], "expires_at_0": "2001-01-01", "expires_at_1": "10:00"}
    assert "expires_at" in errors(post(ours, admin_url(ApiKey, "add"), data))


def test_a_new_person_gets_a_password_that_works_once_shown(ours: World) -> None:
    data = {"email": "new@example.org", "full_name": "New Person", "role": str(role(ours, "viewer").pk)}
    body = post(ours, admin_url(Membership, "add"), data).content.decode()
    password = re.search(r'id="first-password">([^<]+)<', body)
    assert password is not None
    assert Client().login(username="new@example.org", password=password[1])


def test_a_person_with_an_account_is_added_without_a_password(ours: World, foreign: World) -> None:
    data = {"email": foreign.viewer.email, "role": str(role(ours, "viewer").pk)}
    answer = post(ours, admin_url(Membership, "add"), data)
    assert answer.status_code == 302
    assert "email" in errors(post(ours, admin_url(Membership, "add"), data))


def test_nobody_gives_a_role_that_may_more_than_they(ours: World) -> None:
    admin = make_member(ours.tenant, "admin")
    data = {"email": "new@example.org", "role": str(role(ours, "owner").pk)}
    assert "role" in errors(post(ours, admin_url(Membership, "add"), data, admin))
    with tenant_context(ours.tenant.pk):
        owner = Membership.objects.get(user=ours.owner)
    answer = post(ours, admin_url(Membership, "change", owner.pk), {"role": str(role(ours, "viewer").pk)}, admin)
    assert "role" in errors(answer)


def test_the_last_owner_stays_owner(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        owner = Membership.objects.get(user=ours.owner)
    answer = post(ours, admin_url(Membership, "change", owner.pk), {"role": str(role(ours, "viewer").pk)})
    assert "last owner" in errors(answer)["role"][0]


def test_a_member_changes_role_and_leaves(ours: World) -> None:
    responder = role(ours, "responder")
    post(ours, ours.url(Membership), {"role": str(responder.pk)})
    assert responder.group in ours.viewer.groups.all()
    assert post(ours, ours.url(Membership, "delete"), {"post": "yes"}).status_code == 302
    assert responder.group not in ours.viewer.groups.all()
    assert ours.client(ours.viewer).get(reverse("admin:index")).status_code == 302


def test_nobody_removes_themselves(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        owner = Membership.objects.get(user=ours.owner)
    assert post(ours, admin_url(Membership, "delete", owner.pk), {"post": "yes"}).status_code == 403


def test_a_role_of_the_tenants_own(ours: World) -> None:
    data = {"name": "night shift", "permissions": ["view_alerts", "act_on_alerts"]}
    assert post(ours, admin_url(Role, "add"), data).status_code == 302
    made = role(ours, "night shift")
    with tenant_context(ours.tenant.pk):
        assert accounts.role_permissions(made) == {"view_alerts", "act_on_alerts"}
    url = admin_url(Role, "change", made.pk)
    assert post(ours, url, {**data, "permissions": ["view_alerts"]}).status_code == 302
    with tenant_context(ours.tenant.pk):
        assert accounts.role_permissions(made) == {"view_alerts"}


def test_a_built_in_role_is_fixed_and_one_in_use_stays(ours: World) -> None:
    viewer = role(ours, "viewer")
    assert post(ours, admin_url(Role, "change", viewer.pk), {"name": "x"}).status_code == 403
    assert post(ours, admin_url(Role, "delete", viewer.pk), {"post": "yes"}).status_code == 403


def test_the_tenant_changes_its_name_and_zone_but_not_its_slug(ours: World) -> None:
    data = {"name": "Renamed", "slug": "stolen", "locale": "de", "time_zone": "Europe/Berlin", "environment": "staging"}
    assert post(ours, ours.url(Tenant), data).status_code == 302
    tenant = Tenant.objects.get(pk=ours.tenant.pk)
    assert (tenant.name, tenant.slug, tenant.time_zone) == ("Renamed", ours.tenant.slug, "Europe/Berlin")
    with tenant_context(ours.tenant.pk):
        assert AuditEntry.objects.filter(action="tenant.changed").count() == 1


def test_a_grant_on_one_channel_opens_just_that_one(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        mine, other = ours.rows[Channel], Channel.objects.create(name="other", kind="slack")
        assign_perm("channels.change_channel", ours.viewer, mine)
    client = ours.client(ours.viewer)
    assert client.post(admin_url(Channel, "change", mine.pk), {"name": ""}).status_code == 200
    assert client.post(admin_url(Channel, "change", other.pk), {"name": ""}).status_code == 403


def test_the_audit_log_is_read_only_even_for_owners(ours: World) -> None:
    assert post(ours, ours.url(AuditEntry), {"reason": "x"}).status_code == 403
    assert post(ours, ours.url(AuditEntry, "delete"), {"post": "yes"}).status_code == 403
    assert post(ours, admin_url(AuditEntry, "add"), {}).status_code == 403


def test_djangos_own_log_does_not_exist(ours: World) -> None:
    assert not list(apps.get_app_config("admin").get_models())
    assert "django_admin_log" not in connection.introspection.table_names()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (30, "30s"), (90, "1m 30s"), (14_400, "4h"), (129_600, "1d 12h")]
)
def test_durations_are_written_as_people_type_them(seconds: int, text: str) -> None:
    from datetime import timedelta

    assert duration_text(timedelta(seconds=seconds)) == text


def test_history_names_what_it_speaks_of(ours: World) -> None:
    route, channel = ours.rows[Route], ours.rows[Channel]
    actor = system(ours.tenant.pk)
    with tenant_context(ours.tenant.pk):
        gone = Channel(name="Old pager", kind="webhook", settings={"url": "https://example.org/x"})
        audit.save_audited(actor, gone)
        channel.name = "Night shift"
        audit.save_audited(actor, channel)
        set_channels(actor, route, [channel, gone])
        set_channels(actor, route, [channel])
        old = str(gone.pk)
        audit.delete_audited(actor, gone)
        audit.record(actor, "route.changed", route, after={"asked": {"person": str(ours.viewer.pk)}})
    body = ours.client(ours.owner).get(ours.url(Route, "history")).content.decode()
    assert "Night shift" in body
    assert "Old pager" in body
    assert ours.viewer.username in body
    assert old not in body
    with tenant_context(ours.tenant.pk):
        entry = AuditEntry.objects.filter(action="route.channels_changed").first()
    page = ours.client(ours.owner).get(admin_url(AuditEntry, "change", entry.pk)).content.decode()
    assert "Night shift" in page


def test_history_names_nothing_of_another_tenant(ours: World, foreign: World) -> None:
    theirs = str(foreign.rows[Channel].pk)
    with tenant_context(foreign.tenant.pk):
        audit.record(system(foreign.tenant.pk), "channel.tested", foreign.rows[Channel])
    with tenant_context(ours.tenant.pk):
        audit.record(system(ours.tenant.pk), "route.changed", ours.rows[Route], after={"channels": [theirs]})
        audit.record(system(ours.tenant.pk), "route.changed", ours.rows[Route], after={"who": str(foreign.owner.pk)})
    body = ours.client(ours.owner).get(ours.url(Route, "history")).content.decode()
    assert theirs in body
    assert foreign.marker not in body
