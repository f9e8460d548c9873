"""Escalation policies: rows for their levels, and a page that says who would be called for any alert."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from alerting.admin import schedule_page
from alerting.admin.forms import ConfigurationAdmin, JudgedForm
from alerting.admin.level_editor import LevelsField, rows_of
from alerting.escalation import would_be_called
from alerting.escalation.foretelling import HORIZON
from alerting.escalation.plan import PlanError, read_levels
from alerting.escalation.writing import in_words, known_names
from alerting.matchers import MatcherError, parse
from alerting.models import EscalationPolicy
from alerting.oncall.checking import PERSONAL_KINDS
from alerting.timeline import why_title
from channels import registry
from channels.selectors import database_now
from tenants.admin.actor import can

CODE = {"class": "al-code", "spellcheck": "false"}


class PolicyForm(JudgedForm):
    """A policy and its levels."""

    #: Whether the one who fills it in sees schedules, members and channels; said by the page.
    sees_targets = True

    levels = LevelsField(
        label=gettext_lazy("levels"),
        help_text=gettext_lazy(
            "Each waits after the one before it, then tells. Write a wait such as 0s, 5m or 1h 30m. “As they wish”:"
            " by people's own notification rules."
        ),
    )

    class Meta:
        model = EscalationPolicy
        fields = ("name", "levels", "repeat_count", "repeat_wait", "acknowledge_timeout")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "levels" in self.fields:
            kept = [one.target for row in rows_of(self.instance.levels) for one in row.targets]
            field: Any = self.fields["levels"]
            if self.sees_targets:
                field.know(known_names(), personal_ways())
            else:
                field.know({}, personal_ways(), kept)


def personal_ways() -> dict[str, Any]:
    """The kinds of channel that reach a person at an address of their own, with their labels."""
    return {kind: label for kind, label in registry.choices() if kind in PERSONAL_KINDS}


class EscalationPolicyAdmin(ConfigurationAdmin):
    """Whom to call while nobody acknowledges."""

    form = PolicyForm
    list_display = ("name", "level_count", "repeat_count", "routes_using")
    search_fields = ("name",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        may_write = self.has_change_permission(request, obj)
        return ("name", "levels" if may_write else "steps", "repeat_count", "repeat_wait", "acknowledge_timeout")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("steps",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form = super().get_form(request, obj, change, **options)
        form.sees_targets = can(request, self.view_permission)
        return form

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("routes")

    def steps(self, policy: EscalationPolicy) -> SafeString | str:
        """Say the levels to those who only look."""
        said = in_words(policy.levels, known_names(), personal_ways())
        items = format_html_join("", "<li>{}</li>", ((one,) for one in said))
        return format_html('<ol class="al-steps">{}</ol>', items) if said else "–"

    steps.short_description = gettext_lazy("levels")  # type: ignore[attr-defined]

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
