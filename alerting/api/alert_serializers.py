"""What goes out about alerts, groups and their timelines."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerting.api.fields import SeverityField
from alerting.models import Alert, AlertGroup, TimelineEvent


@extend_schema_field({"type": "string", "pattern": "^[0-9a-f]*$"})
class HexField(serializers.Field[Any, Any, str, Any]):
    """Bytes as hexadecimal digits."""

    def to_representation(self, value: Any) -> str:
        return bytes(value).hex()


TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}


@extend_schema_field(TEXTS)
class TextsField(serializers.JSONField):
    """Names and texts."""


class MutedByOutput(serializers.Serializer[Any]):
    """What mutes an alert."""

    kind = serializers.ChoiceField(choices=["silence", "inhibition", "maintenance"])
    id = serializers.UUIDField()
    name = serializers.CharField()


class AlertOutput(serializers.ModelSerializer[Alert]):
    """The latest state of one alert."""

    fingerprint = HexField()
    severity = SeverityField()
    labels = TextsField()
    annotations = TextsField()
    flags = serializers.ListField(child=serializers.CharField())
    group = serializers.UUIDField(source="group_id", allow_null=True)
    muted_by = MutedByOutput(many=True, allow_null=True)

    class Meta:
        model = Alert
        fields = (
            "id",
            "fingerprint",
            "status",
            "severity",
            "labels",
            "annotations",
            "starts_at",
            "ends_at",
            "generator_url",
            "metric_name",
            "metric_value",
            "flags",
            "cycle",
            "repeat_count",
            "first_seen_at",
            "changed_at",
            "last_seen_at",
            "resolved_at",
            "group",
            "muted_by",
            "is_flapping",
        )


@extend_schema_field({"description": "Any JSON value."})
class AnyField(serializers.JSONField):
    """Details whose form depends on what happened."""


class AlertDetailOutput(AlertOutput):
    """An alert with what enrichment did to it and what scoring says of it."""

    enrichment = AnyField()
    scores = AnyField()

    class Meta(AlertOutput.Meta):
        fields = (*AlertOutput.Meta.fields, "enrichment", "scores")  # type: ignore[assignment]


class GroupOutput(serializers.ModelSerializer[AlertGroup]):
    """Alerts that people are told of together."""

    severity = SeverityField()
    labels = TextsField()
    assigned_to = serializers.CharField(source="assigned_to.username", allow_null=True, default=None)
    grouping_rule = serializers.UUIDField(source="grouping_rule_id", allow_null=True)

    class Meta:
        model = AlertGroup
        fields = (
            "id",
            "title",
            "status",
            "severity",
            "labels",
            "grouping_rule",
            "firing_count",
            "alert_count",
            "opened_at",
            "changed_at",
            "resolved_at",
            "acknowledged_at",
            "acknowledged_by",
            "assigned_to",
            "is_flapping",
        )


class TimelineEventOutput(serializers.ModelSerializer[TimelineEvent]):
    """One line of a history: what was decided, why, and by whom."""

    group = serializers.UUIDField(source="group_id", allow_null=True)
    alert = serializers.UUIDField(source="alert_id", allow_null=True)
    data = AnyField()  # type: ignore[assignment]  # a field, not the serializer's own data

    class Meta:
        model = TimelineEvent
        fields = ("id", "at", "kind", "reason", "actor", "group", "alert", "data")
