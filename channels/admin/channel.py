"""Channels: where people are told, how each is doing, and a button that tries it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from channels import registry
from channels.admin.channel_form import form_for, names_of
from channels.admin.slack_help import show_help
from channels.admin.testing import begin_test, show_test
from channels.errors import UnknownKind
from channels.models import Channel, DestinationHealth
from tenants.admin.actor import can, principal_of
from tenants.admin.base import TenantModelAdmin
from tenants.admin.display import chip, moment

Circuit = DestinationHealth.Circuit
TONES = {Circuit.CLOSED: "green", Circuit.HALF_OPEN: "orange", Circuit.OPEN: "red"}


class ChannelAdmin(TenantModelAdmin):
    """Configured destinations."""

    grant = "change_channel"
    list_display = ("name", "kind_title", "state", "circuit", "send_resolved", "updated")
    list_filter = ("is_active", "semantics")
    search_fields = ("name",)
    readonly_fields = ("condition",)
    change_form_outer_before_template = "admin/channels/test_button.html"

    @property
    def conditional_fields(self) -> dict[str, str]:
        """Show the fields of a kind only while that kind is chosen."""
        return {
            name: f"kind == '{kind}'"
            for kind in registry.kinds()
            for part in ("settings", "credentials")
            for name in names_of(kind, part)
        }

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("health")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        options["form"] = form_for(self._kinds(obj), is_new=obj is None)
        return super().get_form(request, obj, change=change, **options)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        kinds = self._kinds(obj)
        settings = [name for kind in kinds for name in names_of(kind, "settings")]
        credentials = [name for kind in kinds for name in names_of(kind, "credentials")]
        if obj is not None:
            credentials.append("forget_credentials")
        head = ("name", "kind", *settings)
        secret = {"fields": credentials, "description": _("Kept encrypted and never shown again.")}
        more = ("template", "locale", "time_zone", "send_resolved", "semantics", "rate_per_minute", "is_active")
        sections: list[Any] = [(None, {"fields": head}), (_("Credentials"), secret), (_("Sending"), {"fields": more})]
        if obj is not None:
            sections.insert(0, (None, {"fields": ("condition",)}))
        if obj is not None and not self.has_change_permission(request, obj):
            # Whoever only looks sees the settings as they are stored; credentials are not among them.
            return [(None, {"fields": ("condition", "name", "kind_title", "settings_text", *more)})]
        return sections

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
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

    def _kinds(self, obj: Any) -> list[str]:
        if obj is None:
            return registry.kinds()
        return [obj.kind] if obj.kind in registry.kinds() else []

    def kind_title(self, channel: Channel) -> str:
        try:
            return str(registry.adapter(channel.kind).label)
        except UnknownKind:
            return channel.kind

    kind_title.short_description = gettext_lazy("kind")  # type: ignore[attr-defined]
    kind_title.admin_order_field = "kind"  # type: ignore[attr-defined]

    def settings_text(self, channel: Channel) -> str:
        pairs = channel.settings.items()
        return " · ".join(f"{key}: {', '.join(value) if isinstance(value, list) else value}" for key, value in pairs)

    settings_text.short_description = gettext_lazy("settings")  # type: ignore[attr-defined]

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
