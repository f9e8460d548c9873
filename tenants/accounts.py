"""Create tenants with their built-in roles, invite members, change roles."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from tenants import audit, grants
from tenants.context import tenant_context
from tenants.models import Membership, Role, Tenant, TenantGroupGrant, User
from tenants.principal import ALL_PERMISSIONS, Principal

BUILT_IN_ROLES: dict[str, frozenset[str]] = {
    "owner": ALL_PERMISSIONS,
    "admin": ALL_PERMISSIONS - {"view_audit"},
    "responder": frozenset({"view_alerts", "act_on_alerts", "send_alerts", "view_configuration", "replay_deliveries"}),
    "viewer": frozenset({"view_alerts", "view_configuration"}),
    "auditor": frozenset({"view_alerts", "view_configuration", "view_audit"}),
}


def create_tenant(principal: Principal | None, *, slug: str, name: str, **fields: str) -> Tenant:
    """Create a tenant with its built-in roles; the creator's act is the first entry of its audit log."""
    from tenants.principal import system

    tenant = Tenant(slug=slug, name=name, **fields)
    tenant.full_clean()
    tenant.save()
    with tenant_context(tenant.pk):
        for role_name, permissions in BUILT_IN_ROLES.items():
            create_role(role_name, permissions, is_built_in=True)
        actor = principal or system(tenant.pk)
        audit.record(actor, "tenant.created", tenant, after={"slug": slug, "name": name, **fields})
    return tenant


def create_role(name: str, permissions: frozenset[str], *, is_built_in: bool = False) -> Role:
    """Create a role in the running context's tenant, with a group that belongs to it alone."""
    role = Role(name=name, is_built_in=is_built_in)
    role.group = Group.objects.create(name=f"role {role.pk}")
    role.save()
    set_permissions(role, permissions)
    return role


def set_permissions(role: Role, permissions: frozenset[str]) -> None:
    """Make a role's permissions exactly these."""
    content_type = ContentType.objects.get_for_model(Tenant)
    wanted = list(Permission.objects.filter(content_type=content_type, codename__in=permissions & ALL_PERMISSIONS))
    TenantGroupGrant.objects.filter(group=role.group).exclude(permission__in=wanted).delete()
    TenantGroupGrant.objects.bulk_create(
        [
            TenantGroupGrant(group=role.group, permission=permission, content_object_id=role.tenant_id)
            for permission in wanted
        ],
        ignore_conflicts=True,
    )


def role_permissions(role: Role) -> frozenset[str]:
    """Return a role's permissions."""
    grants = TenantGroupGrant.objects.filter(group=role.group, content_object_id=role.tenant_id)
    return frozenset(grants.values_list("permission__codename", flat=True))


def add_member(principal: Principal, user: User, role: Role) -> Membership:
    """Make a person a member with a role."""
    membership = Membership(user=user, role=role)
    membership.save()
    user.groups.add(role.group)
    audit.record(principal, "membership.created", membership, after={"user": user.username, "role": role.name})
    return membership


def change_role(principal: Principal, membership: Membership, role: Role) -> None:
    """Give a member another role."""
    old = membership.role
    membership.role = role
    membership.save(update_fields=["role"])
    membership.user.groups.remove(old.group)
    membership.user.groups.add(role.group)
    audit.record(principal, "membership.changed", membership, before={"role": old.name}, after={"role": role.name})


def remove_member(principal: Principal, membership: Membership) -> None:
    """Take a person out of the tenant, together with their grants on single objects."""
    membership.user.groups.remove(membership.role.group)
    before: dict[str, Any] = {"role": membership.role.name}
    if lost := grants.take_all(membership.user):
        before["may_change"] = lost
    audit.record(principal, "membership.deleted", membership, before=before)
    membership.delete()
