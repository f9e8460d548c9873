"""On-call in the admin: schedules with their calendar, overrides, members' contacts and rules."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from alerting.admin import schedule_drawing
from alerting.admin.escalation import LinesField
from alerting.admin.forms import ConfigurationAdmin, JudgedForm
from alerting.escalation.checking import policies_with
from alerting.escalation.writing import known_names
from alerting.models import ContactMethod, NotificationRule, OnCallSchedule, ScheduleOverride, ScheduleState
from alerting.oncall import feeds
from alerting.oncall.contacts import TooSoon, send_code, verify
from alerting.oncall.findings import findings
from alerting.oncall.layers import LayerError
from alerting.oncall.reading import read_schedules
from alerting.oncall.schedule import on_call
from alerting.oncall.writing import from_text, to_text
from channels.selectors import database_now
from tenants.admin.actor import can, principal_of
from tenants.admin.display import chip
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
    """A schedule; each line is a layer, and a later one covers those before it."""

    lines = LinesField(
        label=gettext_lazy("layers"),
        required=False,
        help_text=gettext_lazy(
            "One layer a line, a later one covers those before it. Such as: Day; weekly from 2026-06-01 09:00; ann,"
            " bob; only mon-fri 09:00-17:00; until 2026-12-31 09:00. Turns: hourly, daily, weekly, every 2 days,"
            " every 12 hours. People are named by user name, times are of the schedule's wall clock."
        ),
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
        fields = ("name", "time_zone", "notifies_hand_over", "import_url")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "lines" in self.fields and not self.instance._state.adding:
            self.fields["lines"].initial = to_text(self.instance.layers, known_names()["member"])

    def clean_lines(self) -> str:
        """Read the lines; what is wrong is said with the number of its line."""
        text: str = self.cleaned_data["lines"]
        try:
            self.instance.layers = from_text(text, known_names()["member"])
        except LayerError as error:
            raise forms.ValidationError(str(error)) from error
        return text

    def add_errors(self, error: forms.ValidationError) -> None:
        """What is wrong with the layers is told at their lines."""
        faults = dict(getattr(error, "error_dict", {}))
        for one in faults.pop("layers", []):
            self.add_error("lines", one)
        if faults or not hasattr(error, "error_dict"):
            super().add_errors(forms.ValidationError(faults) if faults else error)


class OnCallScheduleAdmin(ConfigurationAdmin):
    """Who is on call when."""

    form = ScheduleForm
    list_display = ("name", "now", "time_zone")
    search_fields = ("name",)
    fields = ("name", "time_zone", "lines", "notifies_hand_over", "import_url", "calendar", "feed")
    readonly_fields = ("calendar", "feed")

    def now(self, schedule: OnCallSchedule) -> SafeString | str:
        at = database_now()
        shift = on_call(read_schedules([schedule.pk], at)[schedule.pk], at)
        if shift is None:
            return chip(_("nobody"), "red")
        return str(User.objects.filter(pk=shift.person).first() or shift.person)

    now.short_description = gettext_lazy("on call now")  # type: ignore[attr-defined]

    def calendar(self, schedule: OnCallSchedule) -> SafeString | str:
        if schedule._state.adding:
            return _("Shown once it is saved.")
        now = database_now()
        context = schedule_drawing.context(read_schedules([schedule.pk], now)[schedule.pk], now)
        state = ScheduleState._default_manager.filter(schedule=schedule).first()
        context |= {"findings": findings(now, schedule.pk), "schedule": schedule, "state": state}
        return SafeString(render_to_string("admin/alerting/parts/schedule.html", context))

    calendar.short_description = gettext_lazy("the next two weeks")  # type: ignore[attr-defined]

    def feed(self, schedule: OnCallSchedule) -> SafeString | str:
        if schedule._state.adding:
            return "–"
        address = feeds.address(schedule)
        return format_html('<a href="{}">{}</a>', address, _("calendar file for other programs (.ics)"))

    feed.short_description = gettext_lazy("calendar feed")  # type: ignore[attr-defined]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields

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

    list_display = ("person", "importance", "wait", "contact")
    list_select_related = ("person", "contact__channel")
    fields = ("person", "importance", "wait", "contact")


PAGES: dict[Any, Any] = {
    OnCallSchedule: OnCallScheduleAdmin,
    ScheduleOverride: ScheduleOverrideAdmin,
    ContactMethod: ContactMethodAdmin,
    NotificationRule: NotificationRuleAdmin,
}
