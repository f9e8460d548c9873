"""Who acts: a member, an API key or the system, with what they may do in one tenant."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from tenants.scopes import scopes_for

ALL_PERMISSIONS = frozenset(
    {
        "view_alerts",
        "act_on_alerts",
        "send_alerts",
        "view_configuration",
        "change_configuration",
        "manage_members",
        "manage_keys",
        "view_audit",
        "replay_deliveries",
    }
)
#: Never granted to a role: a person who may send alerts may send metrics, and a key needs the scope for it.
SEND_METRICS = "send_metrics"


def with_derived(permissions: frozenset[str]) -> frozenset[str]:
    """Permissions together with those that follow from them."""
    return permissions | {SEND_METRICS} if "send_alerts" in permissions else permissions


@dataclass(frozen=True, slots=True)
class Principal:
    """An actor inside one tenant. `permissions` are codenames of `Tenant.Meta.permissions`."""

    kind: Literal["member", "operator", "api_key", "system"]
    id: str
    label: str
    tenant_id: UUID
    permissions: frozenset[str]
    ip: str | None = None

    # What DRF and Django ask of whoever stands in `request.user`.
    is_authenticated: bool = True

    def can(self, permission: str) -> bool:
        """Say whether this actor holds a permission."""
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise PermissionDenied, naming the permission, unless this actor holds it."""
        if permission not in self.permissions:
            raise PermissionDenied(self.refusal(permission))

    def refusal(self, *permissions: str) -> str:
        """What this actor is told who holds none of the permissions, each of which would do."""
        scopes = [scope for permission in permissions for scope in scopes_for(permission)]
        if self.kind == "api_key" and scopes:
            message = _("This key lacks the scope it takes here: %(scopes)s. Use or issue a key that has it.")
            return message % {"scopes": _(" or ").join(scopes)}
        names = _(" or ").join(f"“{permission}”" for permission in permissions)
        if self.kind == "api_key":
            message = _("No API key may do this; sign in as a member with the permission %(names)s.")
            return message % {"names": names}
        return _("This needs the permission %(names)s in this tenant.") % {"names": names}


def system(tenant_id: UUID, label: str = "system") -> Principal:
    """Return the actor that stands for the service itself."""
    return Principal("system", label, label, tenant_id, with_derived(ALL_PERMISSIONS))
