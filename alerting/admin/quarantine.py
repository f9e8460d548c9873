"""The quarantine: see an item as it came, mend it, send it in again, or give it up."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.widgets import UnfoldAdminTextareaWidget

from alerting import quarantine
from alerting.models import QuarantinedAlert
from tenants.admin.actor import can, principal_of
from tenants.admin.base import ReadOnlyAdmin
from tenants.admin.display import chip, moment
from tenants.faults import InputRefused

State = QuarantinedAlert.State
TONES = {State.WAITING: "orange", State.REPLAYED: "green", State.DISCARDED: "grey"}
MAX_FIXED = 65_536


class FixForm(forms.Form):
    """The item as text, to be mended."""

    fixed = forms.CharField(
        label=gettext_lazy("the item"),
        strip=False,
        max_length=MAX_FIXED,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 18, "class": "al-code", "spellcheck": "false"}),
    )


class QuarantinedAlertAdmin(ReadOnlyAdmin):
    """Items that could not be taken, with the reason."""

    list_display = ("received", "state_shown", "source", "reason", "excerpt")
    list_display_links = ("received",)
    list_filter = (("state", ChoicesCheckboxFilter), ("received_at", RangeDateTimeFilter))
    list_filter_submit = True
    ordering = ("-received_at", "-id")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return can(request, "replay_deliveries")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.discard))
        return [path("<uuid:item_id>/discard/", view, name="alerting_quarantinedalert_discard"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show an item; a POST sends it in as it was mended."""
        item = self.get_object_or_404(request, object_id)
        if not self.has_view_permission(request, item):
            raise PermissionDenied
        raw = bytes(item.raw).decode("utf-8", "replace")
        form = FixForm(request.POST if request.method == "POST" else None, initial={"fixed": raw})
        if request.method == "POST":
            if not self.has_replay_permission(request):
                raise PermissionDenied
            if form.is_valid() and self._replayed(request, item, form):
                return redirect(reverse(f"{self.admin_site.name}:alerting_quarantinedalert_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Quarantined item"),
            "opts": self.opts,
            "item": item,
            "state": chip(State(item.state).label, TONES[State(item.state)]),
            "raw": raw,
            "form": form,
            "may_settle": item.state == State.WAITING and self.has_replay_permission(request),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/alerting/quarantined.html", context)

    def _replayed(self, request: HttpRequest, item: QuarantinedAlert, form: FixForm) -> bool:
        fixed = form.cleaned_data["fixed"].encode("utf-8", "surrogatepass")
        try:
            quarantine.replay(principal_of(request), item.pk, fixed)
        except InputRefused as refused:
            for fault in refused.errors:
                form.add_error("fixed", f"{fault.pointer or '/'}: {fault.message}")
            if not refused.errors:
                form.add_error("fixed", refused.detail)
            return False
        messages.success(request, _("The alert is accepted and on its way."))
        return True

    def discard(self, request: HttpRequest, item_id: Any) -> HttpResponse:
        """Give an item up."""
        item = self.get_object_or_404(request, str(item_id))
        if not self.has_replay_permission(request):
            raise PermissionDenied
        try:
            quarantine.discard(principal_of(request), item.pk)
            messages.success(request, _("The item is discarded; it stays readable for a while."))
        except InputRefused as refused:
            messages.error(request, refused.detail)
        return redirect(reverse(f"{self.admin_site.name}:alerting_quarantinedalert_changelist"))

    def received(self, item: QuarantinedAlert) -> Any:
        return moment(item.received_at)

    received.short_description = gettext_lazy("received")  # type: ignore[attr-defined]
    received.admin_order_field = "received_at"  # type: ignore[attr-defined]

    def state_shown(self, item: QuarantinedAlert) -> Any:
        return chip(State(item.state).label, TONES[State(item.state)])

    state_shown.short_description = gettext_lazy("state")  # type: ignore[attr-defined]

    def reason(self, item: QuarantinedAlert) -> str:
        first = item.errors[0] if isinstance(item.errors, list) and item.errors else {}
        return f"{first.get('pointer', '')} {first.get('message', '')}".strip()[:160]

    reason.short_description = gettext_lazy("why")  # type: ignore[attr-defined]

    def excerpt(self, item: QuarantinedAlert) -> str:
        return bytes(item.raw[:120]).decode("utf-8", "replace")

    excerpt.short_description = gettext_lazy("item")  # type: ignore[attr-defined]
