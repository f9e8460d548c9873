"""What the page of a schedule shows beside its form: who is on call, the calendar, and a drawing of unsaved layers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError

from alerting.admin import schedule_drawing
from alerting.admin.layer_editor import LayersField, people_of_tenant
from alerting.models import OnCallSchedule, ScheduleState
from alerting.oncall import feeds
from alerting.oncall.checking import check_schedule
from alerting.oncall.findings import findings
from alerting.oncall.reading import read_schedules, schedule_of
from alerting.oncall.schedule import next_hand_over, on_call
from alerting.oncall.wallclock import wall
from tenants.context import current_tenant_id
from tenants.models import Tenant, User
from tenants.models.tenant import validate_time_zone


def head(row: OnCallSchedule, now: datetime) -> dict[str, Any]:
    """The saved schedule: now, next, two weeks, and what would go wrong in them."""
    schedule = read_schedules([row.pk], now)[row.pk]
    shift, change = on_call(schedule, now), next_hand_over(schedule, now)
    following = on_call(schedule, change) if change else None
    names = User.objects.in_bulk([one.person for one in (shift, following) if one])
    return {
        **schedule_drawing.context(schedule, now),
        "schedule": row,
        "on_call": names.get(shift.person) if shift else None,
        "hand_over": wall(change, schedule.zone) if change else None,
        "following": names.get(following.person) if following else None,
        "findings": findings(now, row.pk),
        "state": ScheduleState._default_manager.filter(schedule=row).first(),
        "feed": feeds.address(row),
    }


class OnCall(NamedTuple):
    """One schedule at one moment."""

    schedule: OnCallSchedule
    person: User | None
    until: datetime | None


def who_is_on_call(at: datetime) -> list[OnCall]:
    """Every schedule with the person on call at a time, and until when; times on the schedule's wall clock."""
    schedules = read_schedules(None, at)
    shifts = {one.id: on_call(one, at) for one in schedules.values()}
    names = User.objects.in_bulk({shift.person for shift in shifts.values() if shift})
    lines = []
    for row in OnCallSchedule._default_manager.order_by("name"):
        schedule, shift = schedules[row.pk], shifts[row.pk]
        change = next_hand_over(schedule, at)
        until = wall(change, schedule.zone) if change else None
        lines.append(OnCall(row, names.get(shift.person) if shift else None, until))
    return lines


def preview(saved: OnCallSchedule | None, typed: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The layers as somebody typed them, drawn; or what is wrong with them."""
    row = OnCallSchedule(name="", time_zone=typed.get("time_zone", ""))
    field = LayersField(required=False)
    field.know(people_of_tenant())
    try:
        if row.time_zone:
            validate_time_zone(row.time_zone)
        row.layers = field.clean(typed.get("layers", ""))
        check_schedule(row)
    except ValidationError as error:
        return {"fault": " ".join(error.messages)}
    if not row.layers:
        return {}
    overrides = read_schedules([saved.pk], now)[saved.pk].overrides if saved is not None else ()
    tenant_zone = Tenant.objects.values_list("time_zone", flat=True).get(pk=current_tenant_id())
    return schedule_drawing.context(schedule_of(row, tenant_zone, overrides), now)
