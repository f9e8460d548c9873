"""On-call in the admin: schedules with their calendar, overrides, members' contacts and rules."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextInputWidget

from alerting.admin import schedule_page
from alerting.admin.forms import ConfigurationAdmin, JudgedForm
from alerting.admin.layer_editor import LayersField, people_of_tenant
from alerting.escalation.checking import policies_with
from alerting.models import ContactMethod, NotificationRule, OnCallSchedule, ScheduleOverride
from alerting.oncall import feeds
from alerting.oncall.contacts import TooSoon, send_code, verify
from alerting.oncall.reading import read_schedules
from alerting.oncall.schedule import on_call
from alerting.oncall.writing import to_text
from channels.selectors import database_now
from tenants.admin.actor import can, principal_of
from tenants.admin.display import chip, duration_text
from tenants.models import Membership, User

PEOPLE = frozenset({"person", "replaces"})


class PeopleAdmin(ConfigurationAdmin):
    """A page whose rows name people: only members can be chosen."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name in PEOPLE:
            members = Membership._default_manager.values("user_id")
            options["queryset"] = User.objects.filter(pk__in=members).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **options)


class ScheduleForm(JudgedForm):
    """A schedule and its layers."""

    layers = LayersField(
        label=gettext_lazy("layers"),
        required=False,
        help_text=gettext_lazy("A later layer covers those before it. Times are of the schedule's wall clock."),
    )

    import_url = forms.CharField(
        label=gettext_lazy("overrides from a calendar"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(attrs={"spellcheck": "false"}),
        help_text=gettext_lazy("The address of an .ics file; its events become overrides."),
    )

    class Meta:
        model = OnCallSchedule
        fields = ("name", "time_zone", "layers", "notifies_hand_over", "import_url")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "layers" in self.fields:
            saved = None if self.instance._state.adding else self.instance.pk
            self.fields["layers"].know(people_of_tenant(), saved)  # type: ignore[attr-defined]


class OnCallScheduleAdmin(ConfigurationAdmin):
    """Who is on call when."""

    form = ScheduleForm
    list_display = ("name", "now", "time_zone")
    search_fields = ("name",)
    change_form_outer_before_template = "admin/alerting/schedule_head.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        may_write = self.has_change_permission(request, obj)
        return ("name", "time_zone", "layers" if may_write else "lines", "notifies_hand_over", "import_url")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("lines",)

    def get_urls(self) -> list[URLPattern]:
        def guarded(view: Any) -> Any:
            return self.admin_site.admin_view(require_POST(view))

        return [
            path("preview/", guarded(self.preview), name="alerting_oncallschedule_preview"),
            path("<path:object_id>/renew-feed/", guarded(self.renew_feed), name="alerting_oncallschedule_renew_feed"),
            *super().get_urls(),
        ]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        schedule = self.get_object(request, unquote(object_id)) if object_id else None
        calendar = schedule_page.head(schedule, database_now()) if schedule is not None else {}
        return super().changeform_view(request, object_id, form_url, {**calendar, **(extra_context or {})})

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Draw the layers as they stand in the form, with the overrides of the saved schedule."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        chosen = request.GET.get("schedule", "")
        saved = self.get_object_or_404(request, chosen) if chosen else None
        context = schedule_page.preview(saved, request.POST, database_now())
        return render(request, "admin/alerting/parts/layers_preview.html", context)

    def renew_feed(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the calendar another address."""
        schedule = self.get_object_or_404(request, object_id)
        if not self.has_change_permission(request, schedule):
            raise PermissionDenied
        feeds.renew(principal_of(request), schedule)
        messages.success(request, _("The calendar has a new address; the old one no longer works."))
        return redirect("admin:alerting_oncallschedule_change", schedule.pk)

    def now(self, schedule: OnCallSchedule) -> SafeString | str:
        at = database_now()
        shift = on_call(read_schedules([schedule.pk], at)[schedule.pk], at)
        if shift is None:
            return chip(_("nobody"), "red")
        return str(User.objects.filter(pk=shift.person).first() or shift.person)

    now.short_description = gettext_lazy("on call now")  # type: ignore[attr-defined]

    def lines(self, schedule: OnCallSchedule) -> SafeString | str:
        return format_html('<pre class="al-pre">{}</pre>', to_text(schedule.layers, people_of_tenant()) or "–")

    lines.short_description = gettext_lazy("layers")  # type: ignore[attr-defined]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A schedule that policies name is protected."""
        deleted, counts, permissions, protected = super().get_deleted_objects(objs, request)
        protected = [*protected, *(name for one in objs for name in policies_with(one.pk))]
        return deleted, counts, permissions, protected


class ScheduleOverrideAdmin(PeopleAdmin):
    """Exceptions to a schedule."""

    view_permission = "view_alerts"
    write_permission = "act_on_alerts"
    list_display = ("person", "schedule", "starts_at", "ends_at", "replaces", "comment")
    list_select_related = ("person", "replaces", "schedule")
    fields = ("schedule", "person", "replaces", "starts_at", "ends_at", "comment")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"starts_at": database_now(), **super().get_changeform_initial_data(request)}


class OwnRowsAdmin(PeopleAdmin):
    """Rows of people: one's own need the right to act, anybody else's the right to configure."""

    view_permission = "view_alerts"
    write_permission = "act_on_alerts"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or _may_change(request, obj.person_id))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or _may_change(request, obj.person_id))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **options)
        if db_field.name == "person" and field is not None and not can(request, "change_configuration"):
            field.queryset = field.queryset.filter(pk=request.user.pk)
        return field

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"person": request.user.pk, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not _may_change(request, obj.person_id):
            raise PermissionDenied
        super().save_model(request, obj, form, change)


def _may_change(request: HttpRequest, person_id: Any) -> bool:
    return can(request, "change_configuration") or request.user.pk == person_id


class ContactForm(JudgedForm):
    """A contact, and the code that proves it."""

    code = forms.CharField(
        label=gettext_lazy("code"),
        required=False,
        max_length=12,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        help_text=gettext_lazy("Sent to the address when it is saved; write it here to verify the address."),
    )

    class Meta:
        model = ContactMethod
        fields = ("address",)


class ContactMethodAdmin(OwnRowsAdmin):
    """How members are reached; only verified contacts are used. Saving an address sends a code to it."""

    form = ContactForm
    list_display = ("person", "channel", "address", "state")
    list_select_related = ("person", "channel")
    fields = ("person", "channel", "address", "state", "code")
    readonly_fields = ("state",)

    def state(self, contact: ContactMethod) -> SafeString:
        if contact.verified_at is not None:
            return chip(_("verified"), "green")
        return chip(_("not verified"), "orange")

    state.short_description = gettext_lazy("state")  # type: ignore[attr-defined]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        moved = bool({"person", "channel", "address"} & set(form.changed_data))
        if change and moved:
            # Another address, or another way there, is not proven.
            obj.verified_at = obj.code_digest = obj.code_until = None
        super().save_model(request, obj, form, change)
        self._prove(request, obj, form.cleaned_data.get("code", ""), is_new=moved or not change)

    def _prove(self, request: HttpRequest, contact: ContactMethod, code: str, *, is_new: bool) -> None:
        principal = principal_of(request)
        if code and not is_new:
            refused = verify(principal, contact, code)
            if refused:
                messages.error(request, refused)
            else:
                messages.success(request, _("The address is verified."))
        elif contact.verified_at is None:
            try:
                send_code(principal, contact)
            except TooSoon as error:
                messages.warning(request, str(error))
            else:
                messages.info(request, _("A code is on its way to %(address)s.") % {"address": contact.address})


class NotificationRuleAdmin(OwnRowsAdmin):
    """In which order members are told."""

    list_display = ("person", "importance", "after", "contact")
    list_select_related = ("person", "contact__channel")
    fields = ("person", "importance", "wait", "contact")

    def after(self, rule: NotificationRule) -> str:
        return duration_text(rule.wait)

    after.short_description = gettext_lazy("after")  # type: ignore[attr-defined]
    after.admin_order_field = "wait"  # type: ignore[attr-defined]


PAGES: dict[Any, Any] = {
    OnCallSchedule: OnCallScheduleAdmin,
    ScheduleOverride: ScheduleOverrideAdmin,
    ContactMethod: ContactMethodAdmin,
    NotificationRule: NotificationRuleAdmin,
}
