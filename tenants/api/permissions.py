"""What an API view asks of the caller, by the kind of act."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from tenants.principal import Principal


class IsPrincipal(BasePermission):
    """Lets in an actor who holds the permission the view names; others are told which one they lack.

    A view says `read_permission` and `write_permission`, or `action_permissions` by action name for what differs.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        principal: object = request.user
        if not isinstance(principal, Principal):
            return False
        by_action: dict[str, str] = getattr(view, "action_permissions", {})
        needed = by_action.get(getattr(view, "action", None) or "")
        if needed is None:
            name = "read_permission" if request.method in SAFE_METHODS else "write_permission"
            needed = getattr(view, name, None)
        if needed is None or principal.can(needed):
            return needed is not None
        self.message = principal.refusal(needed)
        return False
