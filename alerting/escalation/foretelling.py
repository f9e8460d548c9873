"""What comes next: the steps of a running escalation, and whom an alert would call at any time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from alerting.configuration import compile_configuration
from alerting.escalation import notices, rows
from alerting.escalation.plan import Plan
from alerting.escalation.reaching import Book, open_books
from alerting.escalation.starting import plan_of
from alerting.exclusive import Moment, moment
from alerting.models import EscalationPolicy, EscalationState
from tenants.context import current_tenant_id
from tenants.models import User

MAX_SHOWN = 60


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One call that would come if nothing changes: when, whom, at which address; or why nobody."""

    at: datetime
    whom: str
    how: str = ""
    recipient: str = ""
    policy: str = ""
    level: int = 0
    schedule: str = ""
    #: The reason (alerting.timeline.Why) when this reaches nobody.
    nobody: str = ""


def next_steps(group_id: UUID) -> list[Step]:
    """What a group's escalations do next, the soonest first; inside the tenant's context."""
    running = [one for one in rows.of_groups([group_id]) if one.state == EscalationState.RUNNING]
    if not running:
        return []
    now = moment(current_tenant_id())
    steps: list[Step] = []
    waiting = notices.read_waiting([one.id for one in running])
    kinds = {one.id: one.kind for one in compile_configuration(now).channels.values()}
    for one in running:
        steps += [
            Step(
                at=notice.due_at,
                whom=notice.who,
                how=kinds.get(notice.channel_id, ""),
                recipient=notice.recipient,
                policy=one.plan.name,
                level=notice.step % len(one.plan.levels) + 1,
            )
            for notice in waiting.get(one.id, [])
        ]
        if one.due_at is not None:
            steps += _steps(one.plan, one.step, max(one.due_at, now.now), now)
    return sorted(steps, key=lambda step: step.at)[:MAX_SHOWN]


def would_be_called(labels: Mapping[str, str], at: datetime) -> list[Step]:
    """Whom an alert with these labels would call, were it told at `at` and never acknowledged."""
    now = moment(current_tenant_id())
    routes = compile_configuration(now).routes
    if routes is None:
        return []
    wanted = {route.policy_id for route in routes.route(labels) if route.policy_id is not None}
    steps: list[Step] = []
    for policy in EscalationPolicy._default_manager.filter(pk__in=wanted):
        plan = plan_of(policy)
        if plan is not None:
            steps += _steps(plan, 0, at + plan.wait(0), now)
    return sorted(steps, key=lambda step: step.at)[:MAX_SHOWN]


def _steps(plan: Plan, step: int, due_at: datetime, now: Moment) -> list[Step]:
    times = [(step, due_at)]
    while times[-1][0] + 1 < plan.count and len(times) < MAX_SHOWN:
        number = times[-1][0] + 1
        times.append((number, times[-1][1] + plan.wait(number)))
    books = open_books([(plan.level(number), at) for number, at in times], compile_configuration(now))
    names = _names(books)
    return [
        one for (number, at), book in zip(times, books, strict=True) for one in _told(plan, number, at, book, names)
    ]


def _told(plan: Plan, number: int, at: datetime, book: Book, names: Mapping[UUID, str]) -> Sequence[Step]:
    calls, misses = book.calls(plan.level(number))
    level = number % len(plan.levels) + 1
    found = [
        Step(
            at=at + call.after,
            whom=call.who,
            how=book.channels[call.channel_id].kind if call.channel_id in book.channels else "",
            recipient=call.recipient,
            policy=plan.name,
            level=level,
            schedule=call.schedule,
        )
        for call in calls
    ]
    return found + [
        Step(
            at=at,
            whom=miss.name or names.get(miss.target.id, str(miss.target.id)),
            policy=plan.name,
            level=level,
            nobody=miss.why,
        )
        for miss in misses
    ]


def _names(books: Sequence[Book]) -> dict[UUID, str]:
    """The names of people that are on call and no members any more."""
    unknown = {person for book in books for person in book.on_call.values() if person not in book.people}
    return {user.pk: str(user) for user in User.objects.filter(pk__in=unknown)} if unknown else {}


#: How far ahead a foretelling may look.
HORIZON = timedelta(days=366)
