"""Hand-overs: tells the person whose shift begins, and sets when to look at the schedule again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final
from uuid import UUID

from django.conf import settings

from alerting import timers
from alerting.exclusive import Moment, take_turn
from alerting.models import OnCallSchedule, ScheduleState, Timer
from alerting.oncall.reading import Person, read_people, read_schedules
from alerting.oncall.schedule import Schedule, next_hand_over, on_call
from channels.delivery.queue import NewDelivery, enqueue
from channels.languages import Voice
from channels.languages.voice import in_words
from channels.message import Message, Reason, Saying
from tenants.context import tenant_context

MAX_SCHEDULES: Final = 100
PRIORITY: Final = 60
HORIZON: Final = timedelta(hours=2)
#: A schedule without a hand-over in sight is looked at again after so long.
IDLE: Final = timedelta(days=30)


def hand_over_due(tenant_id: UUID, limit: int = MAX_SCHEDULES) -> int:
    """Look at the tenant's schedules whose hand-over is due, at most `limit`; return how many timers were met."""
    with tenant_context(tenant_id):
        moment = take_turn(tenant_id)
        claimed = [one for _kind, one in timers.claim_due(moment.now, limit, [Timer.Kind.HAND_OVER])]
        if claimed:
            _look(claimed, moment)
    return len(claimed)


def _look(ids: Sequence[UUID], moment: Moment) -> None:
    schedules = read_schedules(ids, moment.now)
    wanted = OnCallSchedule._default_manager.filter(pk__in=ids, notifies_hand_over=True)
    notify = set(wanted.values_list("pk", flat=True))
    states = {one.schedule_id: one for one in ScheduleState._default_manager.filter(schedule__in=list(schedules))}
    shifts = {one.id: on_call(one, moment.now) for one in schedules.values()}
    people = read_people({shift.person for shift in shifts.values() if shift is not None})
    items: list[NewDelivery] = []
    due: list[tuple[str, datetime | None]] = [(str(one), None) for one in ids if one not in schedules]
    for schedule in schedules.values():
        shift, state = shifts[schedule.id], states.get(schedule.id)
        person_id = shift.person if shift else None
        upcoming = next_hand_over(schedule, moment.now)
        # A schedule that is looked at for the first time begins quietly: nobody took over from anybody.
        begins = state is not None and state.person_id != person_id and person_id in people
        if begins and person_id is not None and schedule.id in notify:
            items += _notices(schedule, people[person_id], upcoming, moment)
        state = state or ScheduleState(schedule_id=schedule.id)
        state.person_id = person_id if person_id in people else None
        state.looked_at = moment.now
        state.save()
        due.append((str(schedule.id), upcoming or moment.now + IDLE))
    enqueue(items)
    timers.reset(due, Timer.Kind.HAND_OVER)


def _notices(schedule: Schedule, person: Person, until: datetime | None, moment: Moment) -> list[NewDelivery]:
    """One message at each contact of the first stage of the person's own rules."""
    stages = person.stages("normal")
    first = [contact for after, contact in stages if after == min(stage[0] for stage in stages)]
    message = _message(schedule, person, until, moment)
    return [
        NewDelivery(
            channel_id=contact.channel_id,
            recipient=contact.address,
            dedup_key=_key(schedule.id, contact.id, moment.now),
            message=message,
            kind="hand_over",
            reason=Reason.ESCALATION,
            priority=PRIORITY,
            expires_in=HORIZON,
        )
        for contact in first
    ]


def _message(schedule: Schedule, person: Person, until: datetime | None, moment: Moment) -> Message:
    locale = person.locale or moment.locale
    zone = person.time_zone or schedule.time_zone
    heading = Saying(key="hand_over.title", values={"schedule": schedule.name})
    why = [Saying(key="hand_over.until", times={"until": until})] if until is not None else [heading]
    voice = Voice(locale, zone, moment.now)
    return Message(
        title=voice.say(heading),
        heading=heading,
        created_at=moment.now,
        kind="hand_over",
        reason=Reason.ESCALATION,
        sent_reason=in_words(why, voice),
        why=why,
        status="info",
        tenant_slug=moment.slug,
        tenant_name=moment.name,
        group_url=f"{settings.PUBLIC_BASE_URL}/admin/alerting/oncallschedule/{schedule.id}/change/",
        locale=locale,
        time_zone=zone,
    )


def _key(schedule_id: UUID, contact_id: UUID, at: datetime) -> bytes:
    text = f"{schedule_id}{contact_id}{at.isoformat()}"
    return blake2b(text.encode(), digest_size=32, person=b"hand-over").digest()
