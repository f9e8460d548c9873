"""Findings as alerts: through the same door as everybody else's, with the same labels when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models.functions import Now
from django.utils import translation

from alerting.decoding import Decoded, NativeAlert
from alerting.decoding.limits import MAX_ANNOTATION_VALUE
from alerting.intake import accept
from channels.languages.voice import Voice
from metrics.catalogue import advice
from metrics.charts.links import chart_url, finding_url
from metrics.judging import texts
from metrics.judging.cause_texts import causes_brief
from metrics.judging.findings import News
from metrics.judging.naming import labels_of
from metrics.judging.rules import Rule
from metrics.models import Finding
from tenants.context import current_tenant_id
from tenants.models import Tenant
from tenants.principal import system

SOURCE: Final = "metrics"
#: An alert ends by itself so long after the last word from here; the word is repeated well before.
LASTS: Final = timedelta(minutes=20)
REPEATED_AFTER: Final = timedelta(minutes=5)
AT_ONCE: Final = 500


def tell(news: News, rules: Mapping[UUID, Rule], now: datetime) -> int:
    """Send what began and what is over, as far as somebody is to be told; return how many alerts that were."""
    opened = [one for one in news.opened if one.is_told]
    closed = [one for one in news.closed if one.is_told]
    if opened:
        Finding._default_manager.filter(pk__in=[one.pk for one in opened]).update(told_at=Now())
    alerts = _alerts(opened, rules, now, is_over=False) + _alerts(closed, rules, now, is_over=True)
    _send(alerts)
    return len(alerts)


def repeat(findings: Iterable[Finding], rules: Mapping[UUID, Rule], now: datetime) -> int:
    """Say once more that these go on, so that their alerts do not end by themselves."""
    going_on = list(findings)
    alerts = _alerts(going_on, rules, now, is_over=False)
    if alerts:
        Finding._default_manager.filter(pk__in=[one.pk for one in going_on]).update(told_at=Now())
        _send(alerts)
    return len(alerts)


def _send(alerts: list[NativeAlert]) -> None:
    principal = system(current_tenant_id(), "metrics")
    for first in range(0, len(alerts), AT_ONCE):
        accept(principal, SOURCE, Decoded(alerts[first : first + AT_ONCE], []))


def _alerts(findings: list[Finding], rules: Mapping[UUID, Rule], now: datetime, *, is_over: bool) -> list[NativeAlert]:
    known = [(one, rules[one.threshold_id]) for one in findings if one.threshold_id in rules]
    if not known:
        return []
    locale, zone = Tenant.objects.values_list("locale", "time_zone").get(pk=current_tenant_id())
    voice = Voice(locale, zone, now)
    with translation.override(locale):
        return [_alert(finding, rule, voice, now, is_over) for finding, rule in known]


def _alert(finding: Finding, rule: Rule, voice: Voice, now: datetime, is_over: bool) -> NativeAlert:
    return NativeAlert(
        labels=labels_of(finding, rule),
        annotations=annotations_of(finding, rule, voice),
        severity=finding.severity,
        status="resolved" if is_over else "firing",
        starts_at=finding.began_at,
        ends_at=finding.ended_at if is_over else now + LASTS,
        generator_url=finding_url(finding),
        metric_name=finding.metric[:200],
        metric_value=finding.value,
    )


def annotations_of(finding: Finding, rule: Rule, voice: Voice) -> dict[str, str]:
    """The facts, under the names by which messages say them in their reader's language, and why."""
    reasons = [f"{name}: {text}" for name, text in texts.reasons(finding, voice)]
    said = [*advice(rule.labels), *reasons]
    facts = {
        "summary": texts.summary(finding, voice),
        "description": "\n".join(said),
        "value": _plain(finding.value),
        "unit": finding.unit,
        "threshold": _plain(finding.limit),
        "expected": _plain(finding.expected),
        "lower": _plain(finding.low),
        "upper": _plain(finding.high),
        "direction": "above" if texts.is_above(finding) else "below",
        "for_seconds": str(int(rule.hold)) if rule.hold else "",
        "reaches_at": str(finding.why.get("crosses_at", "")),
        "change": str(finding.why.get("change", "")),
        "changed_at": str(finding.why.get("changed_at", "")),
        "ended_because": finding.ended_because,
        "moved_with": causes_brief(finding.causes),
        "runbook_url": rule.runbook_url,
        "chart_url": chart_url(finding),
        "finding_id": str(finding.pk),
    }
    return {name: text[:MAX_ANNOTATION_VALUE] for name, text in facts.items() if text}


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.12g}"
