"""What a person may do where: the one module that asks guardian."""

from django.db import connection, models, transaction
from guardian.core import ObjectPermissionChecker

from tenants.context import tenant_context
from tenants.models import Membership, Tenant, User
from tenants.principal import ALL_PERMISSIONS, Principal, with_derived


def memberships_of(user: User) -> list[Tenant]:
    """Return the active tenants a person belongs to, by name."""
    with transaction.atomic(), connection.cursor() as cursor:
        # The policy `own_rows` shows a person their own memberships, and nobody else's, for this transaction.
        cursor.execute("SELECT set_config('app.person', %s, true)", [str(user.pk)])
        tenant_ids = list(Membership.directory.filter(user=user).values_list("tenant_id", flat=True))
        cursor.execute("SELECT set_config('app.person', '', true)")
    return list(Tenant.objects.filter(pk__in=tenant_ids, is_active=True))


def permissions_in(user: User, tenant: Tenant) -> frozenset[str]:
    """Return a person's permissions in one tenant, from their role's group and their own grants.

    Being a superuser gives none: operators enter a tenant by `operator_principal`, with a reason.
    """
    if not user.is_active:
        return frozenset()
    checker = ObjectPermissionChecker(user)
    return frozenset(checker.get_user_perms(tenant)) | frozenset(_group_permissions(user, tenant))


def _group_permissions(user: User, tenant: Tenant) -> list[str]:
    from tenants.models import TenantGroupGrant

    grants = TenantGroupGrant.objects.filter(content_object=tenant, group__user=user)
    return list(grants.values_list("permission__codename", flat=True))


def member_principal(user: User, tenant: Tenant, ip: str | None) -> Principal | None:
    """Return a person as an actor in a tenant, or None when they are not a member of it."""
    with tenant_context(tenant.pk):
        if not Membership.objects.filter(user=user).exists():
            return None
    return Principal("member", str(user.pk), user.username, tenant.pk, with_derived(permissions_in(user, tenant)), ip)


def operator_principal(user: User, tenant: Tenant, ip: str | None) -> Principal:
    """Return a platform operator as an actor in a tenant they chose with a reason (tenants/sessions.py)."""
    permissions = with_derived(ALL_PERMISSIONS)
    return Principal("operator", str(user.pk), f"{user.username} (operator)", tenant.pk, permissions, ip)


def may_change(user: User | None, principal: Principal, obj: models.Model, permission: str) -> bool:
    """Say whether the actor may change one object: by their role, or by a grant on just that object."""
    if principal.can("change_configuration"):
        return True
    if user is None or not user.is_active:
        return False
    return permission in ObjectPermissionChecker(user).get_user_perms(obj)
