"""Channels: where people are told, how each is doing, and a button that tries it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from channels.admin.channel_form import ChannelForm
from channels.admin.slack_help import show_help
from channels.admin.struct_admin import StructAdmin
from channels.admin.testing import begin_test, show_test
from channels.models import Channel, DestinationHealth
from tenants.admin.actor import can, principal_of
from tenants.admin.display import chip, moment
from tenants.admin.grants import GrantedAdmin

Circuit = DestinationHealth.Circuit
TONES = {Circuit.CLOSED: "green", Circuit.HALF_OPEN: "orange", Circuit.OPEN: "red"}


class ChannelAdmin(GrantedAdmin, StructAdmin):
    """Configured destinations."""

    struct_form = ChannelForm
    grant = "change_channel"
    list_display = ("name", "kind_title", "state", "circuit", "send_resolved", "updated")
    list_filter = ("is_active", "semantics")
    search_fields = ("name",)
    readonly_fields = ("condition",)
    change_form_outer_before_template = "admin/channels/test_button.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("health")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        more = ("template", "locale", "time_zone", "send_resolved", "semantics", "rate_per_minute", "is_active")
        if self.is_only_shown(request, obj):
            return [(None, {"fields": ("condition", "name", "kind_title", "settings_text", *more)})]
        condition = [(None, {"fields": ("condition",)})] if obj is not None else []
        return [*condition, *self.sections(obj), (_("Sending"), {"fields": more})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.is_only_shown(request, obj):
            return ("condition", "kind_title", "settings_text")
        return ("condition",) if obj is not None else ()

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<uuid:channel_id>/test/", wrap(require_POST(self.test)), name="channels_channel_test"),
            path(
                "<uuid:channel_id>/test/<uuid:delivery_id>/",
                wrap(require_GET(self.test_answer)),
                name="channels_channel_test_answer",
            ),
            path("<uuid:channel_id>/slack/", wrap(require_GET(self.slack)), name="channels_channel_slack"),
        ]
        return [*own, *super().get_urls()]

    def test(self, request: HttpRequest, channel_id: Any) -> HttpResponse:
        """Send a test message."""
        channel = self.get_object_or_404(request, str(channel_id))
        if not can(request, self.write_permission):
            raise PermissionDenied
        return begin_test(request, principal_of(request), channel)

    def test_answer(self, request: HttpRequest, channel_id: Any, delivery_id: Any) -> HttpResponse:
        """Show what the provider said to a test."""
        channel = self.get_object_or_404(request, str(channel_id))
        if not can(request, self.write_permission):
            raise PermissionDenied
        return show_test(request, channel, delivery_id)

    def slack(self, request: HttpRequest, channel_id: Any) -> HttpResponse:
        """Say why a button in Slack does nothing."""
        channel = self.get_object_or_404(request, str(channel_id))
        if channel.kind != "slack":
            raise Http404
        if not can(request, self.write_permission):
            raise PermissionDenied
        return show_help(request, channel, self.admin_site.each_context(request))

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        channel = self.get_object_or_404(request, object_id) if object_id else None
        may_test = channel is not None and channel.is_active and can(request, self.write_permission)
        extra = {"channel": channel, "may_test": may_test, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, extra)

    def state(self, channel: Channel) -> Any:
        return chip(_("active"), "green") if channel.is_active else chip(_("off"), "grey")

    state.short_description = gettext_lazy("state")  # type: ignore[attr-defined]

    def circuit(self, channel: Channel) -> Any:
        health = next(iter(channel.health.all()), None)
        if health is None:
            return chip(_("not used yet"), "grey")
        return chip(Circuit(health.circuit).label, TONES[Circuit(health.circuit)])

    circuit.short_description = gettext_lazy("destination")  # type: ignore[attr-defined]

    def condition(self, channel: Channel) -> Any:
        health = next(iter(channel.health.all()), None)
        line = format_html("{} {}", self.state(channel), self.circuit(channel))
        if not channel.is_active and channel.disabled_reason:
            line = format_html("{} {}", line, channel.disabled_reason)
        if health is not None and health.consecutive_failures:
            failures = health.consecutive_failures
            count = ngettext("%(count)d failure in a row.", "%(count)d failures in a row.", failures)
            count %= {"count": failures}
            line = format_html("{} {} {}", line, count, health.blocked_reason)
        if health is not None and health.blocked_until is not None:
            line = format_html("{} {} {}", line, _("Paused until"), moment(health.blocked_until))
        return line

    condition.short_description = gettext_lazy("condition")  # type: ignore[attr-defined]

    def updated(self, channel: Channel) -> Any:
        return moment(channel.updated_at)

    updated.short_description = gettext_lazy("changed")  # type: ignore[attr-defined]
    updated.admin_order_field = "updated_at"  # type: ignore[attr-defined]
