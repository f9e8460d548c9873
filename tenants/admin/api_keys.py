"""API keys: issue one (its token is shown once), rotate, revoke."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from tenants import keys
from tenants.admin.actor import can, principal_of
from tenants.admin.base import TenantModelAdmin
from tenants.admin.display import chip, moment
from tenants.admin.forms import TenantModelForm
from tenants.models import ApiKey
from tenants.scopes import SCOPES


class ApiKeyForm(TenantModelForm):
    """A key's name, scopes and end; scopes cannot change later, because its users rely on them."""

    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("scopes"),
        choices=[(scope, scope) for scope in SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expires_at")

    def clean_expires_at(self) -> Any:
        """Refuse a key that is over before it begins."""
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError(_("This lies in the past; leave it empty for a key without an end."))
        return expires_at


class ApiKeyAdmin(TenantModelAdmin):
    """Keys are issued and revoked, never edited or deleted, so that the audit log can always name them."""

    write_permission = "manage_keys"
    form = ApiKeyForm
    list_display = ("name", "prefix", "state", "scope_list", "used", "expires")
    search_fields = ("name", "prefix")
    fields = ("name", "scopes", "expires_at")
    actions = None
    change_form_outer_before_template = "admin/tenants/apikey_actions.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = ("name", "prefix", "state", "scope_list", "created_at", "used", "expires", "replaced_by")
        return self.fields if obj is None else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<uuid:key_id>/rotate/", wrap(require_POST(self.rotate)), name="tenants_apikey_rotate"),
            path("<uuid:key_id>/revoke/", wrap(require_POST(self.revoke)), name="tenants_apikey_revoke"),
        ]
        return [*own, *super().get_urls()]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        """Offer only scopes within what the actor may do, so that no key is a way around a role."""
        form = super().get_form(request, obj, change=change, **options)
        if "scopes" in form.base_fields:
            held = principal_of(request).permissions
            form.base_fields["scopes"].choices = [(name, name) for name, needs in SCOPES.items() if needs <= held]
        return form

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        extra = {"may_manage": can(request, self.write_permission), **(extra_context or {})}
        response: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return response

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        extra = {"show_save_and_add_another": False, "show_save_and_continue": False, **(extra_context or {})}
        response: HttpResponse = super().add_view(request, form_url, extra)
        return response

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # type: ignore[override]
        """Issue the key; what the form built only carried the wishes."""
        issued = keys.issue(principal_of(request), obj.name, obj.scopes, obj.expires_at)
        obj.pk = issued.key.pk
        request.issued_key = issued  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: Any = None) -> HttpResponse:
        return self._show_once(request, request.issued_key)  # type: ignore[attr-defined]

    def _show_once(self, request: HttpRequest, issued: keys.IssuedKey) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Copy this key now"),
            "key": issued.key,
            "token": issued.token,
            "address": request.build_absolute_uri("/api/v1/alerts"),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/tenants/token.html", context)

    def rotate(self, request: HttpRequest, key_id: Any) -> HttpResponse:
        """Issue a successor and show its token; the old key goes on for a day."""
        return self._show_once(request, keys.rotate(principal_of(request), self._key(request, key_id)))

    def revoke(self, request: HttpRequest, key_id: Any) -> HttpResponse:
        """Make a key useless."""
        key = self._key(request, key_id)
        keys.revoke(principal_of(request), key)
        messages.success(request, _("The key “%(key)s” no longer works.") % {"key": key})
        return redirect(reverse(f"{self.admin_site.name}:tenants_apikey_changelist"))

    def _key(self, request: HttpRequest, key_id: Any) -> ApiKey:
        key: ApiKey = self.get_object_or_404(request, str(key_id))
        if not can(request, self.write_permission):
            raise PermissionDenied
        return key

    def state(self, key: ApiKey) -> Any:
        if key.revoked_at is not None:
            return chip(_("revoked"), "grey")
        if key.expires_at is not None and key.expires_at <= timezone.now():
            return chip(_("expired"), "grey")
        return chip(_("works"), "green")

    state.short_description = gettext_lazy("state")  # type: ignore[attr-defined]

    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    scope_list.short_description = gettext_lazy("scopes")  # type: ignore[attr-defined]

    def used(self, key: ApiKey) -> Any:
        return moment(key.last_used_at)

    used.short_description = gettext_lazy("last used")  # type: ignore[attr-defined]

    def expires(self, key: ApiKey) -> Any:
        return moment(key.expires_at)

    expires.short_description = gettext_lazy("expires")  # type: ignore[attr-defined]
