"""What people thought of findings: taking their verdicts, and what these prove."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from django.db.models import Count
from django.db.models.functions import Now

from alerting import late_facts
from alerting.late_facts import LateFact
from channels.message import Reason
from metrics.judging.naming import labels_of
from metrics.models import Feedback, Finding, MetricsPolicy, Threshold, Verdict
from metrics.trust.precision import WEIGHT_OF_BACKTEST, Precision
from tenants import audit
from tenants.principal import Principal

#: How far one verdict moves the sensitivity of what found it; noise weighs more than praise.
STEPS: Final = {Verdict.USEFUL: 0.01, Verdict.NOISE: -0.03}
MOST_ADJUSTED: Final = 1.0


def policy() -> MetricsPolicy:
    """The running tenant's choices; the defaults where it made none."""
    return MetricsPolicy._default_manager.first() or MetricsPolicy()


def precision_of(thresholds: Collection[UUID]) -> dict[UUID, Precision]:
    """What verdicts and the past prove of these thresholds, in three statements."""
    if not thresholds:
        return {}
    demands = policy()
    counts: dict[tuple[UUID, str], int] = {
        (row[0], row[1]): row[2]
        for row in Feedback._default_manager.filter(finding__threshold_id__in=list(thresholds))
        .order_by()
        .values_list("finding__threshold_id", "verdict")
        .annotate(Count("id"))
    }
    past = dict(Threshold._default_manager.filter(pk__in=list(thresholds)).values_list("pk", "evidence"))
    return {
        pk: Precision(
            useful=counts.get((pk, Verdict.USEFUL), 0) + WEIGHT_OF_BACKTEST * past.get(pk, {}).get("useful", 0),
            noise=counts.get((pk, Verdict.NOISE), 0) + WEIGHT_OF_BACKTEST * past.get(pk, {}).get("noise", 0),
            floor=demands.precision_floor,
            least=demands.least_judged,
        )
        for pk in thresholds
    }


def give(principal: Principal, finding: Finding, verdict: str, note: str = "") -> Feedback:
    """Take a person's verdict in; a second one takes the place of the first, and only a change moves anything."""
    feedback = _take(principal, finding, verdict, note)
    _show(principal, [finding], verdict)
    return feedback


def give_all(principal: Principal, findings: Sequence[UUID], verdict: str) -> int:
    """Take a person's verdict on several findings in (`settings.FEEDBACK_TAKER`); return how many of them there are."""
    known = list(Finding._default_manager.filter(pk__in=list(findings)).select_related("threshold").order_by("pk"))
    for finding in known:
        _take(principal, finding, verdict, "")
    _show(principal, known, verdict)
    return len(known)


def _take(principal: Principal, finding: Finding, verdict: str, note: str) -> Feedback:
    principal.require("act_on_alerts")
    actor = f"{principal.kind}:{principal.id}"[:200]
    before = Feedback._default_manager.filter(finding=finding, actor=actor).select_for_update().first()
    feedback, _made = Feedback._default_manager.update_or_create(
        finding=finding, actor=actor, defaults={"verdict": verdict, "note": note[:500], "at": Now()}
    )
    feedback.refresh_from_db()
    audit.record(principal, "finding.judged", finding, after={"verdict": verdict, "note": note})
    if before is None or before.verdict != verdict:
        _move(finding, verdict, before.verdict if before is not None else "")
    return feedback


def _show(principal: Principal, findings: Sequence[Finding], verdict: str) -> None:
    """Let the messages that told of them show what was said, and by whom."""
    said = {"verdict": verdict, "verdict_by": principal.label[:200]}
    told = [one for one in findings if one.is_told]
    facts = [LateFact(labels=labels_of(one, one.threshold), finding_id=str(one.pk), annotations=said) for one in told]
    late_facts.add(principal, facts, Reason.JUDGED)


def _move(finding: Finding, verdict: str, before: str) -> None:
    """Move the sensitivity of the threshold; where it may go is bounded by what people set on it."""
    if finding.kind not in {"adaptive", "change", "entity"}:
        return
    step = STEPS[Verdict(verdict)] - (STEPS[Verdict(before)] if before else 0.0)
    threshold = Threshold._default_manager.select_for_update().get(pk=finding.threshold_id)
    threshold.adjustment = max(-MOST_ADJUSTED, min(MOST_ADJUSTED, threshold.adjustment + step))
    threshold.save(update_fields=["adjustment"])
