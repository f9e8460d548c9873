"""Whom the escalation policies of its routes would call, told: level by level, while nobody acknowledges."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from alerting.escalation import would_be_called
from alerting.escalation.foretelling import Step as Call
from alerting.explain.prospect import Prospect
from alerting.explain.story import Detail, Step, StepKind, Verdict
from alerting.explain.words import Clock, listed
from alerting.pipeline.news import FIRING
from alerting.timeline import why_title
from channels import registry


def escalation(prospect: Prospect, clock: Clock) -> Step | None:
    """The step of escalation; None where no route starts a policy, or the alert is over or muted."""
    if prospect.assessed.row.status != FIRING or prospect.witness.mutes(prospect.labels):
        return None
    calls = would_be_called(prospect.labels, prospect.decided_at)
    if not calls:
        return None
    reached = list(dict.fromkeys(one.whom for one in calls if not one.nobody))
    sentence = _("While nobody acknowledges, the escalation calls nobody: none of its levels reaches anyone.")
    if reached:
        sentence = _("While nobody acknowledges, the escalation calls %(names)s.") % {"names": listed(reached)}
    return Step(
        kind=StepKind.ESCALATION,
        verdict=Verdict.PASSED if reached else Verdict.FAULT,
        title=_("Escalation"),
        sentence=sentence,
        details=tuple(_detail(one, dict(registry.choices()), clock) for one in calls),
    )


def _detail(call: Call, kinds: Mapping[str, str | Promise], clock: Clock) -> Detail:
    values = {
        "at": clock.at(call.at),
        "who": call.whom,
        "how": kinds.get(call.how, call.how),
        "level": call.level,
        "policy": call.policy,
        "why": why_title(call.nobody),
    }
    if call.nobody:
        sentence = _("%(at)s: %(who)s is not reached (%(why)s); level %(level)d of “%(policy)s”.")
    else:
        sentence = _("%(at)s: %(who)s by %(how)s; level %(level)d of “%(policy)s”.")
    return Detail(
        verdict=Verdict.QUIET if call.nobody else Verdict.PASSED,
        code="not_called" if call.nobody else "called",
        name=call.whom,
        at=call.at,
        sentence=sentence % values,
        data={"recipient": call.recipient, "schedule": call.schedule, "level": call.level},
    )
