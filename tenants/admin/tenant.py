"""The tenant itself: its name, language, time zone and environment."""

import zoneinfo
from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2Widget

from tenants import audit
from tenants.admin.actor import principal_of
from tenants.admin.base import TenantModelAdmin
from tenants.models import Tenant


class TenantForm(forms.ModelForm):
    """What a tenant may change about itself."""

    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=lambda: [(name, name) for name in sorted(zoneinfo.available_timezones())],
        widget=UnfoldAdminSelect2Widget(),
    )

    class Meta:
        model = Tenant
        fields = ("name", "locale", "time_zone", "environment")


class TenantAdmin(TenantModelAdmin):
    """One page: the tenant of the session. Tenants are made by operators, elsewhere."""

    form = TenantForm
    fields = ("slug", "name", "locale", "time_zone", "environment", "created_at")
    readonly_fields = ("slug", "created_at")
    actions = None

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Tenant]:
        rows: models.QuerySet[Tenant] = super().get_queryset(request)
        return rows.filter(pk=principal_of(request).tenant_id)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Go straight to the one tenant there is to show."""
        tenant_id = principal_of(request).tenant_id
        return redirect(reverse(f"{self.admin_site.name}:tenants_tenant_change", args=[tenant_id]))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        audit.save_audited(principal_of(request), obj)
