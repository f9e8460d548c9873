"""Samples set aside: what could not be taken in, why, and what is in it; sent in again or given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

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

from metrics import aside
from metrics.models import SamplesAside
from tenants.admin.actor import can, principal_of
from tenants.admin.base import ReadOnlyAdmin
from tenants.admin.display import chip, moment
from tenants.faults import InputRefused

State = SamplesAside.State
TONES: Final = {State.WAITING: "orange", State.REPLAYED: "green", State.DISCARDED: "grey"}
#: Of what cannot be read so many bytes are shown.
EXCERPT: Final = 400


class SamplesAsideAdmin(ReadOnlyAdmin):
    """Pushes that failed alone, latest first."""

    list_display = ("since", "state_shown", "samples", "error", "received")
    list_display_links = ("since",)
    list_filter = (("state", ChoicesCheckboxFilter), ("set_aside_at", RangeDateTimeFilter))
    list_filter_submit = True
    ordering = ("-set_aside_at", "-id")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("body")

    def get_urls(self) -> list[URLPattern]:
        replay, discard = (self.admin_site.admin_view(require_POST(view)) for view in (self.replay, self.discard))
        return [
            path("<uuid:item_id>/replay/", replay, name="metrics_samplesaside_replay"),
            path("<uuid:item_id>/discard/", discard, name="metrics_samplesaside_discard"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show what is in it and why it was not taken."""
        item: SamplesAside = self.get_object_or_404(request, object_id)
        self.check_look(request, item)
        parts = aside.contents(item)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Samples set aside"),
            "opts": self.opts,
            "item": item,
            "state": chip(State(item.state).label, TONES[State(item.state)]),
            "parts": parts,
            "raw": "" if parts is not None else bytes(item.body)[:EXCERPT].decode("utf-8", "backslashreplace"),
            "may_settle": item.state == State.WAITING and can(request, "replay_deliveries"),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/metrics/aside.html", context)

    def replay(self, request: HttpRequest, item_id: Any) -> HttpResponse:
        """Send it in again."""
        return self._settled(request, item_id, aside.replay, _("The samples wait to be taken in again."))

    def discard(self, request: HttpRequest, item_id: Any) -> HttpResponse:
        """Give it up."""
        done = _("The item is discarded; it stays readable for a while.")
        return self._settled(request, item_id, aside.discard, done)

    def _settled(self, request: HttpRequest, item_id: Any, deed: Callable[..., None], done: str) -> HttpResponse:
        item = self.get_object_or_404(request, str(item_id))
        if not can(request, "replay_deliveries"):
            raise PermissionDenied
        try:
            deed(principal_of(request), item.pk)
            messages.success(request, done)
        except InputRefused as refused:
            messages.error(request, refused.detail)
        return redirect(reverse(f"{self.admin_site.name}:metrics_samplesaside_changelist"))

    def since(self, item: SamplesAside) -> Any:
        return moment(item.set_aside_at)

    since.short_description = gettext_lazy("set aside")  # type: ignore[attr-defined]
    since.admin_order_field = "set_aside_at"  # type: ignore[attr-defined]

    def received(self, item: SamplesAside) -> Any:
        return moment(item.received_at)

    received.short_description = gettext_lazy("received")  # type: ignore[attr-defined]

    def state_shown(self, item: SamplesAside) -> Any:
        return chip(State(item.state).label, TONES[State(item.state)])

    state_shown.short_description = gettext_lazy("state")  # type: ignore[attr-defined]
