"""Deliveries: what went out, what did not and why, with every attempt; dead letters are replayed here."""

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter

from channels.admin.describing import attempt_lines, read_message, reason_title, state_chip
from channels.delivery.deadletters import dismiss, replay
from channels.delivery.states import IllegalStep
from channels.models import Delivery, DeliveryState
from tenants.admin.actor import can, principal_of
from tenants.admin.base import ReadOnlyAdmin
from tenants.admin.display import moment


class DeliveryAdmin(ReadOnlyAdmin):
    """One message to one recipient."""

    list_display = ("what", "recipient_short", "channel", "state_shown", "why", "attempts", "created")
    list_display_links = ("what",)
    list_select_related = ("channel",)
    list_filter = (("state", ChoicesCheckboxFilter), "channel", ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("recipient", "provider_id", "state_reason")
    ordering = ("-created_at", "-id")
    actions = ("replay_selected", "dismiss_selected")
    list_before_template = "admin/channels/delivery_tabs.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        # The snapshot of what was said is only read on the page of one delivery.
        return super().get_queryset(request).defer("message")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return can(request, "replay_deliveries")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.replay_one))
        return [path("<uuid:delivery_id>/replay/", view, name="channels_delivery_replay"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a delivery with what was said and every attempt to say it."""
        delivery = self.get_object_or_404(request, object_id)
        self.check_look(request, delivery)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Delivery"),
            "opts": self.opts,
            "delivery": delivery,
            "state": state_chip(delivery),
            "reason": reason_title(delivery.reason),
            "message": read_message(delivery),
            "opening": delivery.openings.first(),
            "attempts": attempt_lines([delivery]).get(delivery.pk, []),
            "may_replay": delivery.state == DeliveryState.DEAD and self.has_replay_permission(request),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/channels/delivery.html", context)

    def replay_one(self, request: HttpRequest, delivery_id: Any) -> HttpResponse:
        """Send a dead letter again."""
        delivery = self.get_object_or_404(request, str(delivery_id))
        if not self.has_replay_permission(request):
            raise PermissionDenied
        self._replay(request, [delivery] if delivery.state == DeliveryState.DEAD else [])
        return redirect(reverse(f"{self.admin_site.name}:channels_delivery_change", args=[delivery.pk]))

    def replay_selected(self, request: HttpRequest, queryset: Any) -> None:
        self._replay(request, list(queryset.filter(state=DeliveryState.DEAD)))

    replay_selected.short_description = gettext_lazy("Replay dead letters")  # type: ignore[attr-defined]
    replay_selected.allowed_permissions = ("replay",)  # type: ignore[attr-defined]

    def dismiss_selected(self, request: HttpRequest, queryset: Any) -> None:
        count = 0
        for delivery in queryset.filter(state=DeliveryState.DEAD):
            # Somebody else may have replayed it since the page was read.
            with suppress(IllegalStep):
                dismiss(principal_of(request), delivery.pk)
                count += 1
        text = ngettext("%(count)d dead letter is laid aside.", "%(count)d dead letters are laid aside.", count)
        messages.add_message(request, messages.SUCCESS if count else messages.WARNING, text % {"count": count})

    dismiss_selected.short_description = gettext_lazy("Lay dead letters aside")  # type: ignore[attr-defined]
    dismiss_selected.allowed_permissions = ("replay",)  # type: ignore[attr-defined]

    def _replay(self, request: HttpRequest, deliveries: list[Delivery]) -> None:
        count = 0
        for delivery in deliveries:
            # Somebody else may have replayed it since the page was read.
            with suppress(IllegalStep):
                replay(principal_of(request), delivery.pk)
                count += 1
        if count:
            text = ngettext("%(count)d dead letter goes out again.", "%(count)d dead letters go out again.", count)
            messages.success(request, text % {"count": count})
        else:
            messages.warning(request, _("Only dead letters can be replayed; none was among them."))

    def what(self, delivery: Delivery) -> str:
        return reason_title(delivery.reason)

    what.short_description = gettext_lazy("what")  # type: ignore[attr-defined]

    def recipient_short(self, delivery: Delivery) -> str:
        return delivery.recipient if len(delivery.recipient) <= 48 else delivery.recipient[:47] + "…"

    recipient_short.short_description = gettext_lazy("recipient")  # type: ignore[attr-defined]

    def state_shown(self, delivery: Delivery) -> Any:
        return state_chip(delivery)

    state_shown.short_description = gettext_lazy("state")  # type: ignore[attr-defined]
    state_shown.admin_order_field = "state"  # type: ignore[attr-defined]

    def why(self, delivery: Delivery) -> str:
        return delivery.state_reason[:80]

    why.short_description = gettext_lazy("why")  # type: ignore[attr-defined]

    def created(self, delivery: Delivery) -> Any:
        return moment(delivery.created_at)

    created.short_description = gettext_lazy("created")  # type: ignore[attr-defined]
    created.admin_order_field = "created_at"  # type: ignore[attr-defined]
