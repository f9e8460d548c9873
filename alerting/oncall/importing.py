"""Overrides out of a calendar that others keep: fetched through the guarded door, written by difference."""

import http.client
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting.models import OnCallSchedule, ScheduleOverride, ScheduleState
from alerting.oncall.ical import CalendarError, CalendarEvent, read_calendar
from channels.egress import EgressError, request
from channels.selectors import database_now
from tenants.context import tenant_context
from tenants.models import Membership, Tenant

log = structlog.get_logger(__name__)

BEFORE, AFTER = timedelta(days=1), timedelta(days=92)
_OK: Final = 200


def import_all() -> int:
    """Read every tenant's calendars; return how many."""
    total = 0
    for tenant_id in Tenant.objects.filter(is_active=True).values_list("pk", flat=True):
        with tenant_context(tenant_id):
            wanted = list(OnCallSchedule.objects.exclude(import_url="").values_list("pk", flat=True))
        for schedule_id in wanted:
            import_calendar(tenant_id, schedule_id)
            total += 1
    return total


def import_calendar(tenant_id: UUID, schedule_id: UUID) -> str:
    """Make the overrides of a schedule what its calendar says; return what is wrong, empty when all is well.

    A calendar that cannot be read leaves the overrides as they are. No transaction is open while it is fetched.
    """
    with tenant_context(tenant_id):
        schedule = OnCallSchedule.objects.filter(pk=schedule_id).exclude(import_url="").first()
        if schedule is None:
            return ""
        tenant_zone = Tenant.objects.values_list("time_zone", flat=True).get(pk=tenant_id)
        now = database_now()
    try:
        body = _fetch(schedule.import_url)
        events = read_calendar(body, ZoneInfo(schedule.time_zone or tenant_zone), now - BEFORE, now + AFTER)
    except (EgressError, CalendarError, OSError, http.client.HTTPException) as error:
        fault = str(error) or type(error).__name__
        log.warning("calendar not read", schedule_id=str(schedule_id), error_class=type(error).__name__)
        with tenant_context(tenant_id):
            _remember(schedule, fault, None)
        return fault
    with tenant_context(tenant_id):
        fault = _write(schedule, events, now)
        _remember(schedule, fault, now)
    return fault


def _fetch(url: str) -> bytes:
    answer = request("GET", url, headers={"Accept": "text/calendar"})
    if answer.status != _OK:
        raise CalendarError(_("The calendar was answered with status %(status)d.") % {"status": answer.status})
    if answer.truncated:
        raise CalendarError(_("The calendar is too big."))
    return answer.body


def _write(schedule: OnCallSchedule, events: Sequence[CalendarEvent], now: datetime) -> str:
    """Add what is new, take away what is gone; return a word about events that name nobody here."""
    people = _people()
    wanted: dict[str, ScheduleOverride] = {}
    unknown: list[str] = []
    for event in events:
        person = next((people[name] for name in event.names if name in people), None)
        if person is None:
            unknown.append(event.title)
            continue
        wanted[event.key] = ScheduleOverride(
            tenant_id=schedule.tenant_id,
            schedule=schedule,
            person_id=person,
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            comment=event.title,
            source=event.key,
        )
    known = {
        one.source: one
        for one in ScheduleOverride.objects.filter(schedule=schedule, ends_at__gt=now - BEFORE).exclude(source="")
    }
    gone = [one.pk for key, one in known.items() if key not in wanted or wanted[key].person_id != one.person_id]
    kept = {key for key, one in known.items() if one.pk not in set(gone)}
    ScheduleOverride.objects.filter(pk__in=gone).delete()
    ScheduleOverride.objects.bulk_create([one for key, one in wanted.items() if key not in kept])
    if not unknown:
        return ""
    values = {"count": len(unknown), "titles": ", ".join(dict.fromkeys(unknown))[:150]}
    said = ngettext(
        "%(count)d event names no member: %(titles)s", "%(count)d events name no member: %(titles)s", len(unknown)
    )
    return said % values


def _people() -> dict[str, UUID]:
    """Members by address, user name and full name, in lower case."""
    found: dict[str, UUID] = {}
    for member in Membership.objects.filter(user__is_active=True).select_related("user"):
        user = member.user
        for name in (user.get_full_name(), user.username, user.email):
            if name:
                found[name.lower()] = user.pk
    return found


def _remember(schedule: OnCallSchedule, fault: str, read_at: datetime | None) -> None:
    state = ScheduleState.objects.filter(schedule=schedule).first() or ScheduleState(schedule_id=schedule.pk)
    state.import_error = fault[:300]
    state.imported_at = read_at or state.imported_at
    state.save()
