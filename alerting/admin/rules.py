"""Grouping rules, inhibition rules, enrichment steps and the general settings."""

import json
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from alerting.admin.forms import ConfigurationAdmin, JudgedForm
from alerting.admin.matching import matcher_chips
from alerting.enrichment.registry import kinds
from alerting.models import EnrichmentStep, GroupingRule, InhibitionRule
from tenants.admin.display import chip
from tenants.admin.one_row import PolicyAdmin
from tenants.faults import InputRefused
from tenants.strict_json import loads


class GroupingRuleAdmin(ConfigurationAdmin):
    """Which alerts are told together; the first rule that matches decides."""

    list_display = ("name", "position", "which", "by")
    search_fields = ("name",)
    fields = ("name", "position", "matchers", "group_by")
    list_before_template = "admin/alerting/hints/grouping.html"

    def which(self, rule: GroupingRule) -> Any:
        return matcher_chips(rule.matchers)

    which.short_description = gettext_lazy("alerts")  # type: ignore[attr-defined]

    def by(self, rule: GroupingRule) -> str:
        return ", ".join(rule.group_by)

    by.short_description = gettext_lazy("group by")  # type: ignore[attr-defined]


class InhibitionRuleAdmin(ConfigurationAdmin):
    """What is not told while something else fires."""

    list_display = ("name", "source", "target", "labels", "state")
    search_fields = ("name",)
    list_filter = ("is_active",)
    fields = ("name", "source_matchers", "target_matchers", "equal", "is_active")

    def source(self, rule: InhibitionRule) -> Any:
        return matcher_chips(rule.source_matchers)

    source.short_description = gettext_lazy("while this fires")  # type: ignore[attr-defined]

    def target(self, rule: InhibitionRule) -> Any:
        return matcher_chips(rule.target_matchers)

    target.short_description = gettext_lazy("do not tell")  # type: ignore[attr-defined]

    def labels(self, rule: InhibitionRule) -> str:
        return ", ".join(rule.equal) or "–"

    labels.short_description = gettext_lazy("with equal")  # type: ignore[attr-defined]

    def state(self, rule: InhibitionRule) -> Any:
        return chip(_("active"), "green") if rule.is_active else chip(_("off"), "grey")

    state.short_description = gettext_lazy("state")  # type: ignore[attr-defined]


class StepSettingsField(forms.CharField):
    """The settings of a step as JSON text."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else json.dumps(value or {}, indent=2, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        """Return the object; say where the text cannot be read."""
        try:
            return loads((value or "{}").encode("utf-8", "surrogatepass"))
        except InputRefused as error:
            raise forms.ValidationError(error.detail) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except forms.ValidationError:
            return True


class EnrichmentStepForm(JudgedForm):
    """A step: its kind, the settings that kind understands, and which alerts it changes."""

    kind = forms.ChoiceField(
        label=gettext_lazy("kind"),
        choices=lambda: [(name, step.title) for name, step in kinds().items()],
        widget=UnfoldAdminSelectWidget(),
    )
    settings = StepSettingsField(label=gettext_lazy("settings"), required=False, max_length=100_000)

    class Meta:
        model = EnrichmentStep
        fields = ("name", "position", "kind", "matchers", "settings", "is_active")


class EnrichmentStepAdmin(ConfigurationAdmin):
    """Changes made to alerts as they come in, in order."""

    form = EnrichmentStepForm
    list_display = ("name", "position", "kind_title", "which", "state")
    list_filter = ("is_active",)
    search_fields = ("name",)
    fields = ("name", "position", "kind", "matchers", "settings", "is_active")
    change_form_after_template = "admin/alerting/step_help.html"

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        help_of = {
            name: {"help": str(step.help), "example": json.dumps(step.example, indent=2, ensure_ascii=False)}
            for name, step in kinds().items()
        }
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "step_help": help_of})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fields
        return ["kind_title" if name == "kind" else name for name in fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        is_shown = obj is not None and not self.has_change_permission(request, obj)
        return ("kind_title",) if is_shown else ()

    def kind_title(self, step: EnrichmentStep) -> str:
        known = kinds().get(step.kind)
        return str(known.title) if known else step.kind

    kind_title.short_description = gettext_lazy("kind")  # type: ignore[attr-defined]

    def which(self, step: EnrichmentStep) -> Any:
        return matcher_chips(step.matchers)

    which.short_description = gettext_lazy("alerts")  # type: ignore[attr-defined]

    def state(self, step: EnrichmentStep) -> Any:
        return chip(_("active"), "green") if step.is_active else chip(_("off"), "grey")

    state.short_description = gettext_lazy("state")  # type: ignore[attr-defined]


class AlertingPolicyAdmin(PolicyAdmin, ConfigurationAdmin):
    """One page: the tenant's general choices, made with the defaults when first saved."""

    fields = (
        "stale_after",
        "ignored_labels",
        "flap_window",
        "flap_enter",
        "flap_leave",
        "scoring",
        "severity_floor",
        "trust_floor",
    )
