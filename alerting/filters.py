"""Narrows alerts and groups: what SQL can judge by jsonb containment goes there, expressions stay with RE2 here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from alerting.matchers import LEVEL, Matcher, Predicate, compile_matchers
from alerting.models import Alert, AlertGroup
from alerting.severity import LABELS

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for; None and empty mean that it does not matter."""

    status: Sequence[str] = ()
    severity: Sequence[int] = ()
    severity_min: int | None = None
    matchers: Sequence[Matcher] = ()
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    is_muted: bool | None = None
    is_flapping: bool | None = None
    exact: Mapping[str, Any] = field(default_factory=dict)


def by_matchers(rows: "QuerySet[M]", matchers: Iterable[Matcher]) -> "QuerySet[M]":
    """The rows whose labels satisfy the `=` and `!=` among the matchers; a missing label counts as empty."""
    for matcher in matchers:
        if matcher.op not in ("=", "!="):
            continue
        if matcher.name == LEVEL:
            levels = [level for level, label in LABELS.items() if label == matcher.value]
            own = Q(labels__contains={LEVEL: matcher.value})
            holds = own | (~Q(labels__has_key=LEVEL) & Q(severity__in=levels))
        elif matcher.value:
            holds = Q(labels__contains={matcher.name: matcher.value})
        else:
            holds = ~Q(labels__has_key=matcher.name) | Q(labels__contains={matcher.name: ""})
        rows = rows.filter(holds if matcher.op == "=" else ~holds)
    return rows


def expressions(matchers: Iterable[Matcher]) -> Predicate | None:
    """The test of the matchers SQL must not see: a tenant's expressions are judged by RE2 only."""
    rest = [matcher for matcher in matchers if matcher.op in ("=~", "!~")]
    return compile_matchers(rest) if rest else None


def narrow(rows: "QuerySet[M]", wanted: Wanted, at: str) -> "QuerySet[M]":
    """The rows that fit, except for expressions; `at` is the time column the range is about."""
    conditions: dict[str, Any] = dict(wanted.exact)
    if wanted.status:
        conditions["status__in"] = wanted.status
    if wanted.severity:
        conditions["severity__in"] = wanted.severity
    if wanted.severity_min is not None:
        conditions["severity__gte"] = wanted.severity_min
    if wanted.since is not None:
        conditions[f"{at}__gte"] = wanted.since
    if wanted.until is not None:
        conditions[f"{at}__lt"] = wanted.until
    if wanted.is_muted is not None:
        conditions["muted_by__isnull"] = not wanted.is_muted
    if wanted.is_flapping is not None:
        conditions["is_flapping"] = wanted.is_flapping
    return by_matchers(rows.filter(**conditions), wanted.matchers)


def alerts_with_text(rows: QuerySet[Alert], text: str) -> QuerySet[Alert]:
    """Alerts that carry the text in a label, a summary or a description, whatever its case."""
    if not text:
        return rows
    found = rows.alias(
        _labels=Cast("labels", TextField()),
        _summary=KeyTextTransform("summary", "annotations"),
        _description=KeyTextTransform("description", "annotations"),
    )
    return found.filter(Q(_labels__icontains=text) | Q(_summary__icontains=text) | Q(_description__icontains=text))


def groups_with_text(rows: QuerySet[AlertGroup], text: str) -> QuerySet[AlertGroup]:
    """Groups that carry the text in their title or common labels, whatever its case."""
    if not text:
        return rows
    return rows.alias(_labels=Cast("labels", TextField())).filter(Q(title__icontains=text) | Q(_labels__icontains=text))
