"""REST doors of on-call: schedules, who is on call when, overrides, swaps and the calendar feed."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from alerting import validation
from alerting.escalation.checking import policies_with
from alerting.models import OnCallSchedule, ScheduleOverride
from alerting.oncall import feeds
from alerting.oncall.findings import AHEAD, findings
from alerting.oncall.reading import read_schedules
from alerting.oncall.rotation import Shift
from alerting.oncall.schedule import Schedule, final, next_hand_over, on_call
from alerting.oncall.swapping import swap
from channels.selectors import database_now
from tenants.api.filters import Filter, row_id
from tenants.api.inputs import RowField, StrictModelSerializer, StrictSerializer
from tenants.api.problems import Problem
from tenants.api.query import moment
from tenants.api.views import ConfigurationViewSet
from tenants.models import Membership, User

LONGEST_SPAN = timedelta(days=93)
MOMENT = {"type": "string", "format": "date-time"}
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
class LayersField(serializers.JSONField):
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


class FindingOutput(serializers.Serializer[Any]):
    """One thing to mend before it matters."""

    kind = serializers.ChoiceField(["gap", "unreachable", "target"])
    name = serializers.CharField()
    sentence = serializers.CharField()
    person = serializers.UUIDField(allow_null=True)
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)


class FindingsOutput(serializers.Serializer[Any]):
    """What would go wrong within fourteen days."""

    findings = FindingOutput(many=True)


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


class ScheduleViewSet(ConfigurationViewSet):
    """Who is on call when."""

    model = OnCallSchedule
    noun = "on-call schedule"
    input_serializer = ScheduleInput
    output_serializer = ScheduleOutput
    action_permissions = {
        "who": "view_alerts",
        "final": "view_alerts",
        "findings": "view_configuration",
        "swap": "act_on_alerts",
    }
    filters = {
        "who": {"at": Filter(moment, MOMENT, "Now unless given.")},
        "final": {
            "from": Filter(moment, MOMENT, "Now unless given."),
            "to": Filter(moment, MOMENT, "Fourteen days later unless given; at most 93."),
        },
    }

    def check(self, instance: Any) -> None:
        validation.check(instance)

    def remove(self, instance: Any) -> None:
        used = policies_with(instance.pk)
        if used:
            message = _("The escalation policies %(names)s name this schedule; change them first.")
            raise Problem("conflict", message % {"names": ", ".join(used)})
        super().remove(instance)

    @extend_schema(summary="Show who is on call", responses=WhoOutput)
    @action(detail=True)
    def who(self, request: Request, id: str) -> Response:
        """At a time, and when somebody else follows."""
        at = self.query.get("at") or database_now()
        schedule = self._schedule(at)
        shift = on_call(schedule, at)
        shown = _named([shift] if shift else [])
        data = {"at": at, "shift": shown[0] if shown else None, "next_hand_over": next_hand_over(schedule, at)}
        return Response(WhoOutput(data).data)

    @extend_schema(summary="Show the final schedule", responses=FinalOutput)
    @action(detail=True)
    def final(self, request: Request, id: str) -> Response:
        """Layers, overrides and swaps laid over each other."""
        start = self.query.get("from") or database_now()
        end = self.query.get("to") or start + AHEAD
        if not start < end <= start + LONGEST_SPAN:
            raise Problem("validation", _("Ask for a span of at most 93 days that ends after it begins."), status=400)
        return Response(FinalOutput({"shifts": _named(final(self._schedule(start), start, end))}).data)

    @extend_schema(summary="Show what would go wrong", responses=FindingsOutput)
    @action(detail=True)
    def findings(self, request: Request, id: str) -> Response:
        """Gaps, and people on call who cannot be reached, within fourteen days."""
        found = findings(database_now(), self.get_object().pk)
        return Response(FindingsOutput({"findings": found}).data)

    @extend_schema(summary="Swap shifts", request=SwapInput, responses={201: OverridesOutput})
    @action(detail=True, methods=["post"])
    def swap(self, request: Request, id: str) -> Response:
        """Two people exchange shifts: two overrides, both or none."""
        schedule = self.get_object()
        made = swap(self.principal, schedule, **self.accept(SwapInput))
        return Response(OverridesOutput({"overrides": made}).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Give the calendar feed a new address", request=None, responses=ScheduleOutput)
    @action(detail=True, methods=["post"])
    def renew_feed(self, request: Request, id: str) -> Response:
        """The old address shows nothing any more."""
        schedule = self.get_object()
        feeds.renew(self.principal, schedule)
        return self.answer(schedule)

    def _schedule(self, since: datetime) -> Schedule:
        row = self.get_object()
        return read_schedules([row.pk], since)[row.pk]


class OverrideViewSet(ConfigurationViewSet):
    """Exceptions to a schedule."""

    model = ScheduleOverride
    noun = "override"
    read_permission = "view_alerts"
    write_permission = "act_on_alerts"
    input_serializer = OverrideInput
    output_serializer = OverrideOutput
    filters = {"list": {"schedule": row_id("Only of this schedule.")}}

    def rows(self) -> QuerySet[ScheduleOverride]:
        rows = ScheduleOverride._default_manager.all()
        schedule = self.query.get("schedule")
        return rows.filter(schedule_id=schedule) if schedule else rows

    def check(self, instance: Any) -> None:
        validation.check(instance)


def _named(shifts: list[Shift]) -> list[dict[str, Any]]:
    people = User.objects.in_bulk({shift.person for shift in shifts})
    return [
        {
            "starts_at": shift.starts_at,
            "ends_at": shift.ends_at,
            "person": shift.person,
            "name": str(people.get(shift.person, "")),
            "layer": shift.layer,
            "override": shift.override,
        }
        for shift in shifts
    ]
