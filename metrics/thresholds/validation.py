"""Judges a threshold as a whole row before it is saved, for the REST API and the admin forms alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alerting.matchers import MatcherError, from_json
from metrics.models import MetricsPolicy, Threshold
from metrics.source_validation import label_fault
from metrics.thresholds.conditions import Composite, Condition, ConditionError, Entity, Learns, read_condition

MAX_THRESHOLDS: Final = 1_000
LONGEST: Final = timedelta(days=7)


def check(threshold: Threshold) -> None:
    """Raise Django's ValidationError by field for whatever a threshold must not be."""
    try:
        condition = read_condition(threshold.kind, threshold.settings)
    except ConditionError as error:
        raise ValidationError({"settings": error.message}) from error
    _check_metric(threshold, condition)
    _check_matchers(threshold.matchers, "matchers")
    if isinstance(condition, Composite):
        for part in condition.parts:
            _check_matchers(part.matchers, "settings")
    _check_country(getattr(condition, "holidays", ""), "settings")
    for name in ("hold", "recover"):
        if not timedelta(0) <= getattr(threshold, name) <= LONGEST:
            raise ValidationError({name: _("From 0 seconds to 7 days.")})
    if fault := label_fault(threshold.labels):
        raise ValidationError({"labels": fault})
    if threshold._state.adding and Threshold._default_manager.count() >= MAX_THRESHOLDS:
        raise ValidationError(_("A tenant has at most %(count)d thresholds.") % {"count": MAX_THRESHOLDS})


def _check_metric(threshold: Threshold, condition: Condition) -> None:
    needs_none = isinstance(condition, Learns | Composite | Entity) or threshold.kind == "absence"
    if not threshold.metric and not needs_none:
        raise ValidationError({"metric": _("Name the metric.")})
    if threshold.metric and isinstance(condition, Composite):
        raise ValidationError({"metric": _("The parts name their metrics; leave this empty.")})
    if threshold.metric and isinstance(condition, Entity):
        raise ValidationError({"metric": _("The settings name the metrics; leave this empty.")})


def _check_matchers(matchers: object, field: str) -> None:
    try:
        from_json(matchers, "matchers")
    except MatcherError as error:
        raise ValidationError({field: f"{error.field}: {error.message}"}) from error


def check_policy(policy: MetricsPolicy) -> None:
    """Raise unless the country is one whose holidays are known."""
    _check_country(policy.holidays, "holidays")


def _check_country(country: str, field: str) -> None:
    if not country:
        return
    import holidays

    if country not in holidays.list_supported_countries():
        raise ValidationError({field: _("No holidays are known of this country; give its two letters.")})
