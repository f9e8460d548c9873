"""Escalation policies: levels written as lines, and a page that says who would be called for any alert."""

from datetime import datetime
from typing import Any

import msgspec
from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from alerting.admin import schedule_page
from alerting.admin.forms import ConfigurationAdmin, JudgedForm
from alerting.escalation import would_be_called
from alerting.escalation.foretelling import HORIZON
from alerting.escalation.plan import PlanError, read_levels
from alerting.escalation.writing import from_text, known_names, to_text
from alerting.matchers import MatcherError, parse
from alerting.models import EscalationPolicy
from alerting.timeline import why_title
from channels import registry
from channels.selectors import database_now
from tenants.admin.actor import can

CODE = {"class": "al-code", "spellcheck": "false"}


class LinesField(forms.CharField):
    """Lines of text that stand for a JSON column; the form reads and writes them."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 8, **CODE})

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else ""


class PolicyForm(JudgedForm):
    """A policy; each line is a level."""

    lines = LinesField(
        label=gettext_lazy("levels"),
        help_text=gettext_lazy(
            "One level a line: how long to wait, then whom to tell. Such as: 5m; schedule: Primary; member: ann via"
            " sms; channel: Ops room; normal. People are named by user name; without “via” their own rules hold."
        ),
    )

    class Meta:
        model = EscalationPolicy
        fields = ("name", "repeat_count", "repeat_wait", "acknowledge_timeout")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "lines" in self.fields and not self.instance._state.adding:
            self.fields["lines"].initial = to_text(self.instance.levels, known_names())

    def clean_lines(self) -> str:
        """Read the lines; what is wrong is said with the number of its line."""
        text: str = self.cleaned_data["lines"]
        try:
            self.instance.levels = msgspec.to_builtins(from_text(text, known_names()))
        except PlanError as error:
            raise forms.ValidationError(str(error)) from error
        return text

    def add_errors(self, error: forms.ValidationError) -> None:
        """What is wrong with the levels is told at their lines."""
        faults = dict(getattr(error, "error_dict", {}))
        for one in faults.pop("levels", []):
            self.add_error("lines", one)
        if faults or not hasattr(error, "error_dict"):
            super().add_errors(forms.ValidationError(faults) if faults else error)


class EscalationPolicyAdmin(ConfigurationAdmin):
    """Whom to call while nobody acknowledges."""

    form = PolicyForm
    list_display = ("name", "level_count", "repeat_count", "routes_using")
    search_fields = ("name",)
    fields = ("name", "lines", "repeat_count", "repeat_wait", "acknowledge_timeout")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("routes")

    def level_count(self, policy: EscalationPolicy) -> int | str:
        try:
            return len(read_levels(policy.levels))
        except PlanError:
            return "?"

    level_count.short_description = gettext_lazy("levels")  # type: ignore[attr-defined]

    def routes_using(self, policy: EscalationPolicy) -> str:
        return ", ".join(route.name for route in policy.routes.all()) or "–"

    routes_using.short_description = gettext_lazy("started by")  # type: ignore[attr-defined]


class WhoForm(forms.Form):
    """A made-up alert and a time."""

    labels = forms.CharField(
        label=gettext_lazy("labels"),
        max_length=4_000,
        widget=UnfoldAdminTextInputWidget(attrs=CODE),
        initial='alertname="DiskFull", service="db"',
    )
    at = forms.DateTimeField(
        label=gettext_lazy("told at"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "class": "al-input"}, format="%Y-%m-%dT%H:%M"),
    )

    def clean_labels(self) -> dict[str, str]:
        """Read label="value" pairs."""
        try:
            found = parse(self.cleaned_data["labels"], "labels")
        except MatcherError as error:
            raise forms.ValidationError(error.message) from error
        if any(str(one.op) != "=" for one in found):
            raise forms.ValidationError(_('An alert has labels with one value each: write name="value".'))
        return {one.name: one.value for one in found}

    def clean_at(self) -> datetime | None:
        """Refuse times nobody plans for."""
        at: datetime | None = self.cleaned_data["at"]
        if at is not None and abs(at - timezone.now()) > HORIZON:
            raise forms.ValidationError(_("Give a time at most a year away."))
        return at


def who_page(site: Any, request: HttpRequest) -> HttpResponse:
    """Say who would be called for a made-up alert at any time, were it never acknowledged."""
    if not can(request, "view_alerts"):
        raise PermissionDenied
    form = WhoForm(request.GET if "labels" in request.GET else None)
    steps, at = None, database_now()
    if form.is_bound and form.is_valid():
        at = form.cleaned_data["at"] or at
        steps = step_lines(would_be_called(form.cleaned_data["labels"], at))
    shown = {"form": form, "steps": steps, "at": at, "schedules": schedule_page.who_is_on_call(at)}
    context = {**site.each_context(request), "title": _("Who would be called"), **shown}
    request.current_app = site.name
    return TemplateResponse(request, "admin/alerting/who.html", context)


def step_lines(steps: Any) -> list[dict[str, Any]]:
    """Steps with their reasons in words, as a table shows them."""
    kinds = dict(registry.choices())
    return [
        {"step": step, "how": kinds.get(step.how, step.how), "why": why_title(step.nobody) if step.nobody else ""}
        for step in steps
    ]
