"""The tenant, its people, keys and audit log over REST."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tenants import keys
from tenants.context import tenant_context
from tenants.models import AuditEntry, Membership, Role, Tenant
from tests.factories import make_api, make_member, make_tenant

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def signed_in(tenant: Tenant, role: str = "owner") -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make_member(tenant, role))
    return client


def role_id(tenant: Tenant, name: str) -> str:
    with tenant_context(tenant.pk):
        return str(Role.objects.get(name=name).pk)


def issue(client: Client, **changes: object):
    return client.post("/api/v1/api-keys", {"name": "ci", "scopes": ["alerts:write"], **changes}, JSON)


def test_a_token_is_shown_once_and_works(tenant: Tenant) -> None:
    owner = signed_in(tenant)
    made = issue(owner)
    assert made.status_code == 201, made.json()
    token = made.json()["token"]
    principal = keys.verify(token, None)
    assert principal is not None
    assert principal.permissions == {"send_alerts"}
    for url in ("/api/v1/api-keys", f"/api/v1/api-keys/{made.json()['id']}"):
        assert token[-38:] not in owner.get(url).content.decode()


def test_rotating_gives_a_successor_and_revoking_ends_it(tenant: Tenant) -> None:
    owner = signed_in(tenant)
    first = issue(owner).json()
    second = owner.post(f"/api/v1/api-keys/{first['id']}/rotate", {"overlap": 0}, JSON)
    assert second.status_code == 201, second.json()
    old = owner.get(f"/api/v1/api-keys/{first['id']}").json()
    assert (old["replaced_by"], old["expires_at"] <= timezone.now().isoformat()) == (second.json()["id"], True)
    assert keys.verify(second.json()["token"], None) is not None
    assert owner.post(f"/api/v1/api-keys/{first['id']}/rotate", {}, JSON).status_code == 409
    assert owner.delete(f"/api/v1/api-keys/{second.json()['id']}").status_code == 204
    keys.forget(second.json()["prefix"])
    assert keys.verify(second.json()["token"], None) is None


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["all"]}, "/scopes/0"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"name": ""}, "/name"),
        ({"prefix": "aaaaaaaa"}, "/prefix"),
    ],
)
def test_a_key_that_cannot_be_is_refused(tenant: Tenant, change: dict, pointer: str) -> None:
    answer = issue(signed_in(tenant), **change)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_nobody_issues_a_key_that_can_do_more_than_they(tenant: Tenant) -> None:
    assert issue(signed_in(tenant, "admin"), scopes=["audit:read"]).status_code == 400


@pytest.mark.parametrize("role", ["viewer", "responder", "auditor"])
def test_only_owners_and_admins_issue_keys(tenant: Tenant, role: str) -> None:
    assert issue(signed_in(tenant, role)).status_code == 403


def test_an_api_key_cannot_issue_keys() -> None:
    answer = issue(make_api().client)
    assert answer.status_code == 403
    assert "manage_keys" in answer.json()["detail"]


def test_a_member_is_invited_moved_and_removed(tenant: Tenant) -> None:
    owner = signed_in(tenant)
    body = {"email": "new@example.org", "role": role_id(tenant, "viewer")}
    made = owner.post("/api/v1/members", body, JSON)
    assert made.status_code == 201, made.json()
    url = f"/api/v1/members/{made.json()['id']}"
    moved = owner.patch(url, {"role": role_id(tenant, "responder")}, JSON)
    assert moved.json()["role_name"] == "responder"
    assert owner.post("/api/v1/members", body, JSON).status_code == 400
    assert owner.delete(url).status_code == 204
    with tenant_context(tenant.pk):
        acts = list(AuditEntry.objects.filter(object_type="membership").order_by("id").values_list("action", flat=True))
    assert acts[-3:] == ["membership.created", "membership.changed", "membership.deleted"]


def test_the_last_owner_stays(tenant: Tenant) -> None:
    owner = signed_in(tenant)
    (member,) = owner.get("/api/v1/members").json()["results"]
    url = f"/api/v1/members/{member['id']}"
    assert owner.delete(url).status_code == 409
    assert owner.patch(url, {"role": role_id(tenant, "viewer")}, JSON).status_code == 409
    make_member(tenant, "owner")
    assert owner.patch(url, {"role": role_id(tenant, "viewer")}, JSON).status_code == 200


def test_an_admin_cannot_make_an_owner_nor_unmake_one(tenant: Tenant) -> None:
    make_member(tenant, "owner"), make_member(tenant, "owner")
    admin = signed_in(tenant, "admin")
    with tenant_context(tenant.pk):
        owner = Membership.objects.filter(role__name="owner").first()
    body = {"email": "x@example.org", "role": role_id(tenant, "owner")}
    assert admin.post("/api/v1/members", body, JSON).status_code == 403
    assert admin.delete(f"/api/v1/members/{owner.pk}").status_code == 403


def test_roles_of_ones_own(tenant: Tenant) -> None:
    owner = signed_in(tenant)
    made = owner.post("/api/v1/roles", {"name": "night watch", "permissions": ["view_alerts"]}, JSON)
    assert made.status_code == 201, made.json()
    url = f"/api/v1/roles/{made.json()['id']}"
    changed = owner.patch(url, {"permissions": ["view_alerts", "act_on_alerts"]}, JSON)
    assert changed.json()["permissions"] == ["act_on_alerts", "view_alerts"]
    listed = {role["name"]: role["permissions"] for role in owner.get("/api/v1/roles").json()["results"]}
    assert listed["night watch"] == ["act_on_alerts", "view_alerts"]
    assert listed["viewer"] == ["view_alerts", "view_configuration"]
    assert owner.delete(url).status_code == 204


def test_built_in_roles_and_roles_in_use_stay(tenant: Tenant) -> None:
    owner = signed_in(tenant)
    url = f"/api/v1/roles/{role_id(tenant, 'viewer')}"
    assert owner.delete(url).status_code == 409
    assert owner.patch(url, {"permissions": ["view_alerts"]}, JSON).status_code == 409
    mine = owner.post("/api/v1/roles", {"name": "mine", "permissions": []}, JSON).json()["id"]
    owner.post("/api/v1/members", {"email": "y@example.org", "role": mine}, JSON)
    assert owner.delete(f"/api/v1/roles/{mine}").status_code == 409


def test_an_admin_cannot_give_a_role_what_they_lack(tenant: Tenant) -> None:
    body = {"name": "spy", "permissions": ["view_audit"]}
    assert signed_in(tenant, "admin").post("/api/v1/roles", body, JSON).status_code == 403


def test_the_tenant_changes_itself_only(tenant: Tenant) -> None:
    owner = signed_in(tenant)
    assert owner.patch("/api/v1/tenant", {"time_zone": "Europe/Paris"}, JSON).json()["time_zone"] == "Europe/Paris"
    for change in ({"slug": "x"}, {"time_zone": "Mars/Olympus"}, {"is_active": False}, {"locale": "xx"}):
        assert owner.patch("/api/v1/tenant", change, JSON).status_code == 400
    with tenant_context(tenant.pk):
        entry = AuditEntry.objects.get(action="tenant.changed")
    assert (entry.before, entry.after) == ({"time_zone": "UTC"}, {"time_zone": "Europe/Paris"})


def test_the_audit_log_is_read_by_those_who_may(tenant: Tenant) -> None:
    owner = signed_in(tenant)
    issue(owner)
    found = signed_in(tenant, "auditor").get("/api/v1/audit?action=api_key.issued").json()["results"]
    assert [entry["object_type"] for entry in found] == ["apikey"]
    assert signed_in(tenant, "admin").get("/api/v1/audit").status_code == 403
    later = (timezone.now() + timedelta(hours=1)).isoformat().replace("+", "%2B")
    assert owner.get(f"/api/v1/audit?since={later}").json()["results"] == []


def test_a_session_needs_its_csrf_token(tenant: Tenant) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(make_member(tenant, "owner"))
    answer = issue(client)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("name", ["api-keys", "members", "roles", "audit"])
def test_rows_of_another_tenant_do_not_exist(tenant: Tenant, name: str) -> None:
    other = make_tenant()
    issue(signed_in(other))
    (theirs, *_more) = signed_in(other).get(f"/api/v1/{name}").json()["results"]
    assert signed_in(tenant).get(f"/api/v1/{name}/{theirs['id']}").status_code == 404
