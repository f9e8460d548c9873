"""Findings that most likely have one cause: one moved with the other, or the same series moved with both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from metrics.entities.speaking import series_of
from metrics.models import Finding

#: What began or was over so long before or after is about something else.
NEAR: Final = timedelta(minutes=30)
MOST_LOOKED_AT: Final = 200
MOST_KIN: Final = 5


def kin_of(findings: Sequence[Finding]) -> dict[UUID, list[Finding]]:
    """For each of these findings the others that were told near its time and have a series in common with it."""
    told = [one for one in findings if one.is_told]
    if not told:
        return {}
    others = list(_near(told))
    traces = {one.pk: _trace(one) for one in {one.pk: one for one in [*others, *told]}.values()}
    found: dict[UUID, list[Finding]] = {}
    for finding in told:
        alike = [
            one
            for one in others
            if one.pk != finding.pk and _is_near(finding, one) and _is_kin(traces[finding.pk], traces[one.pk])
        ]
        if alike:
            found[finding.pk] = alike[:MOST_KIN]
    return found


def _near(told: Sequence[Finding]) -> QuerySet[Finding]:
    first = min(one.began_at for one in told) - NEAR
    last = max(one.raised_at for one in told) + NEAR
    rows = Finding._default_manager.filter(Q(ended_at=None) | Q(ended_at__gte=first), raised_at__lte=last, is_told=True)
    return (
        rows.filter(raised_at__gte=first).select_related("series", "threshold").order_by("-raised_at")[:MOST_LOOKED_AT]
    )


def _is_near(one: Finding, other: Finding) -> bool:
    return abs(one.began_at - other.began_at) <= NEAR


def _trace(finding: Finding) -> tuple[frozenset[str], frozenset[str]]:
    """The series it is about, and those that moved with it."""
    about = [finding.series_id] if finding.series_id else [one.pk for one in series_of(finding)]
    moved = (str(cause["series"]) for cause in finding.causes if cause.get("series"))
    return frozenset(map(str, about)), frozenset(moved)


def _is_kin(one: tuple[frozenset[str], frozenset[str]], other: tuple[frozenset[str], frozenset[str]]) -> bool:
    """What is about the very same series is the same finding by another rule: it has the same cause, too."""
    (own, moved), (about, followed) = one, other
    return bool(own & about or own & followed or about & moved or moved & followed)
