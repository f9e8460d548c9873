"""What happened to a threshold's alerts, and which edits that suggests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from metrics.judging.rules import of_tenant
from metrics.models import Finding, Threshold
from metrics.trust.precision import Precision
from tenants.context import current_tenant_id

DAYS: Final = 30
#: From so many alerts on a pattern is one.
ENOUGH: Final = 5
IGNORED_SHARE: Final = 0.6
#: How far down feedback may move a sensitivity where nobody said.
LEAST: Final = 0.2
#: Shorter than this it was over before anybody could have looked.
SHORT: Final = timedelta(minutes=5)

# People act on groups. Which group a finding's alert was in is told by the event with which it fired there.
_OUTCOMES: Final = """
SELECT wanted.id, o.* FROM unnest(%(ids)s::uuid[], %(labels)s::text[]) AS wanted (id, labels) CROSS JOIN LATERAL (
    WITH told AS (
        SELECT f.id, f.labels, f.raised_at, f.ended_at FROM finding f
        WHERE f.tenant_id = %(tenant)s AND f.threshold_id = wanted.id AND f.is_told
          AND f.raised_at >= now() - %(days)s * interval '1 day'
    ), mine AS MATERIALIZED (
        SELECT a.id, a.labels FROM alert a
        WHERE a.tenant_id = %(tenant)s AND a.labels @> wanted.labels::jsonb
          AND a.last_seen_at >= now() - %(days)s * interval '1 day'
    ), grouped AS (
        SELECT DISTINCT told.id, told.raised_at, e.group_id FROM told
        JOIN mine ON mine.labels @> told.labels
        JOIN timeline_event e
          ON e.tenant_id = %(tenant)s AND e.alert_id = mine.id AND e.kind IN ('fired', 'fired_again')
         AND e.at BETWEEN told.raised_at - interval '1 hour' AND coalesce(told.ended_at, now()) + interval '1 hour'
    ), acted AS (
        SELECT DISTINCT g.id FROM grouped g JOIN timeline_event e
          ON e.tenant_id = %(tenant)s AND e.group_id = g.group_id AND e.at >= g.raised_at - interval '1 hour'
         AND (e.kind IN ('acknowledged', 'assigned', 'comment', 'silenced') OR (e.kind = 'closed' AND e.actor <> '')
              OR (e.kind = 'judged' AND e.reason = 'useful'))
    )
    SELECT count(*), count(acted.id), count(*) FILTER (WHERE acted.id IS NULL AND told.ended_at IS NULL)
    FROM told LEFT JOIN acted ON acted.id = told.id
) AS o
"""


@dataclass(frozen=True)
class Outcomes:
    """What became of what was told within a month; what nobody did anything about is ignored once it is over."""

    told: int = 0
    acted_on: int = 0
    open: int = 0
    suggestions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ignored(self) -> int:
        """How many were over without anybody having done anything."""
        return self.told - self.acted_on - self.open


@dataclass(frozen=True)
class Suggestion:
    """An edit that would spare people what they do not act on; `changes` is what a backtest takes."""

    code: str
    text: str
    changes: dict[str, Any]


def outcomes_of(threshold: Threshold, precision: Precision) -> Outcomes:
    """Look at the last thirty days of a threshold's alerts, and say which edits that suggests."""
    bare = outcomes_of_all([threshold])[threshold.pk]
    found = suggestions(threshold, bare, precision, lengths=_lengths(threshold))
    return replace(bare, suggestions=[asdict(one) for one in found])


def outcomes_of_all(thresholds: Sequence[Threshold]) -> dict[UUID, Outcomes]:
    """What became of the alerts of each within a month, in one statement."""
    if not thresholds:
        return {}
    params: dict[str, Any] = {
        "tenant": str(current_tenant_id()),
        "ids": [str(one.pk) for one in thresholds],
        "labels": [_labels(one) for one in thresholds],
        "days": DAYS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OUTCOMES, params)
        return {row[0]: Outcomes(*row[1:]) for row in cursor.fetchall()}


def _labels(threshold: Threshold) -> str:
    return json.dumps({"threshold": threshold.name, "finding_kind": threshold.kind})


def suggestions(
    threshold: Threshold, outcomes: Outcomes, precision: Precision, *, lengths: Sequence[timedelta]
) -> list[Suggestion]:
    """Edits worth trying, the mildest first; `lengths` says how long its findings lasted."""
    found: list[Suggestion] = []
    settled = outcomes.told - outcomes.open
    if settled >= ENOUGH and outcomes.ignored / settled >= IGNORED_SHARE:
        wait = _longer_wait(threshold, lengths)
        if wait is not None:
            found.append(wait)
        if threshold.severity > 10:
            lower = {"severity": threshold.severity - 10}
            found.append(
                Suggestion("lower_severity", _("Nobody acts on most of these: a lower severity would do."), lower)
            )
    is_noisy = precision.judged >= ENOUGH and precision.share is not None and precision.share < precision.floor
    is_moved = threshold.kind in {"adaptive", "change", "entity"}
    if is_noisy and is_moved and (calmer := _less_sensitive(threshold)) is not None:
        found.append(calmer)
    if is_noisy and threshold.paging == "always":
        found.append(
            Suggestion("earn", _("Let it alert only once its precision is good enough."), {"paging": "earned"})
        )
    return found


def _less_sensitive(threshold: Threshold) -> Suggestion | None:
    """The next lower sensitivity; what the tenant set holds where the threshold has none of its own."""
    given = threshold.settings.get("sensitivity")
    now = float(of_tenant() if given is None else given)
    lower = round(max(0.0, now - 0.15), 2)
    if lower >= now:
        return None
    settings = threshold.settings | {"sensitivity": lower}
    settings["least"] = min(float(settings.get("least", LEAST)), lower)
    return Suggestion("less_sensitive", _("Too much of it was noise: make it less sensitive."), {"settings": settings})


def _lengths(threshold: Threshold) -> list[timedelta]:
    """How long the latest findings lasted that were told."""
    rows = Finding._default_manager.filter(threshold=threshold, is_told=True, ended_at__isnull=False)
    return [ended - raised for raised, ended in rows.values_list("raised_at", "ended_at")[:200] if ended]


def _longer_wait(threshold: Threshold, lengths: Sequence[timedelta]) -> Suggestion | None:
    """How long it would have to last so that the short ones are not told."""
    short = [length for length in lengths if length <= SHORT]
    if len(short) * 2 < len(lengths) or not short:
        return None
    hold = threshold.hold + max(max(short), timedelta(minutes=1))
    minutes = round(hold.total_seconds() / 60)
    text = _("Most are over within minutes: let it last for %(minutes)d min before it alerts.") % {"minutes": minutes}
    return Suggestion("longer_wait", text, {"hold": minutes * 60})
