"""What goes in and out for on-call: schedules, shifts, overrides and swaps."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerting.api.fields import ArrayField
from alerting.models import OnCallSchedule, ScheduleOverride
from alerting.oncall import feeds
from alerting.oncall.rotation import Shift
from tenants.api.inputs import RowField, StrictModelSerializer, StrictSerializer
from tenants.models import Membership

WALL = {"type": "string", "description": "On the schedule's wall clock, such as 2026-06-01T09:00:00."}
TIME = {"type": "string", "description": "Such as 09:00:00."}
LAYER = {
    "type": "object",
    "required": ["name", "people", "unit", "starts_at"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 80},
        "people": {"type": "array", "items": {"type": "string", "format": "uuid"}, "minItems": 1, "maxItems": 100},
        "unit": {"type": "string", "enum": ["hourly", "daily", "weekly"]},
        "every": {"type": "integer", "minimum": 1, "default": 1},
        "starts_at": WALL,
        "ends_at": {**WALL, "nullable": True},
        "restrictions": {
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "required": ["start", "end"],
                "additionalProperties": False,
                "properties": {
                    "start": TIME,
                    "end": TIME,
                    "weekdays": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 6}},
                },
            },
        },
    },
}


@extend_schema_field({"type": "array", "items": LAYER, "maxItems": 10})
class LayersField(ArrayField):
    """The layers of a schedule; judged by `alerting.oncall.checking`."""


@extend_schema_field({"type": "string", "format": "uuid", "description": "A member of the tenant."})
class MemberField(serializers.UUIDField):
    """A person by id; anybody who is no member here does not exist."""

    def to_internal_value(self, data: Any) -> Any:
        wanted: UUID = super().to_internal_value(data)
        found = Membership._default_manager.filter(user_id=wanted).select_related("user").first()
        if found is None:
            raise serializers.ValidationError(_("There is nothing here with this id."), "missing")
        return found.user


class ScheduleInput(StrictModelSerializer):
    """An on-call schedule; a later layer covers the ones before it."""

    layers = LayersField(required=False)

    class Meta:
        model = OnCallSchedule
        fields = ("name", "time_zone", "layers", "notifies_hand_over", "import_url")


class ScheduleOutput(serializers.ModelSerializer[OnCallSchedule]):
    """An on-call schedule."""

    layers = LayersField()
    feed_url = serializers.SerializerMethodField(help_text="A calendar (.ics) of the shifts; whoever has it can read.")

    class Meta:
        model = OnCallSchedule
        fields = ("id", *ScheduleInput.Meta.fields, "feed_url")

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_feed_url(self, schedule: OnCallSchedule) -> str:
        return feeds.address(schedule)


class ShiftOutput(serializers.Serializer[Shift]):
    """One person's time on call."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    person = serializers.UUIDField()
    name = serializers.CharField()
    layer = serializers.UUIDField(allow_null=True)
    override = serializers.UUIDField(allow_null=True)


class FinalOutput(serializers.Serializer[Any]):
    """The final schedule between two times."""

    shifts = ShiftOutput(many=True)


class WhoOutput(serializers.Serializer[Any]):
    """Who is on call; null for nobody."""

    at = serializers.DateTimeField()
    shift = ShiftOutput(allow_null=True)
    next_hand_over = serializers.DateTimeField(allow_null=True)


class ScheduleFindingOutput(serializers.Serializer[Any]):
    """One thing to mend before it matters."""

    kind = serializers.ChoiceField(["gap", "unreachable", "target"])
    name = serializers.CharField()
    sentence = serializers.CharField()
    person = serializers.UUIDField(allow_null=True)
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)


class FindingsOutput(serializers.Serializer[Any]):
    """What would go wrong within fourteen days."""

    findings = ScheduleFindingOutput(many=True)


class SwapInput(StrictSerializer):
    """Two people exchange their shifts: `second` takes what `first` has in the first span, and the other way round."""

    first = MemberField()
    first_from = serializers.DateTimeField()
    first_until = serializers.DateTimeField()
    second = MemberField()
    second_from = serializers.DateTimeField()
    second_until = serializers.DateTimeField()


class OverrideInput(StrictModelSerializer):
    """Somebody on call for a time, in place of whoever it would be, or of one person."""

    schedule = RowField(OnCallSchedule)
    person = MemberField()
    replaces = MemberField(required=False, allow_null=True)

    class Meta:
        model = ScheduleOverride
        fields = ("schedule", "person", "replaces", "starts_at", "ends_at", "comment")


class OverrideOutput(serializers.ModelSerializer[ScheduleOverride]):
    """An override; `source` names the event of a calendar it was read from."""

    schedule = serializers.UUIDField(source="schedule_id")
    person = serializers.UUIDField(source="person_id")
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)

    class Meta:
        model = ScheduleOverride
        fields = ("id", *OverrideInput.Meta.fields, "source", "created_at")


class OverridesOutput(serializers.Serializer[Any]):
    """The overrides of a swap."""

    overrides = OverrideOutput(many=True)
