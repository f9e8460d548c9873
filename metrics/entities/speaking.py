"""The series a finding is about: its own, or those of the metrics that speak loudest in one about several."""

from __future__ import annotations

from typing import Final

from metrics.models import Finding, Series

#: An entity has a few series of each metric; more than so many are not looked through.
MOST: Final = 200


def series_of(finding: Finding) -> list[Series]:
    """Its series, the strongest first; of several series of one metric the one that sent last."""
    if finding.series is not None:
        return [finding.series]
    names = [str(one["metric"]) for one in finding.why.get("metrics") or []]
    if not names:
        return []
    rows = Series._default_manager.filter(metric__in=names, labels__contains=finding.labels)
    latest: dict[str, Series] = {}
    for row in rows.order_by("-last_at", "number")[:MOST]:
        latest.setdefault(row.metric, row)
    return [latest[name] for name in names if name in latest]
