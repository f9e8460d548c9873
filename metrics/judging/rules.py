"""A tenant's thresholds as what judging works with: typed conditions and compiled matchers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog
from msgspec import structs

from alerting.matchers import MatcherError, Predicate, compile_matchers, from_json
from metrics.models import MetricsPolicy, Threshold
from metrics.thresholds.conditions import Condition, ConditionError, Sensitive, metrics_of, read_condition
from metrics.thresholds.phases import Patience

log = structlog.get_logger(__name__)

#: A wait is forgotten when nothing comes for so long; slow series are given three of their intervals.
GAP: Final = 900.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One threshold, ready to be applied."""

    id: UUID
    name: str
    kind: str
    metric: str
    condition: Condition
    matches: Predicate
    hold: float = 0.0
    recover: float = 0.0
    severity: int = 20
    paging: str = "always"
    labels: Mapping[str, str] = field(default_factory=dict)
    runbook_url: str = ""
    adjustment: float = 0.0
    is_active: bool = True

    @property
    def metrics(self) -> list[str]:
        """The metrics it reads; empty when it reads every one."""
        return [name for name in metrics_of(self.metric, self.condition) if name]

    def takes(self, metric: str, labels: Mapping[str, str]) -> bool:
        """Whether a series is judged by it."""
        names = self.metrics
        return (not names or metric in names) and self.matches(labels)

    def patience(self, interval: float = 0.0) -> Patience:
        """Its waits, for a series with samples this many seconds apart."""
        return Patience(self.hold, self.recover, max(GAP, 2 * self.hold, 3 * interval))


def rule_of(row: Threshold, sensitivity: float | None = None) -> Rule:
    """Read one row; raises ConditionError or MatcherError when it could never have been saved like this.

    A learned threshold without a sensitivity of its own has the tenant's, which is looked up unless given.
    """
    condition = read_condition(row.kind, row.settings)
    if isinstance(condition, Sensitive) and condition.sensitivity is None:
        condition = structs.replace(condition, sensitivity=sensitivity if sensitivity is not None else of_tenant())
    return Rule(
        id=row.pk,
        name=row.name,
        kind=row.kind,
        metric=row.metric,
        condition=condition,
        matches=compile_matchers(from_json(row.matchers)),
        hold=row.hold.total_seconds(),
        recover=row.recover.total_seconds(),
        severity=row.severity,
        paging=row.paging,
        labels={str(name): str(text) for name, text in row.labels.items()},
        runbook_url=row.runbook_url,
        adjustment=row.adjustment,
        is_active=row.is_active,
    )


def of_tenant() -> float:
    """The running tenant's sensitivity."""
    found = MetricsPolicy._default_manager.values_list("sensitivity", flat=True).first()
    return MetricsPolicy().sensitivity if found is None else found


def load_rules(kinds: Iterable[str] | None = None, *, also_inactive: bool = False) -> list[Rule]:
    """The active thresholds of the running tenant, of these kinds or of all."""
    rows = Threshold._default_manager.all()
    if not also_inactive:
        rows = rows.filter(is_active=True)
    if kinds is not None:
        rows = rows.filter(kind__in=list(kinds))
    rules, sensitivity = [], of_tenant()
    for row in rows:
        try:
            rules.append(rule_of(row, sensitivity))
        except (ConditionError, MatcherError) as error:
            # A row of an older version whose settings mean nothing any more; the others go on.
            log.error("threshold unreadable", threshold=str(row.pk), error=str(error))
    return rules
