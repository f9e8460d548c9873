"""What OpenAPI is told of the door's bodies, and how its rows are shown. Reading goes by `alerting.decoding` alone."""

from typing import Any

from rest_framework import serializers

from alerting import severity
from alerting.decoding import limits, names
from alerting.models import IntakeRequest
from tenants.api.schema import FaultOutput


class MetricInput(serializers.Serializer[Any]):
    """The measurement an alert is about."""

    name = serializers.CharField(max_length=limits.MAX_METRIC_NAME)
    value = serializers.FloatField()


class AlertInput(serializers.Serializer[Any]):
    """An alert in the native format."""

    labels = serializers.DictField(
        child=serializers.CharField(max_length=limits.MAX_LABEL_VALUE),
        help_text=f"1 to {limits.MAX_LABELS} names and values; they identify the alert. Names match {names.PATTERN}.",
    )
    annotations = serializers.DictField(
        child=serializers.CharField(max_length=limits.MAX_ANNOTATION_VALUE, allow_blank=True),
        required=False,
        allow_null=True,
        help_text=f"At most {limits.MAX_ANNOTATIONS} texts for people, such as summary and description.",
    )
    severity = serializers.ChoiceField(list(severity.LABELS.values()), required=False, allow_null=True)
    status = serializers.ChoiceField(["firing", "resolved"], required=False, allow_null=True)
    starts_at = serializers.DateTimeField(required=False, allow_null=True)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    generator_url = serializers.URLField(max_length=limits.MAX_URL, required=False, allow_null=True)
    metric = MetricInput(required=False, allow_null=True)


class AlertmanagerAlertInput(serializers.Serializer[Any]):
    """An alert inside Alertmanager's payload."""

    status = serializers.ChoiceField(["firing", "resolved"])
    labels = serializers.DictField(child=serializers.CharField(max_length=limits.MAX_LABEL_VALUE))
    annotations = serializers.DictField(child=serializers.CharField(), required=False)
    startsAt = serializers.DateTimeField(required=False)  # noqa: N815 - Alertmanager's names
    endsAt = serializers.DateTimeField(required=False)  # noqa: N815
    generatorURL = serializers.CharField(required=False, allow_blank=True)  # noqa: N815
    fingerprint = serializers.CharField(required=False)


class AlertmanagerInput(serializers.Serializer[Any]):
    """Alertmanager's webhook payload; other members are passed over."""

    version = serializers.ChoiceField(["4"])
    alerts = AlertmanagerAlertInput(many=True)


class AcceptedOutput(serializers.Serializer[Any]):
    """What was taken and what was not."""

    id = serializers.UUIDField()
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    errors = FaultOutput(many=True)  # type: ignore[assignment]  # a field of that name, not the serializer's errors


class IntakeOutput(serializers.ModelSerializer[IntakeRequest]):
    """What became of a request."""

    state = serializers.SerializerMethodField()
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]
    processed_at = serializers.DateTimeField(source="drained_at", allow_null=True)

    class Meta:
        model = IntakeRequest
        fields = (
            "id",
            "source",
            "state",
            "accepted",
            "rejected",
            "errors",
            "trace_id",
            "received_at",
            "processed_at",
        )

    def get_state(self, row: IntakeRequest) -> str:
        """Say waiting, processed or refused."""
        if not row.accepted:
            return "refused"
        return "waiting" if row.drained_at is None else "processed"

    def get_errors(self, row: IntakeRequest) -> list[dict[str, Any]]:
        """The faults of the rejected items, as they were answered."""
        return row.errors or []
