"""The admin site: every page of it runs inside the tenant that the signed-in person works in."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.dataclasses import Favicon, SearchResult
from unfold.sites import UnfoldAdminSite

from alerting.admin.login import LoginForm
from alerting.admin.navigation import navigation
from alerting.admin.switching import choose_tenant, leave_tenant
from tenants.admin.actor import can
from tenants.context import tenant_context
from tenants.models import User

View = Callable[..., HttpResponse]
# What a person may open before there is a tenant to show.
WITHOUT_TENANT = frozenset({"logout", "password_change", "password_change_done", "i18n_javascript", "choose_tenant"})


class AlertingAdminSite(UnfoldAdminSite):
    """Where tenants are configured and alerts are worked.

    A member needs no `is_staff`: a membership opens the site, and the role says what is in it. Platform
    operators come in without a membership, but see nothing until they enter a tenant with a reason.
    """

    login_form = LoginForm
    index_title = _("Overview")
    enable_nav_sidebar = True
    final_catch_all_view = True

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not user.is_authenticated or not user.is_active or not isinstance(user, User):
            return False
        return getattr(request, "principal", None) is not None or user.is_superuser

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the form to sign in, to whoever asks, without anything of a tenant around it."""
        if request.method != "GET":
            request.principal = None  # type: ignore[attr-defined]
        response: HttpResponse = super().login(request, extra_context)
        return response

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Check who asks, then run the view and render its page inside their tenant."""
        guarded: View = super().admin_view(self._in_tenant(view), cacheable)
        return guarded

    def _in_tenant(self, view: View) -> View:
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            refuse_nul(request)
            principal = getattr(request, "principal", None)
            if principal is None:
                if getattr(view, "__name__", "") in WITHOUT_TENANT:
                    return view(request, *args, **kwargs)
                return redirect(f"{self.name}:choose_tenant")
            if getattr(view, "opens_own_context", False):
                return view(request, *args, **kwargs)
            with tenant_context(principal.tenant_id):
                response = view(request, *args, **kwargs)
                # Pages render lazily, by default after this block, where no row of the tenant exists any more.
                if not getattr(response, "is_rendered", True):
                    response = response.render()  # type: ignore[attr-defined]
                return response

        return update_wrapper(inner, view)

    def extra_urls(self) -> list[URLPattern]:
        """Return the pages that belong to no model."""
        from alerting.admin.dashboard import dashboard_part

        return [
            path("tenant/", self.admin_view(self.choose_tenant), name="choose_tenant"),
            path("tenant/leave/", self.admin_view(self.leave_tenant), name="leave_tenant"),
            path("overview/", self.admin_view(dashboard_part), name="dashboard_part"),
            path("explain/", self.admin_view(self.explain), name="explain"),
            path("who/", self.admin_view(self.who), name="who"),
        ]

    def explain(self, request: HttpRequest) -> HttpResponse:
        """Tell every decision about an alert, known or imagined."""
        from alerting.admin.explain import explain_page

        return explain_page(self, request)

    def who(self, request: HttpRequest) -> HttpResponse:
        """Tell who would be called for a made-up alert at any time."""
        from alerting.admin.escalation import who_page

        return who_page(self, request)

    def choose_tenant(self, request: HttpRequest) -> HttpResponse:
        """Let a person change to another of their tenants, and an operator enter any with a reason."""
        return choose_tenant(self, request)

    # Entering a tenant writes to its audit log, in a context of its own.
    choose_tenant.opens_own_context = True  # type: ignore[attr-defined]

    def leave_tenant(self, request: HttpRequest) -> HttpResponse:
        """End an operator's visit."""
        return leave_tenant(request)

    leave_tenant.opens_own_context = True  # type: ignore[attr-defined]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = super().each_context(request)
        principal = getattr(request, "principal", None)
        context["styles"] = [static("alerting/admin.css")]
        context["site_symbol"] = "notifications_active"
        tenant = getattr(request, "tenant", None)
        context["site_subheader"] = tenant.name if tenant is not None else None
        context["scripts"] = [static("alerting/admin.js")]
        context["site_favicons"] = [Favicon(href=static("alerting/icon.svg"), rel="icon", type="image/svg+xml")]
        context["show_history"] = can(request, "view_audit")
        context["account_links"] = [
            {"title": _("Change tenant"), "link": reverse(f"{self.name}:choose_tenant")},
            {"title": _("Change password"), "link": reverse(f"{self.name}:password_change")},
        ]
        context["is_operator"] = principal is not None and principal.kind == "operator"
        return context

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Return the models of one app; the list of all, which no page shows, would be made for every page."""
        apps: list[dict[str, Any]] = super().get_app_list(request, app_label) if app_label else []
        return apps

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        return navigation(self, request)

    def get_log_entries(self, request: HttpRequest) -> list[Any]:
        """Return nothing: the audit log takes the place of Django's own."""
        return []

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Find pages by name. Unlike the base, nothing is cached: its key would not know the tenant."""
        term = request.GET.get("s", "").strip().lower()
        if not term:
            return HttpResponse()
        found = [
            SearchResult(title=str(item["title"]), description=str(group["title"]), link=str(item["link"]), icon="tag")
            for group in navigation(self, request)
            for item in group["items"]
            if term in str(item["title"]).lower()
        ]
        return render(request, "unfold/helpers/search_results.html", {"results": found, "execution_time": 0})


def refuse_nul(request: HttpRequest) -> None:
    """Refuse U+0000 in any parameter: PostgreSQL has no such text, and no form means it."""
    for parameters in (request.GET, request.POST):
        for values in parameters.lists():
            if any("\0" in value for value in (values[0], *values[1]) if isinstance(value, str)):
                raise BadRequest("NUL in a parameter.")


def environment_badge(request: HttpRequest) -> list[str] | None:
    """Return the badge that says which environment this tenant is, for the head of every page."""
    tenant = getattr(request, "tenant", None)
    if tenant is None:
        return None
    kinds = {"production": "danger", "staging": "warning"}
    return [tenant.get_environment_display(), kinds.get(tenant.environment, "info")]


site = AlertingAdminSite(name="admin")


def _register() -> None:
    from alerting.admin.registry import register_all

    register_all(site)


_register()
