"""Alert groups: the working list, with what people do to many groups at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import RangeDateTimeFilter

from alerting.admin import group_page
from alerting.admin.filters import SeverityFilter, StatusFilter
from alerting.admin.severity import severity_chip, status_chip
from alerting.filters import groups_with_text
from alerting.models import AlertGroup
from tenants.admin.actor import can, principal_of
from tenants.admin.base import ReadOnlyAdmin
from tenants.admin.display import chip, moment

OPEN = "status=firing&status=acknowledged"


class AlertGroupAdmin(ReadOnlyAdmin):
    """What people acknowledge and resolve."""

    list_display = ("severity_shown", "status_shown", "title", "counts", "assigned", "opened", "changed")
    list_display_links = ("title",)
    list_select_related = ("assigned_to",)
    list_filter = (StatusFilter, SeverityFilter, ("opened_at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("title",)
    search_help_text = gettext_lazy("Text in the title or the common labels")
    ordering = ("-opened_at", "-id")
    actions = ("acknowledge_selected", "resolve_selected", "silence_selected")
    list_before_template = "admin/alerting/group_tabs.html"

    def has_act_permission(self, request: HttpRequest) -> bool:
        return can(request, "act_on_alerts")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return groups_with_text(queryset, search_term.strip()), False

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(require_POST(self.act))
        return [path("<uuid:group_id>/act/", act, name="alerting_alertgroup_act"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Begin with the groups that need somebody."""
        if request.method == "GET" and not request.GET:
            return redirect(f"{request.path}?{OPEN}")
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a group with everything that happened to it."""
        return group_page.show(self, request, self.get_object_or_404(request, object_id))

    def act(self, request: HttpRequest, group_id: Any) -> HttpResponse:
        """Do what a button of the group's page says."""
        return group_page.act(self, request, self.get_object_or_404(request, str(group_id)))

    def acknowledge_selected(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, group_page.DEEDS["acknowledge"])

    acknowledge_selected.short_description = gettext_lazy("Acknowledge")  # type: ignore[attr-defined]
    acknowledge_selected.allowed_permissions = ("act",)  # type: ignore[attr-defined]

    def resolve_selected(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, group_page.DEEDS["resolve"])

    resolve_selected.short_description = gettext_lazy("Resolve")  # type: ignore[attr-defined]
    resolve_selected.allowed_permissions = ("act",)  # type: ignore[attr-defined]

    def silence_selected(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, group_page.silencing(timedelta(hours=1)))

    silence_selected.short_description = gettext_lazy("Silence for an hour")  # type: ignore[attr-defined]
    silence_selected.allowed_permissions = ("act",)  # type: ignore[attr-defined]

    def _each(self, request: HttpRequest, queryset: Any, deed: Callable[..., object]) -> None:
        principal, done, refused = principal_of(request), 0, []
        for group in queryset[: self.list_per_page]:
            try:
                deed(principal, group)
                done += 1
            except group_page.REFUSALS as error:
                refused.append(f"{group}: {error}")
        if done:
            text = ngettext("Done for %(count)d group.", "Done for %(count)d groups.", done) % {"count": done}
            messages.success(request, text)
        for reason in refused[:5]:
            messages.warning(request, reason)

    def severity_shown(self, group: AlertGroup) -> Any:
        return severity_chip(group.severity)

    severity_shown.short_description = gettext_lazy("severity")  # type: ignore[attr-defined]
    severity_shown.admin_order_field = "severity"  # type: ignore[attr-defined]

    def status_shown(self, group: AlertGroup) -> Any:
        if group.is_flapping:
            return chip(_("%(status)s, flapping") % {"status": group.get_status_display()}, "orange")
        return status_chip(group.status)

    status_shown.short_description = gettext_lazy("status")  # type: ignore[attr-defined]
    status_shown.admin_order_field = "status"  # type: ignore[attr-defined]

    def counts(self, group: AlertGroup) -> str:
        return _("%(firing)d of %(all)d") % {"firing": group.firing_count, "all": group.alert_count}

    counts.short_description = gettext_lazy("firing")  # type: ignore[attr-defined]
    counts.admin_order_field = "firing_count"  # type: ignore[attr-defined]

    def assigned(self, group: AlertGroup) -> str:
        return str(group.assigned_to or group.acknowledged_by or "–")

    assigned.short_description = gettext_lazy("who")  # type: ignore[attr-defined]

    def opened(self, group: AlertGroup) -> Any:
        return moment(group.opened_at)

    opened.short_description = gettext_lazy("opened")  # type: ignore[attr-defined]
    opened.admin_order_field = "opened_at"  # type: ignore[attr-defined]

    def changed(self, group: AlertGroup) -> Any:
        return moment(group.changed_at)

    changed.short_description = gettext_lazy("changed")  # type: ignore[attr-defined]
    changed.admin_order_field = "changed_at"  # type: ignore[attr-defined]
