"""What happened to alerts like these before, and what it suggests doing now."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting.explain.words import span
from alerting.models import AlertGroup
from alerting.rows import fetch
from alerting.scoring.numerics.likeness import most_alike, words_of
from tenants.context import current_tenant_id

#: The latest groups that are compared; older ones are of another time.
MAX_COMPARED: Final = 1_000
MAX_SIMILAR: Final = 5
MAX_SUGGESTIONS: Final = 6
MAX_TEXT: Final = 500
#: So many of those alike say what usually happens.
LEAST_FOR_A_PATTERN: Final = 3
_RUNBOOKS: Final = ("runbook_url", "runbook")
_ACTION: Final = "action"

_decode: Final = msgspec.json.Decoder(dict[str, str]).decode

# Each group with its gravest alert, which stands for it. An alert that came back belongs to its latest group;
# the groups it was in before know it by the event of its firing there.
_GROUPS: Final = """
SELECT g.id, g.title, g.status, g.opened_at, g.resolved_at, g.acknowledged_by, a.labels, a.annotations
FROM (SELECT * FROM alert_group WHERE tenant_id = %s AND (id = %s OR opened_at > now() - interval '90 days')
      ORDER BY (id = %s) DESC, opened_at DESC, id DESC LIMIT %s) AS g
CROSS JOIN LATERAL (
    (SELECT labels, annotations FROM alert WHERE tenant_id = g.tenant_id AND group_id = g.id
     ORDER BY severity DESC, starts_at, id LIMIT 1)
    UNION ALL
    (SELECT labels, annotations FROM alert WHERE tenant_id = g.tenant_id AND id = (
        SELECT alert_id FROM timeline_event WHERE tenant_id = g.tenant_id AND group_id = g.id AND kind = 'fired'
        ORDER BY id LIMIT 1))
    LIMIT 1) AS a
"""
_DEEDS: Final = """
SELECT group_id, kind, actor, data->>'text' FROM timeline_event
WHERE tenant_id = %s AND group_id = ANY(%s::uuid[]) AND (kind = 'comment' OR (kind = 'closed' AND actor <> ''))
ORDER BY id
"""


class SimilarGroup(msgspec.Struct, frozen=True):
    """A past group like this one: how alike from 0 to 1, how it ended, and what people wrote then."""

    id: UUID
    title: str
    likeness: float
    opened_at: datetime
    lasted: timedelta | None
    #: Empty where it ended by itself.
    resolved_by: str
    comments: list[str]


class Suggestion(msgspec.Struct, frozen=True):
    """Something to do or to know: `kind` is runbook, action, note or pattern."""

    kind: str
    text: str
    url: str = ""
    #: The past group it comes from.
    group_id: UUID | None = None


class Advice(msgspec.Struct, frozen=True):
    """What the past has to say about one group."""

    similar: list[SimilarGroup]
    suggestions: list[Suggestion]


class _Row(msgspec.Struct):
    id: UUID
    title: str
    status: str
    opened_at: datetime
    resolved_at: datetime | None
    acknowledged_by: str
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def words(self) -> frozenset[str]:
        return words_of(self.labels, self.title, self.annotations.get("summary", ""))


def advice(group: AlertGroup) -> Advice:
    """Compare a group with the tenant's latest ones; two statements, inside a tenant context."""
    tenant_id = current_tenant_id()
    rows = [_row(row) for row in fetch(_GROUPS, [tenant_id, group.pk, group.pk, MAX_COMPARED])]
    own = next((row for row in rows if row.id == group.pk), None)
    if own is None:
        return Advice([], [])
    others = [row for row in rows if row.id != group.pk]
    alike = most_alike(own.words, [row.words for row in others], MAX_SIMILAR)
    chosen = [(others[number], score) for number, score in alike]
    deeds = _deeds([row.id for row, _score in chosen])
    similar = [_similar(row, score, deeds.get(row.id, [])) for row, score in chosen]
    return Advice(similar, _suggestions(own, [row for row, _score in chosen], similar))


def _row(row: Sequence[Any]) -> _Row:
    group_id, title, status, opened_at, resolved_at, acknowledged_by, labels, annotations = row
    return _Row(group_id, title, status, opened_at, resolved_at, acknowledged_by, _decode(labels), _decode(annotations))


def _deeds(ids: list[UUID]) -> dict[UUID, list[tuple[str, str, str]]]:
    found: dict[UUID, list[tuple[str, str, str]]] = {}
    array = "{" + ",".join(map(str, ids)) + "}"
    for group_id, kind, actor, text in fetch(_DEEDS, [current_tenant_id(), array]):
        found.setdefault(group_id, []).append((kind, actor, text or ""))
    return found


def _similar(row: _Row, score: float, deeds: list[tuple[str, str, str]]) -> SimilarGroup:
    return SimilarGroup(
        id=row.id,
        title=row.title,
        likeness=round(score, 2),
        opened_at=row.opened_at,
        lasted=None if row.resolved_at is None else row.resolved_at - row.opened_at,
        resolved_by=next((actor for kind, actor, _text in reversed(deeds) if kind == "closed"), ""),
        comments=[text[:MAX_TEXT] for kind, _actor, text in deeds if kind == "comment" and text],
    )


def _suggestions(own: _Row, alike: list[_Row], similar: list[SimilarGroup]) -> list[Suggestion]:
    """What rules say first, then what helped before, then what usually happens."""
    found = [*_named(own, None)]
    for row, past in zip(alike, similar, strict=True):
        found.extend(_named(row, row.id))
        if past.lasted is not None and past.comments:
            found.append(Suggestion("note", past.comments[-1], group_id=row.id))
    pattern = _pattern([past for past in similar if past.lasted is not None])
    unique = {(one.kind, one.text, one.url): one for one in reversed(found)}
    ordered = [one for one in found if unique[one.kind, one.text, one.url] is one]
    return [*([pattern] if pattern else []), *ordered][:MAX_SUGGESTIONS]


def _named(row: _Row, source: UUID | None) -> list[Suggestion]:
    """The runbook and the action that the alert itself names, by its sender or by a rule of enrichment."""
    found = []
    if action := row.annotations.get(_ACTION, "").strip():
        found.append(Suggestion("action", action[:MAX_TEXT], group_id=source))
    for name in _RUNBOOKS:
        url = row.annotations.get(name, "")
        if url.startswith(("https://", "http://")):
            found.append(Suggestion("runbook", _("Runbook"), url, source))
    return found


def _pattern(ended: list[SimilarGroup]) -> Suggestion | None:
    """What usually happens to such alerts."""
    if len(ended) < LEAST_FOR_A_PATTERN:
        return None
    lasted = sorted(past.lasted for past in ended if past.lasted is not None)[len(ended) // 2]
    by_people = sum(bool(past.resolved_by) for past in ended)
    values = {"count": len(ended), "people": by_people, "span": span(lasted)}
    if by_people * 2 > len(ended):
        text = ngettext(
            "People resolved %(people)d of the last %(count)d like it, usually after %(span)s.",
            "People resolved %(people)d of the last %(count)d like it, usually after %(span)s.",
            len(ended),
        )
    else:
        text = ngettext(
            "The last %(count)d like it usually ended by themselves after %(span)s.",
            "The last %(count)d like it usually ended by themselves after %(span)s.",
            len(ended),
        )
    return Suggestion("pattern", text % values)
