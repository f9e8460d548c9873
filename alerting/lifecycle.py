"""What people do with a group: the only way its status changes by hand.

Each act is one transaction in the tenant's turn, with its line in the timeline and its entry in the audit log.
Doing what is done already changes nothing; what the state forbids raises IllegalStep.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from alerting import status_news, timeline, timers, wakeup
from alerting.escalation import keeping
from alerting.exclusive import Moment, take_turn
from alerting.grouping import DEFAULT_GROUP_BY, EVERY_LABEL
from alerting.models import AlertGroup, GroupingRule, GroupStatus, Silence
from alerting.rows import fetch
from alerting.silencing import create_silence
from alerting.timeline import Event, Kind, Why
from channels.message import Reason
from tenants import audit
from tenants.context import tenant_context
from tenants.models import Membership, User
from tenants.principal import Principal

MAX_COMMENT: Final = 4_000

FIRING, ACKNOWLEDGED, RESOLVED = GroupStatus.FIRING, GroupStatus.ACKNOWLEDGED, GroupStatus.RESOLVED

#: From where an act leads where. A status that leads to itself is done already; one that is missing forbids the act.
STEPS: Final[dict[str, dict[str, str]]] = {
    "acknowledge": {FIRING: ACKNOWLEDGED, ACKNOWLEDGED: ACKNOWLEDGED},
    "unacknowledge": {ACKNOWLEDGED: FIRING, FIRING: FIRING},
    "resolve": {FIRING: RESOLVED, ACKNOWLEDGED: RESOLVED, RESOLVED: RESOLVED},
}

_RESOLVE_ALERTS: Final = """
UPDATE alert SET status = 'resolved', resolved_at = statement_timestamp(), resolved_because = 'person',
    changed_at = statement_timestamp(), muted_by = NULL, is_flapping = false, changes = '{}'
WHERE tenant_id = %s AND group_id = %s AND (status = 'firing' OR is_flapping OR muted_by IS NOT NULL)
RETURNING id, is_inhibitor
"""


class IllegalStep(Exception):
    """The group is in a state that does not allow the act; a conflict, not a fault of the request."""

    def __init__(self, act: str, status: str) -> None:
        super().__init__(_("This group is %(status)s.") % {"status": GroupStatus(status).label})
        self.act = act
        self.status = status


class NothingToSilence(ValueError):
    """The group has no label a silence could hold on to: it would mute everything."""


def acknowledge(principal: Principal, group_id: UUID, reason: str = "") -> AlertGroup:
    """Say that somebody works on it: it is not repeated any more; what is new is still told."""
    with _acting(principal, group_id) as (group, moment):
        if _step(group, "acknowledge", acknowledged_at=moment.now, acknowledged_by=principal.label[:200]):
            _record(principal, group, Kind.ACKNOWLEDGED, FIRING, reason)
            keeping.acknowledged(group.pk, moment.now)
            status_news.tell(principal, group.pk, Reason.ACKNOWLEDGED, moment)
    return group


def unacknowledge(principal: Principal, group_id: UUID, reason: str = "", *, timed_out: bool = False) -> AlertGroup:
    """Take the acknowledgement back, or note that it ran out: repeats go on from when it was told last."""
    with _acting(principal, group_id) as (group, moment):
        if _step(group, "unacknowledge", acknowledged_at=None, acknowledged_by=""):
            timers.bring_forward([(str(group.pk), moment.now)])
            _record(principal, group, Kind.UNACKNOWLEDGED, ACKNOWLEDGED, reason, why=Why.TIMED_OUT if timed_out else "")
            keeping.unacknowledged(group.pk, moment.now, timed_out=timed_out)
            status_news.tell(principal, group.pk, Reason.UNACKNOWLEDGED, moment)
            _wake(principal)
    return group


def resolve(principal: Principal, group_id: UUID, reason: str = "") -> AlertGroup:
    """End the group and its alerts until they fire anew; whoever was told that it fires is told that it is over."""
    with _acting(principal, group_id) as (group, moment):
        before = group.status
        if not _step(group, "resolve", resolved_at=moment.now, firing_count=0, is_flapping=False):
            return group
        ended = fetch(_RESOLVE_ALERTS, [moment.tenant_id, group.pk])
        timeline.record(
            [
                Event(
                    kind=Kind.RESOLVED,
                    group_id=group.pk,
                    alert_id=alert_id,
                    reason=Why.BY_PERSON,
                    actor=principal.label,
                )
                for alert_id, _is_inhibitor in ended
            ]
        )
        timers.bring_forward([(str(group.pk), moment.now)])
        if any(is_inhibitor for _alert_id, is_inhibitor in ended):
            timers.look_at_inhibited()
        _record(principal, group, Kind.CLOSED, before, reason, why=Why.BY_PERSON)
        keeping.resolved(group.pk)
        _wake(principal)
    return group


def comment(principal: Principal, group_id: UUID, text: str) -> AlertGroup:
    """Add a line of text to the timeline."""
    text = text.strip()[:MAX_COMMENT]
    if not text:
        raise ValueError(_("Write a comment."))
    with _acting(principal, group_id) as (group, moment):
        timeline.record([Event(kind=Kind.COMMENT, group_id=group.pk, actor=principal.label, data={"text": text})])
        audit.record(principal, "alertgroup.commented", group, after={"text": text})
        status_news.tell(principal, group.pk, Reason.COMMENT, moment, text)
    return group


def assign(principal: Principal, group_id: UUID, user: User | None) -> AlertGroup:
    """Give the group to a member of the tenant, or to nobody."""
    with _acting(principal, group_id) as (group, moment):
        if group.assigned_to_id == (user.pk if user else None):
            return group
        if user is not None and not Membership._default_manager.filter(user=user).exists():
            raise ValueError(_("Only a member of this tenant can be given a group."))
        before = group.assigned_to
        group.assigned_to = user
        group.save(update_fields=["assigned_to"])
        names = {"from": str(before or ""), "to": str(user or "")}
        timeline.record([Event(kind=Kind.ASSIGNED, group_id=group.pk, actor=principal.label, data=names)])
        audit.record(
            principal,
            "alertgroup.assigned",
            group,
            before={"assigned_to": names["from"]},
            after={"assigned_to": names["to"]},
        )
        status_news.tell(principal, group.pk, Reason.ASSIGNED, moment, names["to"])
    return group


def silence_group(
    principal: Principal, group_id: UUID, ends_at: datetime, text: str = "", *, origin: str = ""
) -> Silence:
    """Silence what this group is made of: alerts with its labels, in this group and in the next of its kind.

    `text` is what the person wrote; where they wrote nothing, `origin` says in the silence where it was made.
    """
    with _acting(principal, group_id) as (group, moment):
        matchers = silence_matchers(group)
        silence = Silence(matchers=matchers, starts_at=moment.now, ends_at=ends_at, comment=(text or origin)[:500])
        create_silence(principal, silence)
        data = {"silence": str(silence.pk), "until": ends_at.isoformat(), "comment": silence.comment}
        timeline.record([Event(kind=Kind.SILENCED, group_id=group.pk, actor=principal.label, data=data)])
        audit.record(principal, "alertgroup.silenced", group, after=data)
        status_news.tell(principal, group.pk, Reason.SILENCED, moment, text, until=ends_at)
        _wake(principal)
    return silence


def silence_matchers(group: AlertGroup) -> list[dict[str, str]]:
    """Matchers that select the alerts of a group: its rule's, and its labels, also those that all of them lack."""
    rule = GroupingRule._default_manager.filter(pk=group.grouping_rule_id).first() if group.grouping_rule_id else None
    matchers = list(rule.matchers) if rule else []
    names = rule.group_by if rule else DEFAULT_GROUP_BY
    labels = {name: "" for name in names if name != EVERY_LABEL} | group.labels
    matchers += [{"name": name, "op": "=", "value": value} for name, value in sorted(labels.items())]
    if not any(matcher["value"] for matcher in matchers):
        raise NothingToSilence(_("This group has no labels of its own; a silence for it would mute everything."))
    return matchers


@contextmanager
def _acting(principal: Principal, group_id: UUID) -> Iterator[tuple[AlertGroup, Moment]]:
    """Check the permission, take the tenant's turn and read the group; raises AlertGroup.DoesNotExist."""
    principal.require("act_on_alerts")
    with tenant_context(principal.tenant_id):
        moment = take_turn(principal.tenant_id)
        yield AlertGroup._default_manager.get(pk=group_id), moment


def _step(group: AlertGroup, act: str, **values: object) -> bool:
    """Go one step of the table if the status is still what was read; False when there is nothing to do."""
    target = STEPS[act].get(group.status)
    if target is None:
        raise IllegalStep(act, group.status)
    if target == group.status:
        return False
    rows = AlertGroup._default_manager.filter(pk=group.pk, status=group.status)
    if not rows.update(status=target, version=group.version + 1, changed_at=Now(), **values):
        raise IllegalStep(act, group.status)
    group.refresh_from_db()
    return True


def _record(principal: Principal, group: AlertGroup, kind: Kind, before: str, reason: str, why: str = "") -> None:
    data = {"comment": reason} if reason else None
    timeline.record([Event(kind=kind, group_id=group.pk, reason=why, actor=principal.label, data=data)])
    action = f"alertgroup.{'resolved' if kind is Kind.CLOSED else kind.value}"
    audit.record(principal, action, group, before={"status": before}, after={"status": group.status}, reason=reason)


def _wake(principal: Principal) -> None:
    transaction.on_commit(lambda: wakeup.ring(wakeup.GROUPS, principal.tenant_id))
