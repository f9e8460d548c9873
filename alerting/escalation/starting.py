"""What a look at groups means for their escalations: started, begun anew, held while muted, ended."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction

from alerting import timeline, wakeup
from alerting.deciding import Verdict
from alerting.due_groups import DueGroup
from alerting.escalation import rows
from alerting.escalation.plan import Plan, PlanError, check_levels
from alerting.escalation.rows import Running
from alerting.exclusive import Moment
from alerting.models import EscalationPolicy, EscalationState
from alerting.routing import RouteTree
from alerting.timeline import Event, Kind, Why
from tenants.isolation import new_id

HELD = (EscalationState.MUTED.value, EscalationState.ACKNOWLEDGED.value)


def follow(verdicts: Sequence[Verdict], routes: RouteTree | None, moment: Moment) -> None:
    """Bring the escalations of these groups in line; a fixed number of statements, most often one."""
    known: dict[UUID, dict[UUID, Running]] = {}
    for one in rows.of_groups(verdict.group.id for verdict in verdicts):
        known.setdefault(one.group_id, {})[one.policy_id] = one
    wanted = {verdict.group.id: wanted_policies(verdict.group, routes) for verdict in verdicts}
    if not known and not any(wanted.values()):
        return
    course = _Course(moment, _read_plans(wanted, known))
    for verdict in verdicts:
        course.follow(verdict, wanted[verdict.group.id], known.get(verdict.group.id, {}))
    rows.stop_telling(course.stopped, "muted, re-routed or over")
    rows.set_timers((one.id, one.due_at) for one in course.set_going)
    rows.write([*course.stopped, *course.set_going])
    timeline.record(course.events)
    if any(one.due_at is not None and one.due_at <= moment.now for one in course.set_going):
        transaction.on_commit(lambda: wakeup.ring(wakeup.ESCALATIONS, moment.tenant_id))


def wanted_policies(group: DueGroup, routes: RouteTree | None) -> dict[UUID, int]:
    """The policies that the routes of its firing alerts name, with the highest severity each is wanted for."""
    found: dict[UUID, int] = {}
    if routes is None:
        return found
    for alert in group.alerts:
        if not alert.is_firing or alert.muted_by or alert.flapping.is_flapping:
            continue
        for route in routes.route(alert.labels):
            if route.policy_id is not None:
                found[route.policy_id] = max(found.get(route.policy_id, 0), alert.severity)
    return found


def _read_plans(
    wanted: Mapping[UUID, Mapping[UUID, int]], known: Mapping[UUID, Mapping[UUID, Running]]
) -> dict[UUID, Plan | None]:
    missing = {policy for group, ones in wanted.items() for policy in ones if policy not in known.get(group, {})}
    if not missing:
        return {}
    return {row.pk: plan_of(row) for row in EscalationPolicy._default_manager.filter(pk__in=missing)}


def plan_of(policy: EscalationPolicy) -> Plan | None:
    """What an escalation keeps of a policy; None when it cannot be used."""
    try:
        levels = check_levels(policy.levels)
    except PlanError:
        return None
    timeout = policy.acknowledge_timeout
    return Plan(
        name=policy.name,
        levels=levels,
        repeat_count=policy.repeat_count,
        repeat_wait=int(policy.repeat_wait.total_seconds()),
        acknowledge_timeout=None if timeout is None else int(timeout.total_seconds()),
    )


class _Course(msgspec.Struct):
    """Collects what changes."""

    moment: Moment
    plans: Mapping[UUID, Plan | None]
    stopped: list[Running] = []
    set_going: list[Running] = []
    events: list[Event] = []

    def follow(self, verdict: Verdict, wanted: Mapping[UUID, int], known: Mapping[UUID, Running]) -> None:
        """Decide for one group."""
        group = verdict.group
        if verdict.closes or group.status == "resolved":
            self._end(group.id, known.values(), Why.GROUP_OVER)
            return
        if group.status == "acknowledged":
            return
        for policy_id, severity in wanted.items():
            if policy_id in known:
                self._go_on(known[policy_id], severity)
            else:
                self._start(group.id, policy_id, severity)
        others = [one for policy_id, one in known.items() if policy_id not in wanted]
        if wanted:
            self._end(group.id, others, Why.REROUTED)
        elif any(alert.is_firing for alert in group.alerts):
            self._mute(others)

    def _start(self, group_id: UUID, policy_id: UUID, severity: int) -> None:
        if policy_id not in self.plans:
            return
        plan, now = self.plans[policy_id], self.moment.now
        if plan is None:
            self._say(Kind.ESCALATION_ENDED, group_id, Why.BROKEN_POLICY, {"policy_id": str(policy_id)})
            return
        self.set_going.append(
            Running(
                id=new_id(),
                group_id=group_id,
                policy_id=policy_id,
                plan=plan,
                severity=severity,
                started_at=now,
                due_at=now + plan.wait(0),
            )
        )
        self._say(Kind.ESCALATION_STARTED, group_id, "", {"policy": plan.name})

    def _go_on(self, one: Running, severity: int) -> None:
        if severity > one.severity:
            one.restart(severity, self.moment.now)
            self.set_going.append(one)
            self._say(Kind.ESCALATION_STARTED, one.group_id, "severity_raised", {"policy": one.plan.name})
        elif one.state in HELD:
            one.resume(self.moment.now)
            self.set_going.append(one)
            self._say(Kind.ESCALATION_RESUMED, one.group_id, "", {"policy": one.plan.name})

    def _mute(self, ones: Iterable[Running]) -> None:
        for one in ones:
            if one.state in HELD:
                continue
            one.hold(EscalationState.MUTED, self.moment.now)
            self.stopped.append(one)
            self._say(Kind.ESCALATION_HELD, one.group_id, Why.ALL_MUTED, {"policy": one.plan.name})

    def _end(self, group_id: UUID, ones: Iterable[Running], why: Why) -> None:
        for one in ones:
            one.end(why)
            self.stopped.append(one)
            self._say(Kind.ESCALATION_ENDED, group_id, why, {"policy": one.plan.name})

    def _say(self, kind: Kind, group_id: UUID, reason: str, data: dict[str, Any]) -> None:
        self.events.append(Event(kind=kind, group_id=group_id, reason=reason, data=data))
