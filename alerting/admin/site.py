"""The admin site of this service."""

from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite


class AlertingAdminSite(UnfoldAdminSite):
    """Where tenants are configured and alerts are worked."""


site = AlertingAdminSite(name="admin")


def environment_badge(request: HttpRequest) -> list[str] | None:
    """Return the badge that says which environment this tenant is, for the head of every page."""
    tenant = getattr(request, "tenant", None)
    return None if tenant is None else [tenant.get_environment_display(), "info"]
