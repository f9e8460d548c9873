"""Grants on one channel or one template, given and taken on its page."""

from typing import Any

import pytest

from alerting.models import Route
from channels.models import Channel, MessageTemplate
from tenants import grants
from tenants.context import tenant_context
from tenants.models import AuditEntry, Membership, User
from tests.alerting.admin.world import World, admin_url

PERMISSIONS = {Channel: "change_channel", MessageTemplate: "change_messagetemplate"}
KINDS = pytest.mark.parametrize("model", list(PERMISSIONS), ids=lambda model: model.__name__)


def member_of(world: World, person: User) -> Membership:
    with tenant_context(world.tenant.pk):
        return Membership.objects.select_related("user", "role").get(user=person)


def post(world: World, model: Any, member: object, deed: str = "give", person: User | None = None) -> Any:
    data = {"deed": deed, "member": str(getattr(member, "pk", member))}
    return world.client(person or world.owner).post(world.url(model, "grants"), data, follow=True)


def holders(world: World, model: Any) -> list[User]:
    with tenant_context(world.tenant.pk):
        return [one.user for one in grants.holders(world.rows[model], PERMISSIONS[model])]


def page(world: World, model: Any, person: User | None = None) -> str:
    body: str = world.client(person or world.owner).get(world.url(model)).content.decode()
    return body


@KINDS
def test_a_grant_opens_one_object_and_taking_it_closes_it(model: Any, ours: World) -> None:
    member, client = member_of(ours, ours.viewer), ours.client(ours.viewer)
    assert client.post(ours.url(model), {"name": ""}).status_code == 403
    assert "may change this from now on" in post(ours, model, member).content.decode()
    assert holders(ours, model) == [ours.viewer]
    assert client.post(ours.url(model), {"name": ""}).status_code == 200
    post(ours, model, member, "take")
    assert holders(ours, model) == []
    assert client.post(ours.url(model), {"name": ""}).status_code == 403


def test_a_grant_is_audited_with_who_could_before_and_after(ours: World) -> None:
    member = member_of(ours, ours.viewer)
    for deed in ("give", "take"):
        post(ours, Channel, member, deed)
    with tenant_context(ours.tenant.pk):
        entries = AuditEntry.objects.filter(action__startswith="channel.grant_").order_by("at", "id")
        found = [(entry.action, entry.before, entry.after, entry.object_id) for entry in entries]
    none: dict[str, list[str]] = {"may_change": []}
    one, pk = {"may_change": [str(ours.viewer)]}, str(ours.rows[Channel].pk)
    assert found == [("channel.grant_given", none, one, pk), ("channel.grant_taken", one, none, pk)]


def test_who_does_not_manage_members_gives_nothing_and_sees_no_button(ours: World) -> None:
    post(ours, Channel, member_of(ours, ours.viewer))
    for person in (ours.viewer, ours.responder):
        assert post(ours, Channel, member_of(ours, ours.responder), person=person).status_code == 403
        body = page(ours, Channel, person)
        assert "Who else may change this" in body
        assert ours.url(Channel, "grants") not in body
    assert holders(ours, Channel) == [ours.viewer]


def test_members_are_offered_to_whom_it_gives_something(ours: World) -> None:
    member, owner = member_of(ours, ours.viewer), member_of(ours, ours.owner)
    option = '<option value="{}">'
    assert option.format(member.pk) in page(ours, Channel)
    assert option.format(owner.pk) not in page(ours, Channel)
    post(ours, Channel, member)
    assert option.format(member.pk) not in page(ours, Channel)
    assert "Choose a member of this list." in post(ours, Channel, owner).content.decode()
    assert holders(ours, Channel) == [ours.viewer]


@KINDS
@pytest.mark.parametrize("deed", ["give", "take"])
def test_a_foreign_member_is_no_choice(model: Any, deed: str, ours: World, foreign: World) -> None:
    theirs = member_of(foreign, foreign.viewer)
    for stranger in (theirs, "", "no-id", foreign.viewer.pk):
        assert "Choose a member of this list." in post(ours, model, stranger, deed).content.decode()
    assert holders(ours, model) == []


@KINDS
def test_the_grants_of_a_foreign_object_do_not_exist(model: Any, ours: World, foreign: World) -> None:
    data = {"deed": "give", "member": str(member_of(ours, ours.viewer).pk)}
    assert ours.client(ours.owner).post(foreign.url(model, "grants"), data).status_code == 404
    assert holders(foreign, model) == []


def test_a_members_page_names_what_they_may_also_change(ours: World) -> None:
    assert ours.url(Channel) not in page(ours, Membership)
    post(ours, Channel, member_of(ours, ours.viewer))
    assert ours.url(Channel) in page(ours, Membership)


def test_who_leaves_keeps_no_grant_here_and_those_elsewhere(ours: World, foreign: World) -> None:
    elsewhere = grants_elsewhere(foreign, ours.viewer)
    member = member_of(ours, ours.viewer)
    post(ours, Channel, member)
    assert ours.client(ours.owner).post(ours.url(Membership, "delete"), {"post": "yes"}).status_code == 302
    assert holders(ours, Channel) == []
    assert holders(foreign, Channel) == [elsewhere.user]
    with tenant_context(ours.tenant.pk):
        entry = AuditEntry.objects.get(action="membership.deleted")
    assert entry.before is not None
    assert entry.before["may_change"] == [str(ours.rows[Channel])]


def grants_elsewhere(world: World, person: User) -> Membership:
    """Make a person of another tenant a member of this one too, with a grant on its channel."""
    with tenant_context(world.tenant.pk):
        role = Membership.objects.select_related("role").get(user=world.viewer).role
        member = Membership.objects.create(user=person, role=role)
    post(world, Channel, member)
    return member


def test_pages_without_grants_have_no_such_section(ours: World) -> None:
    assert "Who else may change this" not in page(ours, Route)
    assert "Who else may change this" not in ours.client(ours.owner).get(admin_url(Channel, "add")).content.decode()
