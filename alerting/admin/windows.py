"""Maintenance windows, with the times they will open next."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelect2Widget

from alerting.admin.forms import ConfigurationAdmin, JudgedForm
from alerting.admin.matching import matcher_chips
from alerting.models import MaintenanceWindow
from alerting.muting import WindowError
from alerting.muting.maintenance import Occurrence
from alerting.validation import window_of
from tenants.admin.display import chip, duration_text

SHOWN = 5


def _zones() -> list[tuple[str, str]]:
    from zoneinfo import available_timezones

    return [("", _("the tenant's")), *((name, name) for name in sorted(available_timezones()))]


class WindowForm(JudgedForm):
    """A window; its rule is an RRULE of RFC 5545 on the wall clock of its zone."""

    time_zone = forms.ChoiceField(
        label=gettext_lazy("time zone"), choices=_zones, required=False, widget=UnfoldAdminSelect2Widget()
    )

    class Meta:
        model = MaintenanceWindow
        fields = ("name", "matchers", "start_date", "start_time", "duration", "rrule", "time_zone", "is_active")
        help_texts = {
            "rrule": gettext_lazy("Empty: once. Such as FREQ=WEEKLY;BYDAY=SA,SU or FREQ=MONTHLY;BYMONTHDAY=1.")
        }


class MaintenanceWindowAdmin(ConfigurationAdmin):
    """Planned times in which matching alerts are muted."""

    form = WindowForm
    list_display = ("name", "state", "which", "next_time", "length", "rrule")
    list_filter = ("is_active",)
    search_fields = ("name",)
    fields = ("name", "matchers", "start_date", "start_time", "duration", "rrule", "time_zone", "is_active", "upcoming")
    readonly_fields = ("upcoming",)

    def get_queryset(self, request: HttpRequest) -> Any:
        # Each row's times need the tenant's zone; it comes with the row, not by a query of its own.
        return super().get_queryset(request).select_related("tenant")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"start_date": timezone.localdate(), "duration": "2h", "is_active": True}

    def _times(self, window: MaintenanceWindow, count: int) -> tuple[Occurrence | None, list[Occurrence], ZoneInfo]:
        found, now = window_of(window, window.tenant.time_zone), timezone.now()
        return found.active_at(now), found.next_occurrences(now, count), ZoneInfo(found.time_zone)

    def upcoming(self, window: MaintenanceWindow) -> Any:
        if window.pk is None or window._state.adding:
            return _("Shown once it is saved.")
        try:
            open_now, following, zone = self._times(window, SHOWN)
        except WindowError as error:
            return error.message
        lines = [(_span(one, zone), _("open now")) for one in ([open_now] if open_now else [])]
        lines += [(_span(one, zone), "") for one in following]
        if not lines:
            return _("It will not open again.")
        rows = format_html_join("", "<li>{} <b>{}</b></li>", lines)
        return format_html('<ol class="al-times">{}</ol>', rows)

    upcoming.short_description = gettext_lazy("next times")  # type: ignore[attr-defined]

    def next_time(self, window: MaintenanceWindow) -> str:
        try:
            _open_now, following, zone = self._times(window, 1)
        except WindowError as error:
            return error.message
        return _span(following[0], zone) if following else "–"

    next_time.short_description = gettext_lazy("opens next")  # type: ignore[attr-defined]

    def state(self, window: MaintenanceWindow) -> Any:
        if not window.is_active:
            return chip(_("off"), "grey")
        try:
            open_now, _following, _zone = self._times(window, 0)
        except WindowError:
            return chip(_("broken"), "red")
        return chip(_("open now"), "orange") if open_now else chip(_("closed"), "green")

    state.short_description = gettext_lazy("state")  # type: ignore[attr-defined]

    def which(self, window: MaintenanceWindow) -> Any:
        return matcher_chips(window.matchers)

    which.short_description = gettext_lazy("mutes")  # type: ignore[attr-defined]

    def length(self, window: MaintenanceWindow) -> str:
        return duration_text(window.duration)

    length.short_description = gettext_lazy("for")  # type: ignore[attr-defined]


def _span(one: Occurrence, zone: ZoneInfo) -> str:
    start, end = one.starts_at.astimezone(zone), one.ends_at.astimezone(zone)
    day, begins = date_format(start, "D j N Y"), date_format(start, "H:i")
    ends = date_format(end, "H:i" if end.date() == start.date() else "D j N H:i")
    return _("%(day)s, %(begins)s to %(ends)s (%(zone)s)") % {
        "day": day,
        "begins": begins,
        "ends": ends,
        "zone": zone.key,
    }
