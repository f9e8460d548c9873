"""REST doors of on-call: schedules, who is on call when, overrides, swaps and the calendar feed."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from alerting import validation
from alerting.api import oncall_bodies as bodies
from alerting.escalation.checking import policies_with
from alerting.models import OnCallSchedule, ScheduleOverride
from alerting.oncall import feeds
from alerting.oncall.findings import AHEAD, findings
from alerting.oncall.reading import read_schedules
from alerting.oncall.rotation import Shift
from alerting.oncall.schedule import REACHES, Schedule, final, next_hand_over, shift_around
from alerting.oncall.swapping import swap
from channels.selectors import database_now
from tenants.api.filters import Filter, row_id
from tenants.api.inputs import NoInput
from tenants.api.problems import Problem
from tenants.api.query import moment
from tenants.api.views import ConfigurationViewSet
from tenants.models import User

LONGEST_SPAN = timedelta(days=93)
MOMENT = {"type": "string", "format": "date-time"}


class ScheduleViewSet(ConfigurationViewSet):
    """Who is on call when."""

    model = OnCallSchedule
    noun = "on-call schedule"
    input_serializer = bodies.ScheduleInput
    output_serializer = bodies.ScheduleOutput
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

    @extend_schema(summary="Show who is on call", responses=bodies.WhoOutput)
    @action(detail=True)
    def who(self, request: Request, id: str) -> Response:
        """At a time, and when somebody else follows."""
        at = self.query.get("at") or database_now()
        schedule = self._schedule(at - REACHES[-1])
        shift = shift_around(schedule, at)
        shown = _named([shift] if shift else [])
        data = {"at": at, "shift": shown[0] if shown else None, "next_hand_over": next_hand_over(schedule, at)}
        return Response(bodies.WhoOutput(data).data)

    @extend_schema(summary="Show the final schedule", responses=bodies.FinalOutput)
    @action(detail=True)
    def final(self, request: Request, id: str) -> Response:
        """Layers, overrides and swaps laid over each other."""
        start = self.query.get("from") or database_now()
        end = self.query.get("to") or start + AHEAD
        if not start < end <= start + LONGEST_SPAN:
            raise Problem("validation", _("Ask for a span of at most 93 days that ends after it begins."), status=400)
        return Response(bodies.FinalOutput({"shifts": _named(final(self._schedule(start), start, end))}).data)

    @extend_schema(summary="Show what would go wrong", responses=bodies.FindingsOutput)
    @action(detail=True)
    def findings(self, request: Request, id: str) -> Response:
        """Gaps, and people on call who cannot be reached, within fourteen days."""
        found = findings(database_now(), self.get_object().pk)
        return Response(bodies.FindingsOutput({"findings": found}).data)

    @extend_schema(summary="Swap shifts", request=bodies.SwapInput, responses={201: bodies.OverridesOutput})
    @action(detail=True, methods=["post"])
    def swap(self, request: Request, id: str) -> Response:
        """Two people exchange shifts: two overrides, both or none."""
        schedule = self.get_object()
        made = swap(self.principal, schedule, **self.accept(bodies.SwapInput))
        return Response(bodies.OverridesOutput({"overrides": made}).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Give the calendar feed a new address", request=NoInput, responses=bodies.ScheduleOutput)
    @action(detail=True, methods=["post"])
    def renew_feed(self, request: Request, id: str) -> Response:
        """The old address shows nothing any more."""
        self.accept(NoInput)
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
    input_serializer = bodies.OverrideInput
    output_serializer = bodies.OverrideOutput
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
