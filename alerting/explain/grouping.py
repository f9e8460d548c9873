"""Grouping, told: which rule takes the alert, which were passed over and why, and which group it lands in."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting.explain.story import Detail, Step, StepKind, Verdict
from alerting.explain.words import Clock, listed, mismatch, pairs
from alerting.grouping import EVERY_LABEL, Group, Grouping, MissedRule
from alerting.models import AlertGroup, GroupStatus


def rule(grouping: Grouping, group: Group, labels: Mapping[str, str]) -> Step:
    """The step that says by which rule the alert is grouped."""
    details = [_missed(one, labels) for one in grouping.missed(labels)]
    details.append(_taken(group))
    return Step(
        kind=StepKind.GROUPING,
        verdict=Verdict.PASSED,
        title=_("Grouping rule"),
        sentence=_by(group),
        details=tuple(details),
    )


def _by(group: Group) -> str:
    values = {"rule": group.rule.name, "labels": listed(group.rule.group_by)}
    if group.rule.id is None:
        return _("No rule takes it, so it is grouped by %(labels)s.") % values
    if EVERY_LABEL in group.rule.group_by:
        return _("“%(rule)s” takes it: every alert is told on its own.") % values
    if not group.rule.group_by:
        return _("“%(rule)s” takes it: all its alerts are told together.") % values
    return _("“%(rule)s” takes it: alerts with the same %(labels)s are told together.") % values


def _taken(group: Group) -> Detail:
    sentence = _("What its group has in common: %(labels)s.") % {"labels": pairs(group.labels) or _("nothing")}
    return Detail(
        verdict=Verdict.PASSED,
        code="taken",
        subject="grouping_rule",
        id=group.rule.id,
        name=group.rule.name,
        sentence=sentence,
        data={"labels": dict(group.labels), "key": group.key.hex()},
    )


def _missed(one: MissedRule, labels: Mapping[str, str]) -> Detail:
    sentence = _("“%(name)s” does not take it: %(why)s.")
    return Detail(
        verdict=Verdict.MISSED,
        code="not_matched",
        subject="grouping_rule",
        id=one.rule.id,
        name=one.rule.name,
        sentence=sentence % {"name": one.rule.name, "why": mismatch(one.failed, labels)},
        data={"failed": str(one.failed), "seen": labels.get(one.failed.name, "")},
    )


def group(found: AlertGroup | None, clock: Clock, *, is_member: bool) -> Step:
    """The step that says which group the alert lands in; `found` is the open one, if there is one."""
    if found is None:
        return Step(
            kind=StepKind.GROUP,
            verdict=Verdict.PASSED,
            title=_("Group"),
            sentence=_("No such group is open, so it opens a new one."),
        )
    sentence = (
        _("It belongs to the open group “%(title)s”.") if is_member else _("It joins the open group “%(title)s”.")
    )
    return Step(
        kind=StepKind.GROUP,
        verdict=Verdict.PASSED,
        title=_("Group"),
        sentence=sentence % {"title": found.title},
        details=(_state(found, clock),),
    )


def left_alone(found: AlertGroup | None, clock: Clock) -> Step:
    """The step of an alert that does not fire: it stays where it is, or nowhere."""
    if found is not None:
        return group(found, clock, is_member=True)
    return Step(
        kind=StepKind.GROUP,
        verdict=Verdict.QUIET,
        title=_("Group"),
        sentence=_("It is in no open group, and a resolved alert opens none. So there is nobody to tell."),
    )


def _state(found: AlertGroup, clock: Clock) -> Detail:
    values = {
        "opened": clock.at(found.opened_at),
        "firing": ngettext("%(count)d alert firing", "%(count)d alerts firing", found.firing_count)
        % {"count": found.firing_count},
        "who": found.acknowledged_by,
        "when": clock.at(found.acknowledged_at) if found.acknowledged_at else "",
    }
    is_acknowledged = found.status == GroupStatus.ACKNOWLEDGED
    sentence = _("It opened at %(opened)s and has %(firing)s.")
    if is_acknowledged:
        sentence = _("It opened at %(opened)s, has %(firing)s, and was acknowledged by %(who)s at %(when)s.")
    return Detail(
        verdict=Verdict.NOTED,
        code=found.status,
        subject="group",
        id=found.pk,
        name=found.title,
        at=found.opened_at,
        sentence=sentence % values,
        data={"firing_count": found.firing_count, "alert_count": found.alert_count, "is_flapping": found.is_flapping},
    )
