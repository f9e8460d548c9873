"""Who is judged: a series by itself, or several that share labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Final
from uuid import UUID

import msgspec

from metrics.judging.rules import Rule
from metrics.models import Series
from metrics.thresholds.conditions import Composite, Entity, Ratio

#: As long as the name of a metric may be.
LONGEST_TITLE: Final = 256
JOINED: Final = (Composite, Entity, Ratio)
_COLUMNS: Final = (
    *("id", "number", "metric", "labels", "label_hash", "unit", "kind", "quality", "interval", "first_at", "last_at"),
    "catalogue_key",
)
_encode: Final = msgspec.msgpack.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """What judging knows of a series."""

    id: UUID
    number: int
    metric: str
    labels: dict[str, str]
    label_hash: bytes
    unit: str
    kind: str
    quality: float
    interval: float
    first_at: datetime | None
    last_at: datetime | None
    catalogue_key: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing judged by one rule; `from_at` is the oldest sample that is new."""

    rule: Rule
    key: bytes
    metric: str
    labels: Mapping[str, str]
    series: tuple[SeriesRow, ...]
    from_at: float

    @property
    def identity(self) -> tuple[UUID, bytes]:
        """What tells it from every other one."""
        return self.rule.id, self.key

    @property
    def only(self) -> SeriesRow | None:
        """The series, where it is a single one."""
        return self.series[0] if len(self.series) == 1 and not isinstance(self.rule.condition, JOINED) else None

    @property
    def quality(self) -> float:
        """That of the worst series of it."""
        return min((one.quality for one in self.series), default=1.0)

    @property
    def interval(self) -> float:
        """That of the slowest series of it."""
        return max((one.interval for one in self.series), default=0.0)


def read_series(*, numbers: Sequence[int] | None = None, metrics: Iterable[str] | None = None) -> list[SeriesRow]:
    """Series of the running tenant by number or by metric, in one statement."""
    rows = Series._default_manager.all()
    if numbers is not None:
        rows = rows.filter(number__in=list(numbers))
    if metrics is not None:
        rows = rows.filter(metric__in=list(metrics))
    return [
        SeriesRow(**row | {"label_hash": bytes(row["label_hash"])})
        for row in rows.order_by("number").values(*_COLUMNS).iterator()
    ]


def subjects_of(rules: Iterable[Rule], due: Mapping[int, float], known: Sequence[SeriesRow]) -> list[Subject]:
    """The subjects that have something new; `known` holds the due series and those they are joined with."""
    found: list[Subject] = []
    fresh = [row for row in known if row.number in due]
    for rule in rules:
        if isinstance(rule.condition, JOINED):
            found += _joined(rule, rule.condition.on, due, known)
            continue
        found += [
            Subject(rule, row.label_hash, row.metric, row.labels, (row,), due[row.number])
            for row in fresh
            if rule.takes(row.metric, row.labels)
        ]
    return found


def _joined(rule: Rule, on: Sequence[str], due: Mapping[int, float], known: Sequence[SeriesRow]) -> list[Subject]:
    groups: dict[tuple[str, ...], list[SeriesRow]] = defaultdict(list)
    for row in known:
        if rule.takes(row.metric, row.labels):
            groups[tuple(row.labels.get(name, "") for name in on)].append(row)
    subjects = []
    for values, rows in groups.items():
        fresh = [due[row.number] for row in rows if row.number in due]
        if fresh:
            labels = {name: value for name, value in zip(on, values, strict=True) if value}
            metric = _title(rule, rows)
            subjects.append(Subject(rule, joined_key(on, values), metric, labels, tuple(rows), min(fresh)))
    return subjects


def _title(rule: Rule, rows: Sequence[SeriesRow]) -> str:
    """What the subject is called by: all its metrics where they are judged together."""
    if isinstance(rule.condition, Entity):
        return " + ".join(rule.metrics)[:LONGEST_TITLE]
    return rule.metric or rows[0].metric


def joined_key(names: Sequence[str], values: Sequence[str]) -> bytes:
    """The identity of what shares these labels, within one rule."""
    return blake2b(_encode([*names, *values]), digest_size=16).digest()


def joined_metrics(rules: Iterable[Rule]) -> set[str]:
    """The metrics whose series have to be known beside those that are due."""
    return {metric for rule in rules if isinstance(rule.condition, JOINED) for metric in rule.metrics}
