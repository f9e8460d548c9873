"""Changing the tenant a session works in, and operators entering one with a reason."""

from contextlib import nullcontext
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from tenants import sessions
from tenants.access import memberships_of
from tenants.context import tenant_context
from tenants.models import Tenant, User


class OperatorForm(forms.Form):
    """Which tenant a platform operator enters, and why."""

    tenant = forms.ModelChoiceField(
        Tenant.objects.none(), label=gettext_lazy("Tenant"), widget=UnfoldAdminSelectWidget()
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        min_length=10,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("Written to the audit log of that tenant; its people will read it."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["tenant"].queryset = Tenant.objects.order_by("name")  # type: ignore[attr-defined]


def choose_tenant(site: Any, request: HttpRequest) -> HttpResponse:
    """Show the tenants there are to choose from; a POST chooses one."""
    is_operator = isinstance(request.user, User) and request.user.is_superuser
    form = OperatorForm(request.POST if "reason" in request.POST else None) if is_operator else None
    if request.method == "POST":
        if form is not None and form.is_bound:
            if form.is_valid():
                sessions.enter_as_operator(request, form.cleaned_data["tenant"], form.cleaned_data["reason"])
                return redirect(f"{site.name}:index")
        else:
            return _change(site, request)
    principal = getattr(request, "principal", None)
    own = memberships_of(request.user) if isinstance(request.user, User) else []
    # Around the page stands the navigation of the tenant the session is in, if it is in one.
    with tenant_context(principal.tenant_id) if principal else nullcontext():
        context = {**site.each_context(request), "title": _("Choose a tenant"), "form": form, "own_tenants": own}
        request.current_app = site.name
        return TemplateResponse(request, "admin/alerting/choose_tenant.html", context).render()


def _change(site: Any, request: HttpRequest) -> HttpResponse:
    try:
        tenant_id = UUID(request.POST.get("tenant", ""))
    except ValueError:
        raise Http404 from None
    if not sessions.choose_tenant(request, tenant_id):
        raise Http404
    messages.success(request, _("You now work in another tenant."))
    return redirect(f"{site.name}:index")


@require_POST
def leave_tenant(request: HttpRequest) -> HttpResponse:
    """End an operator's visit and go back to where they came from."""
    if not isinstance(request.user, User) or not request.user.is_superuser:
        raise PermissionDenied
    sessions.leave_as_operator(request)
    return redirect("admin:choose_tenant")
