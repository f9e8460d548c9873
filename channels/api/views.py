"""REST doors of channels and message templates."""

from typing import Any

import msgspec
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels import registry, validation
from channels.api import serializers as bodies
from channels.api.credentials import take_credentials
from channels.message import Message
from channels.models import Channel, MessageTemplate
from channels.selectors import has_open_deliveries, list_channels
from channels.templating import preview
from channels.trial import send_test
from tenants.api.inputs import NoInput
from tenants.api.problems import Problem
from tenants.api.views import ConfigurationViewSet


class ChannelViewSet(ConfigurationViewSet):
    """Channels: the destinations people are told at."""

    model = Channel
    noun = "channel"
    input_serializer = bodies.ChannelInput
    output_serializer = bodies.ChannelOutput
    # Everybody who sees channels gets as far as the row, where a grant of their own may let them in.
    object_permission = "change_channel"
    action_permissions = {"partial_update": "view_configuration", "test": "view_configuration"}

    def rows(self) -> QuerySet[Channel]:
        return list_channels()

    def store(self, instance: Any, values: dict[str, Any]) -> None:
        take_credentials(registry.ADAPTERS, instance, values)
        if values.get("is_active"):
            values["disabled_reason"] = ""
        super().store(instance, values)

    def check(self, instance: Any) -> None:
        faults = validation.channel_faults(
            instance.kind, instance.settings, validation.credentials_of(instance)
        ) | validation.template_mismatch(instance.kind, instance.template)
        if faults:
            raise serializers.ValidationError(faults)

    def remove(self, instance: Any) -> None:
        if has_open_deliveries(instance):
            raise Problem("conflict", _("Messages still wait to be told here; switch it off and wait for them to end."))
        super().remove(instance)

    @extend_schema(summary="Send a test message", request=NoInput, responses={202: bodies.TestedOutput})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, id: str) -> Response:
        """Goes the way of every message: queue, template, adapter. Follow it at /deliveries/{id}."""
        channel = self.changeable()
        self.accept(NoInput)
        if not channel.is_active:
            raise Problem("conflict", _("This channel is switched off; switch it on first."))
        made = send_test(self.principal, channel)
        return Response({"deliveries": [str(one) for one in made]}, status.HTTP_202_ACCEPTED)


class TemplateViewSet(ConfigurationViewSet):
    """Message templates: a tenant's own words for a kind of channel."""

    model = MessageTemplate
    noun = "message template"
    input_serializer = bodies.TemplateInput
    output_serializer = bodies.TemplateOutput
    object_permission = "change_messagetemplate"
    action_permissions = {"preview": "view_configuration", "partial_update": "view_configuration"}

    def check(self, instance: Any) -> None:
        if faults := validation.template_faults(instance.kind, instance.parts):
            raise serializers.ValidationError(faults)
        if Channel._default_manager.filter(template=instance).exclude(kind=instance.kind).exists():
            raise serializers.ValidationError({"kind": [_("Channels of another kind use this template.")]})

    @extend_schema(
        summary="See what a template makes of a message",
        request=bodies.TemplatePreviewInput,
        responses={200: bodies.TemplatePreviewOutput},
    )
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Renders in a process of its own, which is ended when it takes too long or too much."""
        wanted = self.accept(bodies.TemplatePreviewInput)
        if wanted["kind"] not in registry.kinds():
            raise serializers.ValidationError({"kind": [validation.unknown_kind()]})
        if faults := validation.size_faults(wanted["parts"]):
            raise serializers.ValidationError(faults)
        delivery = wanted.get("delivery")
        if delivery is not None:
            self.principal.require("view_alerts")
        message = None if delivery is None else Message.from_json(bytes(delivery.message))
        found = preview(wanted["kind"], wanted["parts"], message)
        return Response(msgspec.to_builtins(found))
