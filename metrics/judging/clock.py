"""What no sample brings about: series that fell silent, findings that go on, and those nobody can judge any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db.models import Max

from metrics.judging import alerts, due
from metrics.judging.findings import News, new_finding
from metrics.judging.outcomes import Evidence
from metrics.judging.rules import Rule, load_rules
from metrics.judging.states import moment
from metrics.judging.subjects import SeriesRow, Subject, read_series
from metrics.models import DetectorState, Finding, Series
from metrics.thresholds.conditions import Absence
from metrics.thresholds.phases import Change, Phase
from metrics.trust.precision import Precision
from metrics.trust.verdicts import precision_of
from tenants.context import tenant_context
from tenants.models import Tenant

log = structlog.get_logger(__name__)

#: A series that has been silent for so long is gone for good; nobody is told of it any more.
GONE: Final = timedelta(days=3)
#: A finding whose series sends nothing for so long (or six of its intervals) cannot be judged: it is over.
SILENT: Final = timedelta(hours=1)


def look_all() -> None:
    """Look at every active tenant once; a failing one does not keep the others."""
    for tenant_id in Tenant.objects.filter(is_active=True).values_list("id", flat=True):
        try:
            look(tenant_id)
        except Exception:  # looked at again next time, with all that this one left undone
            log.exception("look at the clock failed", tenant=str(tenant_id))


def look(tenant_id: UUID) -> int:
    """Open and close findings of silence, end what cannot be judged, repeat what goes on; return the alerts sent."""
    with tenant_context(tenant_id):
        if not due.take_turn(tenant_id):
            return 0
        rules = {rule.id: rule for rule in load_rules(also_inactive=True)}
        if not rules:
            return 0
        now = moment(due.database_time())
        open_ones = list(Finding._default_manager.filter(ended_at=None).select_related("series"))
        absences = [rule for rule in rules.values() if rule.is_active and isinstance(rule.condition, Absence)]
        news = _absences(absences, open_ones, now)
        news.closed += _unjudged(open_ones, rules, now)
        Finding._default_manager.bulk_create(news.opened)
        Finding._default_manager.bulk_update(news.closed, ("ended_at", "ended_because"))
        sent = alerts.tell(news, rules, now)
        closed = {one.pk for one in news.closed}
        sent += alerts.repeat([one for one in open_ones if one.pk not in closed and _is_due(one, now)], rules, now)
        return sent


def _is_due(finding: Finding, now: datetime) -> bool:
    told_at = finding.told_at
    return finding.is_told and (told_at is None or now - told_at >= alerts.REPEATED_AFTER)


def _absences(rules: Sequence[Rule], open_ones: Sequence[Finding], now: datetime) -> News:
    """Which series fell silent, and which are back."""
    news = News()
    if not rules:
        return news
    shortest = min(_after(rule) for rule in rules)
    open_by = {(one.threshold_id, bytes(one.subject)): one for one in open_ones if one.kind == "absence"}
    back_or_gone = {key: one for key, one in open_by.items() if _ended(one, now) is not None}
    precision = precision_of({rule.id for rule in rules if rule.paging == "earned"})
    for row in _silent(rules, now - shortest, now):
        for rule in rules:
            if row.last_at is None or now - row.last_at < _after(rule) or not rule.takes(row.metric, row.labels):
                continue
            subject = Subject(rule, row.label_hash, row.metric, row.labels, (row,), 0.0)
            if subject.identity not in open_by:
                change = Change(0, now.timestamp(), row.last_at.timestamp(), is_raised=True)
                news.opened.append(new_finding(subject, change, Evidence(), precision.get(rule.id, Precision())))
    for one in back_or_gone.values():
        one.ended_at, one.ended_because = now, _ended(one, now) or ""
        news.closed.append(one)
    return news


def _after(rule: Rule) -> timedelta:
    return timedelta(seconds=rule.condition.after if isinstance(rule.condition, Absence) else 0)


def _silent(rules: Sequence[Rule], since: datetime, now: datetime) -> list[SeriesRow]:
    rows = Series._default_manager.filter(last_at__lte=since, last_at__gt=now - GONE)
    metrics = {metric for rule in rules for metric in rule.metrics}
    if all(rule.metrics for rule in rules):
        rows = rows.filter(metric__in=metrics)
    return read_series(numbers=list(rows.values_list("number", flat=True)))


def _ended(finding: Finding, now: datetime) -> str | None:
    last_at = finding.series.last_at if finding.series is not None else None
    if last_at is None or last_at > finding.began_at:
        return "recovered"
    return "gone" if now - last_at >= GONE else None


def _unjudged(open_ones: Sequence[Finding], rules: dict[UUID, Rule], now: datetime) -> list[Finding]:
    """Findings of thresholds that are off, and of series that send nothing any more."""
    over = []
    for one in open_ones:
        rule = rules.get(one.threshold_id)
        is_off = rule is None or not rule.is_active
        if one.ended_at is not None or (one.kind == "absence" and not is_off):
            continue
        reason = "switched_off" if is_off else _fell_silent(one, rule, now)
        if reason:
            one.ended_at, one.ended_because = now, reason
            over.append(one)
    if over:
        subjects = DetectorState._default_manager.filter(
            threshold_id__in={one.threshold_id for one in over}, subject__in=[one.subject for one in over]
        )
        subjects.update(phase=int(Phase.CALM), until=datetime.fromtimestamp(now.timestamp(), UTC))
    return over


def _fell_silent(finding: Finding, rule: Rule | None, now: datetime) -> str:
    last_at, interval = _last_word(finding, rule)
    if last_at is None:
        return ""
    shortest = timedelta(seconds=due.ALIVE) if finding.kind == "forecast" else SILENT
    return "no_data" if now - last_at > max(shortest, timedelta(seconds=6 * interval)) else ""


def _last_word(finding: Finding, rule: Rule | None) -> tuple[datetime | None, float]:
    """When the series of a finding sent anything for the last time, and how far apart its samples lie."""
    if finding.series is not None:
        return finding.series.last_at, finding.series.interval
    if rule is None:
        return None, 0.0
    joined = Series._default_manager.filter(metric__in=rule.metrics, labels__contains=finding.labels)
    found = joined.aggregate(last=Max("last_at"), slowest=Max("interval"))
    return found["last"], found["slowest"] or 0.0
