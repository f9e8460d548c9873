"""Which tenant a signed-in person's session works in, and platform operators entering one with a reason."""

from typing import cast
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _

from tenants import audit
from tenants.access import member_principal, memberships_of, operator_principal
from tenants.context import tenant_context
from tenants.models import Tenant, User
from tenants.principal import Principal

TENANT_KEY, OPERATOR_KEY = "tenant", "operator_tenant"


def _request_ip(request: HttpRequest) -> str | None:
    return getattr(request, "client_ip", None)


def principal_of_session(request: HttpRequest) -> Principal | None:
    """Set and return `request.principal` and `request.tenant` from the session; None when there is no tenant."""
    user = cast(User, request.user)
    principal, tenant = _operator(request, user)
    if principal is None:
        principal, tenant = _member(request, user)
    request.principal, request.tenant = principal, tenant  # type: ignore[attr-defined]
    return principal


def _operator(request: HttpRequest, user: User) -> tuple[Principal | None, Tenant | None]:
    chosen = request.session.get(OPERATOR_KEY)
    if not chosen or not user.is_superuser or not user.is_active:
        return None, None
    tenant = Tenant.objects.filter(pk=UUID(chosen)).first()
    if tenant is None:
        return None, None
    return operator_principal(user, tenant, _request_ip(request)), tenant


def _member(request: HttpRequest, user: User) -> tuple[Principal | None, Tenant | None]:
    chosen = request.session.get(TENANT_KEY)
    tenants = {str(tenant.pk): tenant for tenant in memberships_of(user)}
    tenant = tenants.get(chosen) if chosen else None
    tenant = tenant or next(iter(tenants.values()), None)
    if tenant is None:
        return None, None
    return member_principal(user, tenant, _request_ip(request)), tenant


def choose_tenant(request: HttpRequest, tenant_id: UUID) -> bool:
    """Let a member work in another of their tenants; False when they are not a member of it."""
    if tenant_id not in {tenant.pk for tenant in memberships_of(cast(User, request.user))}:
        return False
    request.session[TENANT_KEY] = str(tenant_id)
    request.session.pop(OPERATOR_KEY, None)
    return True


def enter_as_operator(request: HttpRequest, tenant: Tenant, reason: str) -> None:
    """Let a platform operator act in a tenant; refused without a reason, and written to that tenant's audit log.

    Raises PermissionError for anybody who is no operator, ValueError without a reason of at least 10 characters.
    """
    user = cast(User, request.user)
    if not user.is_superuser:
        raise PermissionError(_("Only platform operators enter a tenant they are not a member of."))
    if len(reason.strip()) < 10:
        raise ValueError(_("Say in at least 10 characters why you enter this tenant; its people will read it."))
    principal = operator_principal(user, tenant, _request_ip(request))
    with tenant_context(tenant.pk):
        audit.record(principal, "operator.entered", tenant, reason=reason.strip())
    request.session[OPERATOR_KEY] = str(tenant.pk)


def leave_as_operator(request: HttpRequest) -> None:
    """End an operator's visit."""
    request.session.pop(OPERATOR_KEY, None)
