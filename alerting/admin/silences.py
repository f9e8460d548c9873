"""Silences: made with a preview of what they mute, ended early, never deleted."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import RadioFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from alerting.admin.fields import MatchersField
from alerting.admin.forms import ConfigurationAdmin, JudgedForm
from alerting.admin.matching import label_chips, matcher_chips
from alerting.matchers import MatcherError, format_matchers, from_json, matches_everything, parse, to_json
from alerting.models import Silence
from alerting.muting import SilenceState, state_of
from alerting.selectors import preview_silence
from alerting.silencing import create_silence, expire_silence
from alerting.validation import needs_confirmation
from tenants import audit
from tenants.admin.actor import can, principal_of
from tenants.admin.display import chip, moment
from tenants.models import Tenant

FIRST_LENGTH = timedelta(hours=2)
TONES = {SilenceState.ACTIVE: "orange", SilenceState.PENDING: "blue", SilenceState.EXPIRED: "grey"}


def state_title(state: SilenceState) -> str:
    """Return the state of a silence as people read it."""
    titles = {SilenceState.ACTIVE: _("active"), SilenceState.PENDING: _("to come"), SilenceState.EXPIRED: _("over")}
    return titles[state]


class SilenceForm(JudgedForm):
    """A silence; one that mutes everything needs the tenant's slug typed."""

    confirmation = forms.CharField(
        label=gettext_lazy("confirmation"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Only for a silence that mutes everything: type the slug of the tenant."),
    )

    class Meta:
        model = Silence
        fields = ("matchers", "starts_at", "ends_at", "comment")

    def judge(self) -> None:
        """Ask for the slug on top of what silences are judged by."""
        super().judge()
        if self.errors or not needs_confirmation(self.instance):
            return
        slug = Tenant.objects.values_list("slug", flat=True).get(pk=self.instance.tenant_id)
        if self.cleaned_data.get("confirmation", "").strip() != slug:
            message = _("These matchers can mute every alert. To do that, type the tenant's slug here: %(slug)s")
            self.add_error("confirmation", ValidationError(message % {"slug": slug}))


class StateFilter(RadioFilter):
    """Active, to come, over: from the times, since the state is not stored."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, state_title(state)) for state in SilenceState]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        now = timezone.now()
        if self.value() == SilenceState.ACTIVE:
            return queryset.filter(starts_at__lte=now, ends_at__gt=now)
        if self.value() == SilenceState.PENDING:
            return queryset.filter(starts_at__gt=now)
        if self.value() == SilenceState.EXPIRED:
            return queryset.filter(ends_at__lte=now)
        return queryset


class SilenceAdmin(ConfigurationAdmin):
    """What people muted, until when and why."""

    view_permission = "view_alerts"
    write_permission = "act_on_alerts"
    form = SilenceForm
    list_display = ("comment", "state", "which", "author", "begins", "ends")
    list_filter = (StateFilter,)
    list_filter_submit = True
    search_fields = ("comment", "author")
    fields = ("matchers", "starts_at", "ends_at", "comment", "confirmation")
    actions = None
    change_form_after_template = "admin/alerting/silence_preview.html"
    change_form_outer_before_template = "admin/alerting/silence_head.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("preview/", wrap(require_POST(self.preview)), name="alerting_silence_preview"),
            path("<uuid:silence_id>/end/", wrap(require_POST(self.end)), name="alerting_silence_end"),
        ]
        return [*own, *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the next two hours; `?text={team="a"}` fills in the matchers."""
        now = timezone.now().replace(second=0, microsecond=0)
        initial: dict[str, Any] = {"starts_at": now, "ends_at": now + FIRST_LENGTH}
        try:
            initial["matchers"] = to_json(parse(request.GET.get("text", "")))
        except MatcherError:
            initial["matchers"] = []
        return initial

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask those who may only look for no confirmation."""
        fields = super().get_fields(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fields
        return [name for name in fields if name != "confirmation"]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        silence = self.get_object_or_404(request, object_id) if object_id else None
        state = state_of(silence.starts_at, silence.ends_at, timezone.now()) if silence else None
        may_end = state is not None and state != SilenceState.EXPIRED and can(request, self.write_permission)
        extra = {
            "silence": silence,
            "silence_state": state and chip(state_title(state), TONES[state]),
            "may_end": may_end,
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, extra)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            audit.save_audited(principal_of(request), obj)
        else:
            create_silence(principal_of(request), obj)

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Show what the matchers of the unsaved form mute now and would have muted in the last week."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context: dict[str, Any] = {}
        try:
            matchers = from_json(MatchersField(required=True).clean(request.POST.get("matchers", "")))
            found = preview_silence(matchers)
            context = {
                "found": found,
                "text": format_matchers(matchers),
                "everything": matches_everything(matchers),
                "examples": [(alert, label_chips(alert.labels)) for alert in found.now.alerts],
                "week_examples": [(alert, label_chips(alert.labels)) for alert in found.last_week.alerts],
            }
        except ValidationError as error:
            context = {"faults": error.messages}
        return render(request, "admin/alerting/parts/silence_preview.html", context)

    def end(self, request: HttpRequest, silence_id: Any) -> HttpResponse:
        """End a silence now."""
        silence = self.get_object_or_404(request, str(silence_id))
        if not self.has_change_permission(request, silence):
            raise PermissionDenied
        expire_silence(principal_of(request), silence)
        messages.success(request, _("The silence is over; alerts it muted are told again from now on."))
        return redirect(reverse(f"{self.admin_site.name}:alerting_silence_changelist"))

    def state(self, silence: Silence) -> Any:
        state = state_of(silence.starts_at, silence.ends_at, timezone.now())
        return chip(state_title(state), TONES[state])

    state.short_description = gettext_lazy("state")  # type: ignore[attr-defined]

    def which(self, silence: Silence) -> Any:
        return matcher_chips(silence.matchers)

    which.short_description = gettext_lazy("mutes")  # type: ignore[attr-defined]

    def begins(self, silence: Silence) -> Any:
        return moment(silence.starts_at)

    begins.short_description = gettext_lazy("from")  # type: ignore[attr-defined]

    def ends(self, silence: Silence) -> Any:
        return moment(silence.ends_at)

    ends.short_description = gettext_lazy("until")  # type: ignore[attr-defined]
    ends.admin_order_field = "ends_at"  # type: ignore[attr-defined]
