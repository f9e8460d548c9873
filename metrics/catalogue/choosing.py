"""Switches metrics of the catalogue on and off for a tenant, with the thresholds that come with them."""

from __future__ import annotations

from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from alerting.severity import DEFAULT, TITLES, parse
from metrics.catalogue.loading import LABEL, DefaultThreshold, Entry, entry, span, texts
from metrics.models import MetricChoice, Threshold, ThresholdKind
from tenants import audit
from tenants.models import Tenant
from tenants.principal import Principal


class UnknownMetric(LookupError):
    """The catalogue has no metric with this key."""


def switch_on(
    principal: Principal, key: str, metric: str = "", *, settings: dict[str, Any] | None = None
) -> MetricChoice:
    """Let a tenant have a metric, under the name its series have; make the thresholds that are not there yet.

    Inside the tenant's context. A metric that is on already changes its name and keeps its thresholds.
    """
    principal.require("change_configuration")
    found = entry(key)
    if found is None:
        raise UnknownMetric(key)
    choice = MetricChoice.objects.filter(key=key).first() or MetricChoice(key=key, metric=found.metric)
    choice.tenant_id = principal.tenant_id
    choice.metric = metric or choice.metric
    choice.settings = choice.settings if settings is None else settings
    audit.save_audited(principal, choice)
    _make_thresholds(principal, found, choice.metric)
    return choice


def switch_off(principal: Principal, choice: MetricChoice) -> None:
    """Take a metric away; its thresholds are kept and sleep, with whatever people changed in them."""
    principal.require("change_configuration")
    for threshold in _thresholds_of(choice.key):
        threshold.is_active = False
        audit.save_audited(principal, threshold)
    audit.delete_audited(principal, choice)


def _make_thresholds(principal: Principal, found: Entry, metric: str) -> None:
    existing = {threshold.name: threshold for threshold in _thresholds_of(found.key)}
    locale = Tenant.objects.values_list("locale", flat=True).get(pk=principal.tenant_id)
    with translation.override(locale):
        names = [_name(found, one) for one in found.thresholds]
    for threshold in existing.values():
        threshold.metric, threshold.is_active = metric, True
        audit.save_audited(principal, threshold)
    taken = set(Threshold.objects.values_list("name", flat=True))
    if existing:
        return
    for name, one in zip(names, found.thresholds, strict=True):
        if name not in taken:
            audit.save_audited(principal, _threshold(found.key, metric, name, one))


def _thresholds_of(key: str) -> list[Threshold]:
    return list(Threshold.objects.filter(labels__contains={LABEL: key}))


def _threshold(key: str, metric: str, name: str, default: DefaultThreshold) -> Threshold:
    return Threshold(
        name=name,
        kind=default.kind,
        metric=metric,
        settings=default.settings,
        hold=span(default.hold),
        severity=parse(default.severity) or DEFAULT,
        paging=default.paging,
        labels={LABEL: key},
    )


def _name(found: Entry, one: DefaultThreshold) -> str:
    words = {
        "metric": texts(found.key).name,
        "kind": ThresholdKind(one.kind).label,
        "severity": TITLES[parse(one.severity) or DEFAULT],
    }
    return (_("%(metric)s: %(kind)s (%(severity)s)") % words)[:80]
