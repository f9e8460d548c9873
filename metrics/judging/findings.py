"""Findings: opened and closed in sets, with all that says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Max
from django.db.models.functions import Coalesce, Greatest

from metrics.judging.outcomes import Evidence, Outcome
from metrics.judging.rules import Rule
from metrics.judging.states import Identity, moment
from metrics.judging.subjects import Subject
from metrics.judging.telling import decide
from metrics.models import Finding, Kind
from metrics.thresholds.conditions import Bounds
from metrics.thresholds.crossing import limit_crossed
from metrics.thresholds.phases import Change
from metrics.trust.precision import Precision
from tenants.context import current_tenant_id

_CLOSED: Final = ("ended_at", "ended_because")
_SPANS: Final = {60: "min", 3_600: "h", 86_400: "d"}


@dataclass
class News:
    """What findings began and which ended, for those who tell about them."""

    opened: list[Finding] = field(default_factory=list)
    closed: list[Finding] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.opened) + len(self.closed)


def write_findings(outcomes: Sequence[Outcome], precision: dict[UUID, Precision]) -> News:
    """Open and close findings as the outcomes say: one look at what there is, one insert, one update."""
    changed = [one for one in outcomes if one.changes]
    if not changed:
        return News()
    identities = {one.subject.identity for one in changed}
    open_ones, known_until = _open_of(identities), _known_until(identities)
    news = News()
    for outcome in changed:
        _follow(outcome, open_ones, known_until.get(outcome.subject.identity), precision, news)
    new = {one.pk for one in news.opened}
    # First what is over: a subject has one open finding at a time.
    Finding._default_manager.bulk_update([one for one in news.closed if one.pk not in new], _CLOSED)
    Finding._default_manager.bulk_create(news.opened)
    return news


def _follow(
    outcome: Outcome,
    open_ones: dict[Identity, Finding],
    known_until: datetime | None,
    precision: dict[UUID, Precision],
    news: News,
) -> None:
    subject = outcome.subject
    for change, evidence in outcome.changes:
        at = moment(change.at)
        found = open_ones.get(subject.identity)
        if change.is_raised and found is None:
            # A late sample makes the course be judged once more from there: what was found then is known.
            if known_until is not None and at <= known_until:
                continue
            found = new_finding(subject, change, evidence, precision.get(subject.rule.id, Precision()))
            open_ones[subject.identity] = found
            news.opened.append(found)
        elif not change.is_raised and found is not None:
            found.ended_at, found.ended_because = at, evidence.details.get("ended", "recovered")
            del open_ones[subject.identity]
            news.closed.append(found)


def _open_of(identities: set[Identity]) -> dict[Identity, Finding]:
    rows = Finding._default_manager.filter(
        ended_at=None, threshold_id__in={one[0] for one in identities}, subject__in={one[1] for one in identities}
    )
    found = {(row.threshold_id, bytes(row.subject)): row for row in rows}
    return {identity: row for identity, row in found.items() if identity in identities}


def _known_until(identities: set[Identity]) -> dict[Identity, datetime]:
    rows = (
        Finding._default_manager.filter(
            threshold_id__in={one[0] for one in identities}, subject__in={one[1] for one in identities}
        )
        .order_by()
        .values_list("threshold_id", "subject")
        .annotate(until=Max(Greatest("raised_at", Coalesce("ended_at", "raised_at"))))
    )
    return {(row[0], bytes(row[1])): row[2] for row in rows}


def new_finding(subject: Subject, change: Change, evidence: Evidence, precision: Precision) -> Finding:
    """A finding with everything that says why; not saved yet."""
    rule, details = subject.rule, dict(evidence.details)
    limit = details.pop("limit", None)
    telling = decide(
        rule.kind,
        rule.paging,
        rule.severity,
        certainty=float(details.pop("certainty", 1.0)),
        quality=subject.quality,
        precision=precision,
    )
    only = subject.only
    value, expected, began = _shown(change, evidence, details)
    return Finding(
        tenant_id=current_tenant_id(),
        threshold_id=rule.id,
        series_id=only.id if only is not None else None,
        subject=subject.key,
        kind=rule.kind,
        metric=subject.metric,
        labels=dict(subject.labels),
        unit=unit_of(rule, subject, details),
        severity=telling.severity,
        began_at=began,
        raised_at=moment(change.at),
        value=value,
        expected=expected,
        low=evidence.low,
        high=evidence.high,
        limit=limit if limit is not None else _limit(rule, evidence),
        score=evidence.score,
        confidence=telling.confidence,
        quality=subject.quality,
        why=details | {"precision": precision.share, "judged": precision.judged},
        is_told=telling.is_told,
        told_because=telling.because,
    )


def _shown(change: Change, evidence: Evidence, details: dict[str, Any]) -> tuple[float | None, float | None, datetime]:
    """The numbers of a finding and since when: of a lasting change what was before and after, else of the sample."""
    if "changed_at" not in details:
        return evidence.value, evidence.expected, moment(change.since)
    return details["after"], details["before"], datetime.fromisoformat(details["changed_at"])


def _limit(rule: Rule, evidence: Evidence) -> float | None:
    if not isinstance(rule.condition, Bounds) or evidence.value is None:
        return None
    return limit_crossed(rule.condition, evidence.value)


def unit_of(rule: Rule, subject: Subject, details: Mapping[str, Any] | None = None) -> str:
    """In what the number of a finding is measured: often not in what the series is."""
    if rule.kind == "comparison":
        return "percent"
    if rule.kind in {"ratio", "composite", "entity"}:
        return "ratio" if rule.kind == "ratio" else ""
    unit = subject.series[0].unit if subject.series else ""
    if rule.kind == "change":
        return _unit_of_change(unit, is_counter=subject.series[0].kind == Kind.COUNTER, details=details or {})
    return f"{unit}/s" if rule.kind == "rate" and unit else unit


def _unit_of_change(unit: str, *, is_counter: bool, details: Mapping[str, Any]) -> str:
    """A counter is watched by its change a second; a trend is so much in a stretch of time."""
    per = details.get("per")
    unit = f"{unit}/s" if is_counter and unit else unit
    return f"{unit}/{_SPANS.get(per, f'{per} s')}" if per and unit else unit
