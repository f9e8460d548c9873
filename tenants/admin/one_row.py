"""Pages of choices of which a tenant has one row: no list, but the row itself, made with the defaults when saved."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from tenants.admin.base import TenantModelAdmin


class OneRowAdmin(TenantModelAdmin):
    """The tenant has this row or none."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request) and not self.model._default_manager.exists()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Go straight to the one row, or to making it."""
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}"
        row = self.model._default_manager.first()
        if row is not None:
            return redirect(reverse(f"{name}_change", args=[row.pk]))
        if self.has_add_permission(request):
            return redirect(reverse(f"{name}_add"))
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response


class PolicyAdmin(OneRowAdmin):
    """Choices that hold for the whole tenant: changed, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
