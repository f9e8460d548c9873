"""The section “Who else may change this” on the page of an object that can be granted to single members."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tenants import grants
from tenants.admin.actor import principal_of
from tenants.admin.base import TenantModelAdmin
from tenants.models import Membership, User


class GrantForm(forms.Form):
    """One member out of those whom the deed can be about."""

    member: Any = forms.ModelChoiceField(queryset=None)

    def __init__(self, members: models.QuerySet[Membership], *args: Any) -> None:
        super().__init__(*args)
        self.fields["member"].queryset = members  # type: ignore[attr-defined]


class GrantedAdmin(TenantModelAdmin):
    """A page whose `grant` can be given to members, one object at a time."""

    change_form_outer_after_template = "admin/tenants/grants.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.change_grants))
        return [path("<uuid:object_id>/grants/", view, name=self._name("grants")), *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id) if object_id else None
        extra = {"granted": self._granted(request, obj) if obj is not None else None, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, extra)

    def change_grants(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Give one member a grant on this object, or take it."""
        obj = self.get_object_or_404(request, str(object_id))
        actor = principal_of(request)
        if not grants.may_give(actor):
            raise PermissionDenied
        takes = request.POST.get("deed") == "take"
        form = GrantForm((grants.holders if takes else grants.candidates)(obj, self.grant), request.POST)
        if not form.is_valid():
            messages.error(request, _("Choose a member of this list."))
        else:
            member = form.cleaned_data["member"]
            (grants.take if takes else grants.give)(actor, obj, self.grant, member)
            message = (
                _("%(person)s may no longer change this.") if takes else _("%(person)s may change this from now on.")
            )
            messages.success(request, message % {"person": member.user})
        return redirect(reverse(f"{self.admin_site.name}:{self._name('change')}", args=[obj.pk]))

    def _granted(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        may_give = grants.may_give(principal_of(request))
        return {
            "holders": list(grants.holders(obj, self.grant)),
            "candidates": list(grants.candidates(obj, self.grant)) if may_give else [],
            "may_give": may_give,
            "address": reverse(f"{self.admin_site.name}:{self._name('grants')}", args=[obj.pk]),
        }

    def _name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"


def may_also_change(page: TenantModelAdmin, person: User) -> Any:
    """Return links to the objects that a person may change by grants of their own."""
    site, links = page.admin_site, []
    for model, other in site._registry.items():
        if isinstance(other, GrantedAdmin):
            address = f"{site.name}:{other._name('change')}"
            found = grants.granted_to(person, model, other.grant)
            links += [(reverse(address, args=[obj.pk]), model._meta.verbose_name, obj) for obj in found]
    return format_html_join(" · ", '<a class="al-link" href="{}">{} {}</a>', links) or _(
        "Nothing beyond their role. The page of a single object says who else may change it."
    )
