"""Alerts: the latest state of each, to be searched and read."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter

from alerting.admin.matching import label_chips
from alerting.admin.severity import severity_chip, status_chip
from alerting.admin.timelines import timeline_lines
from alerting.decoding.urls import is_link
from alerting.filters import alerts_with_text
from alerting.models import Alert
from alerting.scoring.words import unusual, urgent
from alerting.selectors import alert_timeline
from tenants.admin.base import ReadOnlyAdmin
from tenants.admin.display import chip, moment

EVENTS = 200


def explain_link(alert: Alert) -> str:
    """Return where an alert is explained; empty while there is no such page."""
    try:
        return f"{reverse('admin:explain')}?alert={alert.pk}"
    except NoReverseMatch:
        return ""


class AlertAdmin(ReadOnlyAdmin):
    """One fingerprint each."""

    list_display = ("severity_shown", "status_shown", "name", "labels_shown", "muted", "times", "seen")
    list_display_links = ("name",)
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        ("severity", ChoicesCheckboxFilter),
        "is_flapping",
        ("last_seen_at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    search_fields = ("labels",)
    search_help_text = gettext_lazy("Text in labels, summary or description")
    ordering = ("-changed_at", "-id")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return alerts_with_text(queryset, search_term.strip()), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show an alert with its labels, what enrichment did, what mutes it and its history."""
        alert = self.get_object_or_404(request, object_id)
        self.check_look(request, alert)
        context = {
            **self.admin_site.each_context(request),
            "title": str(alert),
            "opts": self.opts,
            "alert": alert,
            "severity": severity_chip(alert.severity),
            "status": status_chip(alert.status),
            "links": [name for name, text in alert.annotations.items() if is_link(text)],
            "fingerprint": bytes(alert.fingerprint).hex(),
            "said": [text for text in (unusual(alert.scores), urgent(alert.scores)) if text],
            "timeline": timeline_lines(alert_timeline(alert.pk).order_by("-at", "-id")[:EVENTS]),
            "explain": explain_link(alert),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/alerting/alert.html", context)

    def severity_shown(self, alert: Alert) -> Any:
        return severity_chip(alert.severity)

    severity_shown.short_description = gettext_lazy("severity")  # type: ignore[attr-defined]
    severity_shown.admin_order_field = "severity"  # type: ignore[attr-defined]

    def status_shown(self, alert: Alert) -> Any:
        return status_chip(alert.status)

    status_shown.short_description = gettext_lazy("status")  # type: ignore[attr-defined]

    def name(self, alert: Alert) -> str:
        return str(alert)

    name.short_description = gettext_lazy("alert")  # type: ignore[attr-defined]

    def labels_shown(self, alert: Alert) -> Any:
        return label_chips(alert.labels, leave_out=("alertname", "severity"), most=4)

    labels_shown.short_description = gettext_lazy("labels")  # type: ignore[attr-defined]

    def muted(self, alert: Alert) -> Any:
        if alert.muted_by:
            return chip(_("muted"), "grey")
        return chip(_("flapping"), "orange") if alert.is_flapping else ""

    muted.short_description = ""  # type: ignore[attr-defined]

    def times(self, alert: Alert) -> str:
        return f"{alert.repeat_count:,} ×"

    times.short_description = gettext_lazy("received")  # type: ignore[attr-defined]

    def seen(self, alert: Alert) -> Any:
        return moment(alert.last_seen_at)

    seen.short_description = gettext_lazy("last seen")  # type: ignore[attr-defined]
