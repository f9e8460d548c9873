"""What would go wrong in the next days: nobody on call, people that cannot be reached, targets that are gone."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from alerting.escalation.checking import known_targets
from alerting.escalation.plan import PlanError, read_levels
from alerting.models import EscalationPolicy
from alerting.oncall.reading import Person, read_people, read_schedules
from alerting.oncall.rotation import Shift
from alerting.oncall.schedule import Schedule, final, gaps
from tenants.models import User

AHEAD: Final = timedelta(days=14)
MAX_EACH: Final = 20


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to mend before it matters."""

    kind: str
    name: str
    sentence: str
    schedule: UUID | None = None
    policy: UUID | None = None
    person: UUID | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def findings(now: datetime, schedule_id: UUID | None = None) -> list[Finding]:
    """Look fourteen days ahead, at one schedule or at all schedules and policies; inside the tenant's context."""
    schedules = read_schedules(None if schedule_id is None else [schedule_id], now)
    courses = {one.id: final(one, now, now + AHEAD) for one in schedules.values()}
    policies = [] if schedule_id else list(EscalationPolicy._default_manager.all())
    called = {shift.person for shifts in courses.values() for shift in shifts}
    called |= {target for policy in policies for kind, target in _targets(policy) if kind == "member"}
    people = read_people(called)
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=called - people.keys())}
    found: list[Finding] = []
    for schedule in schedules.values():
        found += _gaps(schedule, courses[schedule.id], now)
        found += _unreachable(schedule, courses[schedule.id], people, names)
    there = known_targets() if policies else {}
    for policy in policies:
        found += _broken(policy, there, people)
    return found


def _gaps(schedule: Schedule, shifts: list[Shift], now: datetime) -> list[Finding]:
    return [
        Finding(
            kind="gap",
            name=schedule.name,
            sentence=_("Nobody is on call."),
            schedule=schedule.id,
            starts_at=start,
            ends_at=end,
        )
        for start, end in gaps(shifts, now, now + AHEAD)[:MAX_EACH]
    ]


def _unreachable(
    schedule: Schedule, shifts: list[Shift], people: dict[UUID, Person], names: dict[UUID, str]
) -> list[Finding]:
    found: dict[UUID, Finding] = {}
    for shift in shifts:
        person = people.get(shift.person)
        if shift.person in found or (person is not None and person.contacts):
            continue
        name = person.name if person else names.get(shift.person, str(shift.person))
        why = _("%(name)s goes on call without a verified contact.")
        if person is None:
            why = _("%(name)s goes on call and is no member any more.")
        found[shift.person] = Finding(
            kind="unreachable",
            name=schedule.name,
            sentence=why % {"name": name},
            schedule=schedule.id,
            person=shift.person,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
        )
    return list(found.values())[:MAX_EACH]


def _targets(policy: EscalationPolicy) -> Iterable[tuple[str, UUID]]:
    try:
        return [(target.kind, target.id) for level in read_levels(policy.levels) for target in level.targets]
    except PlanError:
        return []


def _broken(policy: EscalationPolicy, there: dict[str, set[UUID]], people: dict[UUID, Person]) -> list[Finding]:
    found = []
    for kind, target in dict.fromkeys(_targets(policy)):
        if target not in there[kind]:
            sentence = _gone(kind)
        elif kind == "member" and target in people and not people[target].contacts:
            sentence = _("It calls %(name)s, who has no verified contact.") % {"name": people[target].name}
        else:
            continue
        found.append(Finding(kind="target", name=policy.name, sentence=sentence, policy=policy.pk))
    return found


def _gone(kind: str) -> str:
    sentences = {
        "schedule": _("It names a schedule that is gone."),
        "member": _("It names a member who is gone."),
        "channel": _("It names a channel that is gone."),
    }
    return sentences[kind]
