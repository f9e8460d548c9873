"""What people thought of findings: taking their verdicts, and what these prove."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db.models import Count
from django.db.models.functions import Now

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
    principal.require("act_on_alerts")
    actor = f"{principal.kind}:{principal.id}"
    before = Feedback._default_manager.filter(finding=finding, actor=actor).select_for_update().first()
    feedback, _made = Feedback._default_manager.update_or_create(
        finding=finding, actor=actor, defaults={"verdict": verdict, "note": note[:500], "at": Now()}
    )
    feedback.refresh_from_db()
    audit.record(principal, "finding.judged", finding, after={"verdict": verdict, "note": note})
    if before is None or before.verdict != verdict:
        _move(finding, verdict, before.verdict if before is not None else "")
    return feedback


def _move(finding: Finding, verdict: str, before: str) -> None:
    """Move the sensitivity of the threshold; where it may go is bounded by what people set on it."""
    if finding.kind not in {"adaptive", "entity"}:
        return
    step = STEPS[Verdict(verdict)] - (STEPS[Verdict(before)] if before else 0.0)
    threshold = Threshold._default_manager.select_for_update().get(pk=finding.threshold_id)
    threshold.adjustment = max(-MOST_ADJUSTED, min(MOST_ADJUSTED, threshold.adjustment + step))
    threshold.save(update_fields=["adjustment"])
