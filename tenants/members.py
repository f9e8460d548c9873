"""What members and roles may become: nobody hands out more than they hold, and an owner always remains."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _

from tenants import accounts, audit
from tenants.models import Membership, Role, User
from tenants.principal import ALL_PERMISSIONS, Principal

OWNER = "owner"


class LastOwner(Exception):
    """The act would leave the tenant without an owner."""


class RoleInUse(Exception):
    """The role cannot go or change: it is built in, or people hold it."""


def check_permissions(principal: Principal, permissions: Iterable[str]) -> frozenset[str]:
    """Return the permissions; refuse unknown ones and those the actor does not hold."""
    wanted = frozenset(permissions)
    if unknown := wanted - ALL_PERMISSIONS:
        message = _("There is no permission %(names)s; known are %(known)s.")
        known = ", ".join(sorted(ALL_PERMISSIONS))
        raise ValidationError({"permissions": message % {"names": ", ".join(sorted(unknown))[:200], "known": known}})
    if missing := wanted - principal.permissions:
        message = _("You cannot hand out what you do not hold yourself: %(names)s.")
        raise PermissionDenied(message % {"names": ", ".join(sorted(missing))})
    return wanted


def invite(principal: Principal, email: str, role: Role) -> Membership:
    """Make the person with this address a member; who is unknown gets an account without a password."""
    check_permissions(principal, accounts.role_permissions(role))
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        user = User(username=email[:150], email=email, is_staff=True)
        user.set_unusable_password()
        user.full_clean(exclude={"password"})
        user.save()
    if Membership._default_manager.filter(user=user).exists():
        raise ValidationError({"email": _("This person is a member already.")})
    return accounts.add_member(principal, user, role)


def change_role(principal: Principal, membership: Membership, role: Role) -> None:
    """Give a member another role; neither the old nor the new one exceeds what the actor holds."""
    if membership.role_id == role.pk:
        return
    check_permissions(principal, accounts.role_permissions(membership.role) | accounts.role_permissions(role))
    _keep_an_owner(membership)
    accounts.change_role(principal, membership, role)


def remove(principal: Principal, membership: Membership) -> None:
    """Take a person out of the tenant."""
    check_permissions(principal, accounts.role_permissions(membership.role))
    _keep_an_owner(membership)
    accounts.remove_member(principal, membership)


def _keep_an_owner(leaving: Membership) -> None:
    if not _is_owner(leaving.role):
        return
    # Locked, so that two owners who remove each other at once wait for each other.
    owners = Membership._default_manager.select_for_update(of=("self",)).filter(
        role__name=OWNER, role__is_built_in=True
    )
    if not [one for one in owners if one.pk != leaving.pk]:
        raise LastOwner(_("This is the last owner; make somebody else an owner first."))


def _is_owner(role: Role) -> bool:
    return role.is_built_in and role.name == OWNER


def create_role(principal: Principal, name: str, permissions: Iterable[str]) -> Role:
    """Make a role of the tenant's own."""
    wanted = check_permissions(principal, permissions)
    _check_name(name)
    role = accounts.create_role(name, wanted)
    audit.record(principal, "role.created", role, after={"name": name, "permissions": sorted(wanted)})
    return role


def change(principal: Principal, role: Role, name: str, permissions: Iterable[str]) -> None:
    """Rename a role and set its permissions; the built-in ones stay as they are."""
    if role.is_built_in:
        raise RoleInUse(_("Built-in roles cannot be changed; make one of your own."))
    old = accounts.role_permissions(role)
    wanted = check_permissions(principal, permissions)
    check_permissions(principal, old)
    if name != role.name:
        _check_name(name)
    before = {"name": role.name, "permissions": sorted(old)}
    role.name = name
    role.save(update_fields=["name"])
    accounts.set_permissions(role, wanted)
    audit.record(principal, "role.changed", role, before=before, after={"name": name, "permissions": sorted(wanted)})


def delete(principal: Principal, role: Role) -> None:
    """Delete a role nobody holds."""
    if role.is_built_in:
        raise RoleInUse(_("Built-in roles cannot be deleted."))
    if Membership._default_manager.filter(role=role).exists():
        raise RoleInUse(_("Members hold this role; give them another one first."))
    audit.delete_audited(principal, role)
    role.group.delete()


def _check_name(name: str) -> None:
    if Role._default_manager.filter(name=name).exists():
        raise ValidationError({"name": _("Another one has this name already; choose another.")})
