"""What is learned of an alert after it was told: put beside it, and shown in the messages that told of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from alerting import status_news
from alerting.configuration import compiled
from alerting.exclusive import take_turn
from alerting.fingerprint import fingerprint
from alerting.pipeline.alerts import bytea_array
from alerting.rows import as_json, fetch
from channels.message import Reason
from tenants.context import current_tenant_id
from tenants.principal import Principal

#: The titles and ids of other groups that most likely have the same cause.
SAME_CAUSE: Final = "same_cause"
SAME_CAUSE_GROUPS: Final = "same_cause_groups"
MAX_RELATED: Final = 5
MAX_TITLES: Final = 600

# One look into the index for each, whatever the planner believes about the table.
_READ: Final = """
SELECT a.id, a.fingerprint, a.group_id, g.title, a.annotations->>'same_cause_groups', a.annotations->>'finding_id'
FROM unnest(%s::bytea[]) AS wanted (fingerprint)
CROSS JOIN LATERAL (SELECT * FROM alert WHERE tenant_id = %s AND fingerprint = wanted.fingerprint LIMIT 1) AS a
JOIN alert_group g ON g.tenant_id = a.tenant_id AND g.id = a.group_id
"""
_TITLES: Final = "SELECT id, title FROM alert_group WHERE tenant_id = %s AND id = ANY(%s::uuid[])"
# What is known already changes nothing, and so is no news.
_WRITE: Final = """
UPDATE alert a SET annotations = a.annotations || r.facts
FROM json_to_recordset(%s::json) AS r (id uuid, n int, facts jsonb)
WHERE mod(r.n, 1) = 0 AND a.tenant_id = %s AND a.id = r.id AND NOT a.annotations @> r.facts
RETURNING a.group_id
"""


class LateFact(msgspec.Struct, frozen=True, kw_only=True):
    """More about the alert of one finding, named by the labels it was sent with.

    `related` are the labels of other alerts that most likely have the same cause.
    """

    labels: Mapping[str, str]
    finding_id: str
    annotations: Mapping[str, str] = {}
    related: Sequence[Mapping[str, str]] = ()


class _Known(msgspec.Struct):
    id: UUID
    fingerprint: bytes
    group_id: UUID
    title: str
    groups: list[str]
    finding_id: str | None


def add(principal: Principal, facts: Sequence[LateFact], reason: Reason) -> int:
    """Put facts beside their alerts; bring the messages about their groups up to date, each once.

    Runs in the caller's transaction, in the tenant's turn, with as many statements for many facts as for one.
    An alert that fired anew meanwhile belongs to another finding and is left alone. Returns how many groups changed.
    """
    if not facts:
        return 0
    moment = take_turn(current_tenant_id())
    ignored = compiled(moment).ignored_labels
    wanted = {fingerprint(labels, ignored) for one in facts for labels in (one.labels, *one.related)}
    known = {one.fingerprint: one for one in _read(wanted)}
    changes: dict[UUID, dict[str, str]] = defaultdict(dict)
    related: dict[UUID, list[_Known]] = defaultdict(list)
    for fact in facts:
        own = known.get(fingerprint(fact.labels, ignored))
        if own is None or own.finding_id != fact.finding_id:
            continue
        changes[own.id] |= fact.annotations
        for labels in fact.related:
            other = known.get(fingerprint(labels, ignored))
            if other is not None and other.group_id != own.group_id:
                related[own.id].append(other)
                related[other.id].append(own)
    alerts = {one.id: one for one in known.values()}
    for alert_id, said in _related(alerts, related).items():
        changes[alert_id] |= said
    changed = _write(changes)
    status_news.tell_all(principal, sorted(changed), reason, moment)
    return len(changed)


def _read(wanted: Iterable[bytes]) -> list[_Known]:
    rows = fetch(_READ, [bytea_array(sorted(wanted)), current_tenant_id()])
    return [
        _Known(row[0], bytes(row[1]), row[2], row[3], [one for one in (row[4] or "").split(",") if one], row[5])
        for row in rows
    ]


def _related(alerts: Mapping[UUID, _Known], related: Mapping[UUID, list[_Known]]) -> dict[UUID, dict[str, str]]:
    """The groups each alert is related to from now on, those known before first."""
    groups: dict[UUID, list[str]] = {}
    for alert_id, others in related.items():
        ids = dict.fromkeys([*alerts[alert_id].groups, *(str(one.group_id) for one in others)])
        groups[alert_id] = list(ids)[:MAX_RELATED]
    if not groups:
        return {}
    array = "{" + ",".join(sorted({one for ids in groups.values() for one in ids})) + "}"
    titles = {str(row[0]): str(row[1]) for row in fetch(_TITLES, [current_tenant_id(), array])}
    return {
        alert_id: {
            SAME_CAUSE: "; ".join(titles[one] for one in ids if one in titles)[:MAX_TITLES],
            SAME_CAUSE_GROUPS: ",".join(ids),
        }
        for alert_id, ids in groups.items()
    }


def _write(changes: Mapping[UUID, Mapping[str, str]]) -> set[UUID]:
    rows: list[dict[str, Any]] = [
        {"id": alert_id, "n": 1, "facts": facts} for alert_id, facts in sorted(changes.items()) if facts
    ]
    if not rows:
        return set()
    return {row[0] for row in fetch(_WRITE, [as_json(rows), current_tenant_id()])}


def identifier(text: object) -> UUID | None:
    """The id a text stands for; None where it stands for none."""
    try:
        return UUID(str(text))
    except ValueError:
        return None
