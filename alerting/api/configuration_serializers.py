"""What goes in and out for the configuration of alerting."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerting.api.fields import MatchersField, SeverityField
from alerting.models import (
    AlertingPolicy,
    EnrichmentStep,
    EscalationPolicy,
    GroupingRule,
    InhibitionRule,
    LanguageModel,
    MaintenanceWindow,
    Route,
)
from alerting.validation import window_of
from channels.models import Channel
from channels.selectors import database_now
from tenants.api.inputs import RowField, SecondsField, StrictModelSerializer
from tenants.models import Tenant

MAX_POSITION = 1_000_000
MAX_CHANNELS = 32
OCCURRENCES = 5


def position(**options: Any) -> serializers.IntegerField:
    """A place among siblings, within what the column holds."""
    return serializers.IntegerField(min_value=0, max_value=MAX_POSITION, **options)


def label_names(**options: Any) -> serializers.ListField:
    """A short list of label names."""
    return serializers.ListField(child=serializers.CharField(max_length=128), max_length=64, **options)


class RouteInput(StrictModelSerializer):
    """A node of the route tree."""

    parent = RowField(Route, required=True, allow_null=True)  # type: ignore[assignment]  # a field, not the enclosing one
    position = position(required=False)
    matchers = MatchersField(required=False)
    group_wait = SecondsField(required=False, allow_null=True)
    group_interval = SecondsField(required=False, allow_null=True)
    repeat_interval = SecondsField(required=False, allow_null=True)
    channels = serializers.ListField(child=RowField(Channel), required=False, max_length=MAX_CHANNELS)
    policy = RowField(EscalationPolicy, required=False, allow_null=True)

    class Meta:
        model = Route
        fields = (
            "parent",
            "position",
            "name",
            "matchers",
            "continues",
            "group_wait",
            "group_interval",
            "repeat_interval",
            "channels",
            "policy",
        )


class RouteOutput(serializers.ModelSerializer[Route]):
    """A node of the route tree; null timers and an empty list of channels are inherited from the parent."""

    parent = serializers.UUIDField(source="parent_id", allow_null=True)  # type: ignore[assignment]
    matchers = MatchersField()
    group_wait = SecondsField(allow_null=True)
    group_interval = SecondsField(allow_null=True)
    repeat_interval = SecondsField(allow_null=True)
    channels = serializers.SerializerMethodField()
    policy = serializers.UUIDField(source="policy_id", allow_null=True)

    class Meta:
        model = Route
        fields = ("id", *RouteInput.Meta.fields)

    @extend_schema_field({"type": "array", "items": {"type": "string", "format": "uuid"}})
    def get_channels(self, route: Route) -> list[str]:
        return [str(link.channel_id) for link in route.route_channels.all()]


class GroupingRuleInput(StrictModelSerializer):
    """A grouping rule."""

    position = position(required=False)
    matchers = MatchersField(required=False)
    group_by = label_names(required=False)

    class Meta:
        model = GroupingRule
        fields = ("position", "name", "matchers", "group_by")


class GroupingRuleOutput(serializers.ModelSerializer[GroupingRule]):
    """A grouping rule; the first whose matchers hold names the labels."""

    matchers = MatchersField()
    group_by = label_names()

    class Meta:
        model = GroupingRule
        fields = ("id", *GroupingRuleInput.Meta.fields)


class EnrichmentStepInput(StrictModelSerializer):
    """An enrichment step."""

    position = position(required=False)
    matchers = MatchersField(required=False)
    settings = serializers.DictField(required=True)

    class Meta:
        model = EnrichmentStep
        fields = ("position", "name", "kind", "matchers", "settings", "is_active")


class EnrichmentStepOutput(serializers.ModelSerializer[EnrichmentStep]):
    """An enrichment step; `settings` are those of its kind."""

    matchers = MatchersField()
    settings = serializers.DictField()

    class Meta:
        model = EnrichmentStep
        fields = ("id", *EnrichmentStepInput.Meta.fields)


class InhibitionRuleInput(StrictModelSerializer):
    """An inhibition rule."""

    source_matchers = MatchersField(min_length=1)
    target_matchers = MatchersField(min_length=1)
    equal = label_names(required=False)

    class Meta:
        model = InhibitionRule
        fields = ("name", "source_matchers", "target_matchers", "equal", "is_active")


class InhibitionRuleOutput(serializers.ModelSerializer[InhibitionRule]):
    """While an alert of the source side fires, alerts of the target side with the same `equal` labels are not told."""

    source_matchers = MatchersField()
    target_matchers = MatchersField()
    equal = label_names()

    class Meta:
        model = InhibitionRule
        fields = ("id", *InhibitionRuleInput.Meta.fields)


@extend_schema_field({"type": "string", "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"})
class WallClockField(serializers.TimeField):
    """A time of the wall clock, without a zone."""


class MaintenanceWindowInput(StrictModelSerializer):
    """A maintenance window."""

    matchers = MatchersField(min_length=1)
    start_time = WallClockField(input_formats=["%H:%M", "%H:%M:%S"])
    duration = SecondsField(lowest=60, highest=14 * 86_400)

    class Meta:
        model = MaintenanceWindow
        fields = ("name", "matchers", "start_date", "start_time", "duration", "rrule", "time_zone", "is_active")


class OccurrenceOutput(serializers.Serializer[Any]):
    """One time a window is open."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class MaintenanceWindowOutput(serializers.ModelSerializer[MaintenanceWindow]):
    """A maintenance window on the wall clock of its zone (or the tenant's), with its next occurrences."""

    matchers = MatchersField()
    start_time = WallClockField(format="%H:%M:%S")
    duration = SecondsField()
    next_occurrences = serializers.SerializerMethodField()

    class Meta:
        model = MaintenanceWindow
        fields = ("id", *MaintenanceWindowInput.Meta.fields, "next_occurrences")

    @extend_schema_field(OccurrenceOutput(many=True))
    def get_next_occurrences(self, row: MaintenanceWindow) -> list[dict[str, datetime]]:
        if not row.is_active:
            return []
        now, tenant_zone = self._now_and_zone(row)
        found = window_of(row, tenant_zone).next_occurrences(now, OCCURRENCES)
        return OccurrenceOutput(found, many=True).data  # type: ignore[return-value]

    def _now_and_zone(self, row: MaintenanceWindow) -> tuple[datetime, str]:
        # Asked once for a whole page: all its rows belong to one tenant.
        page: dict[str, Any] = self.context  # type: ignore[assignment]  # a dict, typed as what is only read
        if "now_and_zone" not in page:
            zone = Tenant.objects.values_list("time_zone", flat=True).get(pk=row.tenant_id)
            page["now_and_zone"] = (database_now(), zone)
        found: tuple[datetime, str] = page["now_and_zone"]
        return found


class AssistantInput(StrictModelSerializer):
    """Which language model may describe groups. The key is never shown again."""

    api_key = serializers.CharField(required=False, allow_blank=True, max_length=500, write_only=True)

    class Meta:
        model = LanguageModel
        fields = ("url", "model", "api_key", "seconds", "is_active")


class AssistantOutput(serializers.ModelSerializer[LanguageModel]):
    """Which language model may describe groups."""

    has_api_key = serializers.SerializerMethodField()

    class Meta:
        model = LanguageModel
        fields = ("url", "model", "seconds", "is_active", "has_api_key")

    def get_has_api_key(self, row: LanguageModel) -> bool:
        return bool(row.api_key)


class PolicyInput(StrictModelSerializer):
    """The tenant's general choices."""

    stale_after = SecondsField(lowest=60)
    flap_window = SecondsField(lowest=60)
    ignored_labels = label_names()
    severity_floor = SeverityField(required=False)

    class Meta:
        model = AlertingPolicy
        fields = (
            "stale_after",
            "ignored_labels",
            "flap_window",
            "flap_enter",
            "flap_leave",
            "scoring",
            "severity_floor",
            "trust_floor",
        )


class PolicyOutput(serializers.ModelSerializer[AlertingPolicy]):
    """The tenant's general choices; times in seconds."""

    stale_after = SecondsField()
    flap_window = SecondsField()
    ignored_labels = label_names()
    severity_floor = SeverityField()

    class Meta:
        model = AlertingPolicy
        fields = PolicyInput.Meta.fields
