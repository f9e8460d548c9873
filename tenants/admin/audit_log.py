"""The audit log, to be read."""

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from tenants.admin.base import ReadOnlyAdmin
from tenants.admin.changes import changes_of
from tenants.admin.display import moment
from tenants.admin.names import names_in
from tenants.models import AuditEntry


class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed what, when and from where."""

    view_permission = "view_audit"
    list_display = ("when", "actor_label", "action", "object_label", "reason", "ip")
    list_display_links = ("when",)
    list_filter = (("at", RangeDateTimeFilter), "actor_kind")
    list_filter_submit = True
    search_fields = ("actor_label", "action", "object_label", "reason")
    fields = ("when", "actor_label", "actor_kind", "action", "object_type", "object_label", "what", "reason", "ip")
    readonly_fields = fields
    ordering = ("-at", "-id")

    @staticmethod
    def _row(name: str, before: str, after: str) -> Any:
        return format_html("<tr><th>{}</th><td>{}</td><td>{}</td></tr>", name, before, after)

    def when(self, entry: AuditEntry) -> Any:
        return moment(entry.at)

    when.short_description = _("when")  # type: ignore[attr-defined]
    when.admin_order_field = "at"  # type: ignore[attr-defined]

    def what(self, entry: AuditEntry) -> Any:
        rows = format_html_join("", "{}", ((self._row(*change),) for change in changes_of(entry, names_in([entry]))))
        head = format_html("<tr><th></th><th>{}</th><th>{}</th></tr>", _("before"), _("after"))
        return format_html('<table class="al-changes">{}{}</table>', head, rows)

    what.short_description = _("what changed")  # type: ignore[attr-defined]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """There is no history of a line of history."""
        self.get_object_or_404(request, object_id)
        return self.changeform_view(request, object_id)
