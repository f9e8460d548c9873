"""Findings: the list of what was found, and for each why, drawn, with the verdict of whoever looks."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter

from alerting.admin.filters import SeverityFilter
from alerting.admin.matching import label_chips
from alerting.admin.severity import severity_chip
from alerting.models import Alert
from channels.languages.voice import Voice
from metrics.admin.plotting import BLUE, GREY, OPTIONS, RED, VIOLET, Plot
from metrics.charts.course import Course, courses_of
from metrics.judging import texts
from metrics.judging.due import database_time
from metrics.models import Feedback, Finding, Verdict
from metrics.trust import verdicts
from metrics.trust.words import ended_title, told_title
from tenants.admin.actor import can, principal_of
from tenants.admin.base import ReadOnlyAdmin
from tenants.admin.display import chip, moment


class VerdictForm(forms.Form):
    """What somebody thinks of a finding."""

    verdict = forms.ChoiceField(choices=Verdict.choices)
    note = forms.CharField(max_length=500, required=False)


class FindingAdmin(ReadOnlyAdmin):
    """What was found, latest first."""

    list_display = ("severity_shown", "what", "state", "alerted", "raised", "threshold")
    list_display_links = ("what",)
    list_select_related = ("threshold",)
    list_filter = (
        SeverityFilter,
        ("kind", ChoicesCheckboxFilter),
        "is_told",
        ("raised_at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    search_fields = ("metric", "labels")
    search_help_text = gettext_lazy("Text in the name of the metric or in its labels")
    ordering = ("-raised_at", "-id")

    def get_urls(self) -> list[URLPattern]:
        judge = self.admin_site.admin_view(require_POST(self.judge))
        return [path("<uuid:finding_id>/judge/", judge, name="metrics_finding_judge"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a finding with its chart and the reasons."""
        finding: Finding = self.get_object_or_404(request, object_id)
        self.check_look(request, finding)
        voice = Voice(get_language() or "en", request.tenant.time_zone)  # type: ignore[attr-defined]
        courses = courses_of(finding, database_time())
        principal = principal_of(request)
        context = {
            **self.admin_site.each_context(request),
            "title": texts.summary(finding, voice),
            "opts": self.opts,
            "finding": finding,
            "severity": severity_chip(finding.severity),
            "state_chip": state_chip(finding),
            "told": told_title(finding.told_because),
            "ended": ended_title(finding.ended_because),
            "labels": label_chips(finding.labels, most=20),
            "reasons": texts.reasons(finding, voice),
            "causes": [{"text": texts.cause_text(cause), **cause} for cause in finding.causes],
            "charts": [{"title": one.title, "unit": one.unit, "data": plot_of(one).data()} for one in courses],
            "chart_options": json.dumps(OPTIONS),
            "verdicts": list(Feedback._default_manager.filter(finding=finding).order_by("-at")),
            "mine": Feedback._default_manager.filter(finding=finding, actor=f"{principal.kind}:{principal.id}").first(),
            "may_judge": can(request, "act_on_alerts"),
            "group": group_of(finding),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/metrics/finding.html", context)

    def judge(self, request: HttpRequest, finding_id: Any) -> HttpResponse:
        """Take a verdict."""
        if not can(request, "act_on_alerts"):
            raise PermissionDenied
        finding = self.get_object_or_404(request, str(finding_id))
        form = VerdictForm(request.POST)
        if not form.is_valid():
            raise Http404
        verdicts.give(principal_of(request), finding, form.cleaned_data["verdict"], form.cleaned_data["note"])
        self.message_user(request, _("Noted. Verdicts decide whether a detector may alert."))
        return redirect(reverse(f"{self.admin_site.name}:metrics_finding_change", args=[finding.pk]))

    def severity_shown(self, finding: Finding) -> Any:
        return severity_chip(finding.severity)

    severity_shown.short_description = gettext_lazy("severity")  # type: ignore[attr-defined]
    severity_shown.admin_order_field = "severity"  # type: ignore[attr-defined]

    def what(self, finding: Finding) -> str:
        return texts.summary(finding, Voice(get_language() or "en"))

    what.short_description = gettext_lazy("what was found")  # type: ignore[attr-defined]

    def state(self, finding: Finding) -> Any:
        return state_chip(finding)

    state.short_description = gettext_lazy("state")  # type: ignore[attr-defined]

    def alerted(self, finding: Finding) -> str:
        return str(told_title(finding.told_because))

    alerted.short_description = gettext_lazy("alerted")  # type: ignore[attr-defined]

    def raised(self, finding: Finding) -> Any:
        return moment(finding.raised_at)

    raised.short_description = gettext_lazy("raised")  # type: ignore[attr-defined]
    raised.admin_order_field = "raised_at"  # type: ignore[attr-defined]


def state_chip(finding: Finding) -> SafeString:
    """Whether it goes on."""
    return chip(_("goes on"), "red") if finding.ended_at is None else chip(_("over"), "green")


def group_of(finding: Finding) -> Any:
    """The group its alert is in, where it became one."""
    if not finding.is_told:
        return None
    own = {"alertname": finding.threshold.name, "finding_kind": finding.kind, "metric": finding.metric}
    alert = Alert._default_manager.filter(labels__contains=own | finding.labels).select_related("group").first()
    return alert.group if alert is not None else None


def plot_of(course: Course) -> Plot:
    """The course of a finding as a chart of the admin."""
    plot = Plot(course.start, course.end)
    plot.line(_("value"), course.at, course.value, BLUE)
    plot.line(_("forecast"), course.forecast_at, course.forecast, VIOLET)
    for line in course.lines:
        plot.limit(_("over again") if line.is_clear else _("limit"), line.value, GREY if line.is_clear else RED)
    plot.band(_("usual"), course.at, course.low, course.high)
    plot.band(_("forecast, likely"), course.forecast_at, course.forecast_low, course.forecast_high)
    if course.changed_at is not None:
        plot.line(_("before and after"), course.at, course.expected, VIOLET, is_dashed=True)
        plot.stretches(_("change"), [(course.changed_at, course.changed_at)], "blue", (0, 1))
    plot.stretches(_("found"), course.found, "orange", (0, 1))
    return plot
