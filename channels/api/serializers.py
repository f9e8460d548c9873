"""What goes in and out for channels, templates and deliveries."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from channels import registry
from channels.message import Message
from channels.models import Channel, Delivery, DeliveryAttempt, DestinationHealth, MessageTemplate
from channels.templating import hints_of
from tenants.api.inputs import RowField, StrictModelSerializer, StrictSerializer

MAX_RATE = 100_000


class ChannelInput(StrictModelSerializer):
    """A channel. `settings` and `credentials` are those of its kind; credentials are never shown again."""

    settings = serializers.DictField(required=False)
    credentials = serializers.DictField(required=False, write_only=True)
    template = RowField(MessageTemplate, required=False, allow_null=True)
    rate_per_minute = serializers.IntegerField(min_value=1, max_value=MAX_RATE, required=False, allow_null=True)

    class Meta:
        model = Channel
        fields = (
            "name",
            "kind",
            "settings",
            "credentials",
            "template",
            "locale",
            "time_zone",
            "semantics",
            "rate_per_minute",
            "send_resolved",
            "is_active",
        )


class HealthOutput(serializers.ModelSerializer[DestinationHealth]):
    """How a destination is doing."""

    class Meta:
        model = DestinationHealth
        fields = ("circuit", "consecutive_failures", "blocked_until", "blocked_reason")


class ChannelOutput(serializers.ModelSerializer[Channel]):
    """A channel, without its secrets."""

    settings = serializers.DictField()
    has_credentials = serializers.SerializerMethodField()
    template = serializers.UUIDField(source="template_id", allow_null=True)
    health = serializers.SerializerMethodField()

    class Meta:
        model = Channel
        fields = (
            "id",
            "name",
            "kind",
            "settings",
            "has_credentials",
            "template",
            "locale",
            "time_zone",
            "semantics",
            "rate_per_minute",
            "send_resolved",
            "is_active",
            "disabled_reason",
            "created_at",
            "updated_at",
            "health",
        )

    def get_has_credentials(self, channel: Channel) -> bool:
        return bool(channel.credentials)

    @extend_schema_field(HealthOutput(allow_null=True))
    def get_health(self, channel: Channel) -> Any:
        """Null until something was sent."""
        found = list(channel.health.all())
        return HealthOutput(found[0]).data if found else None


class TestedOutput(serializers.Serializer[Any]):
    """The deliveries of a test message, to be followed at /deliveries/{id}."""

    deliveries = serializers.ListField(child=serializers.UUIDField())


class TemplateInput(StrictModelSerializer):
    """A message template; `parts` holds Jinja2 source by part."""

    parts = serializers.DictField(child=serializers.CharField(allow_blank=True, trim_whitespace=False))

    class Meta:
        model = MessageTemplate
        fields = ("name", "kind", "parts")


class TemplateProblemOutput(serializers.Serializer[Any]):
    """What is wrong in a part."""

    line = serializers.IntegerField()
    text = serializers.CharField()


class TemplateOutput(serializers.ModelSerializer[MessageTemplate]):
    """A message template; parts left out are built in. `hints` name by part what renders empty: no message has it."""

    parts = serializers.DictField(child=serializers.CharField())
    hints = serializers.SerializerMethodField()

    class Meta:
        model = MessageTemplate
        fields = ("id", "name", "kind", "parts", "hints", "updated_at")

    @extend_schema_field(serializers.DictField(child=TemplateProblemOutput(many=True)))
    def get_hints(self, template: MessageTemplate) -> dict[str, Any]:
        found = hints_of(template.kind, template.parts) if template.kind in registry.kinds() else {}
        return {part: TemplateProblemOutput(hints, many=True).data for part, hints in found.items()}


class TemplatePreviewInput(StrictSerializer):
    """Parts to try, on a sample message or on that of a delivery."""

    kind = serializers.CharField(max_length=32)
    parts = serializers.DictField(child=serializers.CharField(allow_blank=True, trim_whitespace=False))
    delivery = RowField(Delivery, required=False, allow_null=True)


class TemplatePreviewOutput(serializers.Serializer[Any]):
    """What a reader would get; a part with problems shows the built-in text. `drawing` is a page of HTML."""

    parts = serializers.DictField(child=serializers.CharField())
    problems = serializers.DictField(child=TemplateProblemOutput(many=True))
    notes = serializers.DictField(child=serializers.CharField())
    drawing = serializers.CharField()
    hints = serializers.DictField(child=TemplateProblemOutput(many=True))


class DeliveryOutput(serializers.ModelSerializer[Delivery]):
    """One message to one recipient."""

    channel = serializers.UUIDField(source="channel_id")
    channel_name = serializers.CharField(source="channel.name")
    source = serializers.UUIDField(  # type: ignore[assignment]
        source="source_id", allow_null=True, help_text="The alert group it is about."
    )

    class Meta:
        model = Delivery
        fields = (
            "id",
            "channel",
            "channel_name",
            "recipient",
            "source",
            "kind",
            "reason",
            "state",
            "state_reason",
            "degraded",
            "provider_id",
            "attempts",
            "replay_no",
            "created_at",
            "expires_at",
            "finished_at",
        )


class AttemptOutput(serializers.ModelSerializer[DeliveryAttempt]):
    """One call to a provider."""

    class Meta:
        model = DeliveryAttempt
        fields = (
            "id",
            "started_at",
            "ended_at",
            "outcome",
            "http_status",
            "provider_id",
            "latency_ms",
            "error_class",
            "error_excerpt",
        )


class DeliveryDetailOutput(DeliveryOutput):
    """A delivery with its attempts and the message it carries."""

    attempt_log = AttemptOutput(many=True)
    opened_at = serializers.SerializerMethodField()
    message = serializers.SerializerMethodField()

    class Meta(DeliveryOutput.Meta):
        fields = (*DeliveryOutput.Meta.fields, "attempt_log", "opened_at", "message")  # type: ignore[assignment]

    def get_opened_at(self, delivery: Delivery) -> datetime | None:
        """When its reader opened the mail first; null where that is not known, as it is without their consent."""
        opening = next(iter(delivery.openings.all()), None)
        return opening.opened_at if opening else None

    @extend_schema_field({"type": "object"})
    def get_message(self, delivery: Delivery) -> dict[str, object]:
        """What is said, before a template makes text of it."""
        return Message.from_json(bytes(delivery.message)).to_dict()
