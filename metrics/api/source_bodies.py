"""What goes in and out for metric sources."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from metrics.models import Source, SourceState
from metrics.models.source import LONGEST, SHORTEST
from tenants.api.inputs import SecondsField, StrictModelSerializer

LOWEST, HIGHEST = int(SHORTEST.total_seconds()), int(LONGEST.total_seconds())


class SourceInput(StrictModelSerializer):
    """A metric source. `settings` and `credentials` are those of its kind; credentials are never shown again."""

    settings = serializers.DictField(required=False)
    credentials = serializers.DictField(required=False, write_only=True)
    labels = serializers.DictField(child=serializers.CharField(), required=False)
    interval = SecondsField(lowest=LOWEST, highest=HIGHEST, required=False)

    class Meta:
        model = Source
        fields = ("name", "kind", "settings", "credentials", "labels", "interval", "timeout", "is_active")


class TrialInput(SourceInput):
    """A source to try; it needs no name."""

    name = serializers.CharField(max_length=80, required=False)


class SampleOutput(serializers.Serializer[Any]):
    """One value."""

    metric = serializers.CharField()
    labels = serializers.DictField(child=serializers.CharField())
    value = serializers.FloatField()
    at = serializers.DateTimeField()


class StateOutput(serializers.ModelSerializer[SourceState]):
    """How a source is doing; `words` says what is wrong, `samples` some of what it said last."""

    samples = SampleOutput(many=True)

    class Meta:
        model = SourceState
        fields = (
            "health",
            "failures",
            "trouble",
            "words",
            "looked_at",
            "succeeded_at",
            "took_ms",
            "series",
            "points",
            "samples",
        )


class SourceOutput(serializers.ModelSerializer[Source]):
    """A metric source, without its secrets."""

    settings = serializers.DictField()
    labels = serializers.DictField(child=serializers.CharField())
    interval = SecondsField()
    has_credentials = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()

    class Meta:
        model = Source
        fields = (
            "id",
            "name",
            "kind",
            "settings",
            "has_credentials",
            "labels",
            "interval",
            "timeout",
            "is_active",
            "created_at",
            "updated_at",
            "state",
        )

    def get_has_credentials(self, source: Source) -> bool:
        return bool(source.credentials)

    @extend_schema_field(StateOutput(allow_null=True))
    def get_state(self, source: Source) -> Any:
        """Null until it was asked."""
        found = list(source.state.all())
        return StateOutput(found[0]).data if found else None


class TrialOutput(serializers.Serializer[Any]):
    """What one look found; `fault` says why it found nothing, `notes` what is not quite right. Nothing is stored."""

    fault = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField())
    series = serializers.IntegerField()
    points = serializers.IntegerField()
    took_ms = serializers.IntegerField()
    samples = SampleOutput(many=True)
