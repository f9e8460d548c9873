"""Who acts: a member, an API key or the system, with what they may do in one tenant."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

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
            raise PermissionDenied(
                _("This needs the permission “%(permission)s” in this tenant.") % {"permission": permission}
            )


def system(tenant_id: UUID, label: str = "system") -> Principal:
    """Return the actor that stands for the service itself."""
    return Principal("system", label, label, tenant_id, with_derived(ALL_PERMISSIONS))
