"""The actor behind a request of the admin."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _

from tenants.principal import Principal


def principal_of(request: HttpRequest) -> Principal:
    """Return who acts; raise PermissionDenied where nobody does, which a view inside a tenant never meets."""
    principal: Principal | None = getattr(request, "principal", None)
    if principal is None:
        raise PermissionDenied(_("Choose a tenant first."))
    return principal


def can(request: HttpRequest, permission: str) -> bool:
    """Say whether the actor holds a permission; nobody holds none."""
    principal: Principal | None = getattr(request, "principal", None)
    return principal is not None and principal.can(permission)
