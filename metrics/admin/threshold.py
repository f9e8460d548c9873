"""Thresholds: the list, the form, and how far each can be trusted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.widgets import UnfoldAdminURLInputWidget

from alerting.admin.forms import ConfigurationAdmin, JudgedForm
from alerting.admin.matching import matcher_chips
from alerting.admin.rules import StepSettingsField
from alerting.admin.severity import severity_chip
from channels.admin.struct_fields import PairsField
from metrics.admin import backtest, trust
from metrics.admin.threshold_help import step_help
from metrics.models import MetricsPolicy, Threshold
from metrics.thresholds import validation
from metrics.trust.outcomes import outcomes_of
from metrics.trust.verdicts import precision_of
from tenants.admin.display import chip
from tenants.admin.one_row import PolicyAdmin


class ThresholdForm(JudgedForm):
    """A threshold; what its settings hold depends on its kind."""

    settings = StepSettingsField(label=gettext_lazy("settings"), required=False, max_length=20_000)
    labels = PairsField(
        label=gettext_lazy("further labels"), help_text=gettext_lazy("name = text, one a line; such as team = shop.")
    )

    runbook_url = forms.URLField(
        label=gettext_lazy("runbook"),
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=UnfoldAdminURLInputWidget(),
    )

    class Meta:
        model = Threshold
        fields = (
            *("name", "kind", "metric", "matchers", "settings", "hold", "recover", "severity", "paging"),
            *("labels", "runbook_url", "is_active"),
        )

    def judge(self) -> None:
        try:
            validation.check(self.instance)
        except ValidationError as error:
            self.add_errors(error)


class ThresholdAdmin(ConfigurationAdmin):
    """What a tenant wants to be told about its series."""

    form = ThresholdForm
    list_display = ("name", "severity_shown", "watched", "kind", "paging_shown", "useful", "acted_on", "state")
    list_filter = (("kind", ChoicesCheckboxFilter), ("paging", ChoicesCheckboxFilter), "is_active")
    list_filter_submit = True
    search_fields = ("name", "metric")
    fields = ThresholdForm.Meta.fields
    change_form_outer_before_template = "admin/metrics/threshold_head.html"
    change_form_after_template = "admin/alerting/step_help.html"

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.backtest)
        apply = self.admin_site.admin_view(require_POST(self.apply))
        return [
            path("<uuid:threshold_id>/backtest/", page, name="metrics_threshold_backtest"),
            path("<uuid:threshold_id>/apply/", apply, name="metrics_threshold_apply"),
            *super().get_urls(),
        ]

    def apply(self, request: HttpRequest, threshold_id: Any) -> HttpResponse:
        """Make a suggested edit."""
        return trust.apply(self, request, self.get_object_or_404(request, str(threshold_id)))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        found.result_list = list(found.result_list)
        trust.attach(found.result_list)
        return found

    def backtest(self, request: HttpRequest, threshold_id: Any) -> HttpResponse:
        """Try it on the past."""
        return backtest.page(self, request, self.get_object_or_404(request, str(threshold_id)))

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context: dict[str, Any] = {"step_help": step_help(), **(extra_context or {})}
        threshold = self.get_object(request, object_id) if object_id else None
        if threshold is not None:
            precision = precision_of({threshold.pk})[threshold.pk]
            context |= {
                "threshold": threshold,
                "precision": precision,
                "share": round(precision.share * 100) if precision.share is not None else None,
                "proven": round(precision.proven * 100),
                "floor": round(precision.floor * 100),
                "outcomes": outcomes_of(threshold, precision),
                "may_change": self.has_change_permission(request, threshold),
                "sensitivity": trust.sensitivity_of(threshold),
            }
        return super().changeform_view(request, object_id, form_url, context)

    def useful(self, threshold: Threshold) -> Any:
        return trust.precision_chip(threshold)

    useful.short_description = gettext_lazy("useful")  # type: ignore[attr-defined]

    def acted_on(self, threshold: Threshold) -> str:
        return trust.acted_text(threshold)

    acted_on.short_description = gettext_lazy("acted on in 30 days")  # type: ignore[attr-defined]

    def severity_shown(self, threshold: Threshold) -> Any:
        return severity_chip(threshold.severity)

    severity_shown.short_description = gettext_lazy("severity")  # type: ignore[attr-defined]

    def watched(self, threshold: Threshold) -> Any:
        chips = matcher_chips(threshold.matchers) if threshold.matchers else ""
        return format_html("{} {}", threshold.metric or "\u2013", chips)

    watched.short_description = gettext_lazy("metric")  # type: ignore[attr-defined]
    watched.admin_order_field = "metric"  # type: ignore[attr-defined]

    def paging_shown(self, threshold: Threshold) -> Any:
        tones = {"always": "red", "earned": "yellow", "never": "grey"}
        return chip(threshold.get_paging_display(), tones.get(threshold.paging, "grey"))

    paging_shown.short_description = gettext_lazy("alert")  # type: ignore[attr-defined]

    def state(self, threshold: Threshold) -> Any:
        return chip(_("active"), "green") if threshold.is_active else chip(_("off"), "grey")

    state.short_description = gettext_lazy("state")  # type: ignore[attr-defined]


class PolicyForm(JudgedForm):
    """The tenant's choices about what is found."""

    class Meta:
        model = MetricsPolicy
        fields = ("precision_floor", "least_judged", "sensitivity", "holidays")

    def judge(self) -> None:
        try:
            validation.check_policy(self.instance)
        except ValidationError as error:
            self.add_errors(error)


class MetricsPolicyAdmin(PolicyAdmin, ConfigurationAdmin):
    """One page: made with the defaults when first saved."""

    form = PolicyForm
    fields = PolicyForm.Meta.fields
