"""Models kept in memory between runs, and their dumps in the database: one is written now and then, not each time.

A dump holds what came until `model_until`. What came after it is replayed from the stored samples when another
process takes over, or when this one had to drop the model to bound its memory; a few hours at most.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import connection

from alerting.scoring.numerics.packing import BadModel
from metrics.detection import StateError
from metrics.judging.calendars import Place
from metrics.judging.learned import Learned, open_model
from metrics.judging.rules import Rule
from metrics.judging.states import Identity, Known, moment
from metrics.judging.subjects import Subject
from metrics.thresholds.conditions import Adaptive
from tenants.context import current_tenant_id

log = structlog.get_logger(__name__)

#: After so many samples a model is dumped again: few enough to be replayed in a blink.
DUMP_EVERY: Final = 240
#: How much memory a process gives to models, as objects and as bytes, and what one takes by its kind.
MOST_BYTES: Final = 256_000_000
MOST_PACKED: Final = 512_000_000
WEIGHTS: Final = {"detector": 2_000_000, "tail": 1_500_000, "forest": 2_500_000, "band": 200_000}

_READ: Final = """
SELECT s.threshold_id, s.subject, s.model FROM unnest(%s::uuid[], %s::bytea[]) AS wanted (threshold_id, subject)
JOIN detector_state s ON s.tenant_id = %s AND s.threshold_id = wanted.threshold_id AND s.subject = wanted.subject
"""
_WRITE: Final = """
UPDATE detector_state s SET model = new.model, model_until = new.model_until
FROM unnest(%s::uuid[], %s::bytea[], %s::bytea[], %s::timestamptz[])
     AS new (threshold_id, subject, model, model_until)
WHERE s.tenant_id = %s AND s.threshold_id = new.threshold_id AND s.subject = new.subject
"""


Key = tuple[UUID, Identity]


@dataclass(slots=True)
class Live:
    """A model in memory: until when it has followed its series, and how much of that is in no dump yet."""

    model: Learned
    until: float
    fitted_at: datetime | None
    settings: tuple[Adaptive, float]
    undumped: int = 0

    @property
    def weight(self) -> int:
        """About how much memory it takes, in bytes."""
        return WEIGHTS[self.settings[0].method]


@dataclass(frozen=True, slots=True)
class Packed:
    """The same as bytes."""

    dump: bytes
    until: float
    fitted_at: datetime | None
    settings: tuple[Adaptive, float]
    undumped: int


@dataclass
class Shelf:
    """The models this process keeps: the latest used as they are, others as bytes, and in the end none at all.

    A detector takes two megabytes as an object and ninety kilobytes as bytes, which are read in two milliseconds.
    """

    most: int = MOST_BYTES
    most_packed: int = MOST_PACKED
    kept: OrderedDict[Key, Live] = field(default_factory=OrderedDict)
    packed: OrderedDict[Key, Packed] = field(default_factory=OrderedDict)
    size: int = 0
    packed_size: int = 0

    def get(self, subject: Subject, known: Known, place: Place) -> Live | None:
        """The model of a subject, unless a newer fit, other settings or more of its past are stored."""
        key = (current_tenant_id(), subject.identity)
        live = self.kept.get(key) or self._unpacked(key, subject, place)
        if live is None or live.fitted_at != known.fitted_at or live.settings != _settings(subject.rule):
            return None
        if known.model_until is not None and live.until < known.model_until.timestamp():
            return None
        self.kept.move_to_end(key)
        return live

    def _unpacked(self, key: Key, subject: Subject, place: Place) -> Live | None:
        found = self.packed.pop(key, None)
        if found is None:
            return None
        self.packed_size -= len(found.dump)
        if found.settings != _settings(subject.rule):
            return None
        condition, adjustment = found.settings
        model = open_model(condition, adjustment, found.dump, calendar=place.calendar, country=place.country)
        live = Live(model, found.until, found.fitted_at, found.settings, found.undumped)
        self.put(subject, live)
        return live

    def put(self, subject: Subject, live: Live) -> None:
        """Keep a model; the least used make room."""
        key = (current_tenant_id(), subject.identity)
        self._forget(key)
        self.kept[key] = live
        self.size += live.weight

    def tidy(self) -> None:
        """Make room, once nobody works with these models any more."""
        while self.size > self.most and self.kept:
            key, live = self.kept.popitem(last=False)
            self.size -= live.weight
            dump = live.model.dump()
            self.packed[key] = Packed(dump, live.until, live.fitted_at, live.settings, live.undumped)
            self.packed_size += len(dump)
        while self.packed_size > self.most_packed:
            _key, found = self.packed.popitem(last=False)
            self.packed_size -= len(found.dump)

    def drop(self, identities: Iterable[Identity]) -> None:
        """Forget models whose transaction failed: the database does not know what they have seen."""
        for identity in identities:
            self._forget((current_tenant_id(), identity))

    def clear(self) -> None:
        """Forget all."""
        self.kept.clear()
        self.packed.clear()
        self.size = self.packed_size = 0

    def _forget(self, key: Key) -> None:
        live = self.kept.pop(key, None)
        self.size -= live.weight if live is not None else 0
        found = self.packed.pop(key, None)
        self.packed_size -= len(found.dump) if found is not None else 0


shelf: Final = Shelf()


def _settings(rule: Rule) -> tuple[Adaptive, float]:
    if not isinstance(rule.condition, Adaptive):
        raise TypeError("only adaptive thresholds have models")
    return rule.condition, rule.adjustment


def models_of(subjects: Sequence[Subject], known: dict[Identity, Known], place: Place) -> dict[Identity, Live]:
    """The models of subjects that have one: from memory, else from their dumps in one statement."""
    found: dict[Identity, Live] = {}
    missing: list[Subject] = []
    for subject in subjects:
        stored = known.get(subject.identity)
        if stored is None or stored.model_until is None or stored.model_kind != _settings(subject.rule)[0].method:
            # Not warmed yet, or of another method: it is fitted in the background.
            continue
        live = shelf.get(subject, stored, place)
        if live is None:
            missing.append(subject)
        else:
            found[subject.identity] = live
    dumps = _read([subject.identity for subject in missing])
    for subject in missing:
        live = _opened(subject, known[subject.identity], dumps.get(subject.identity), place)
        if live is not None:
            shelf.put(subject, live)
            found[subject.identity] = live
    return found


def _opened(subject: Subject, known: Known, dump: bytes | None, place: Place) -> Live | None:
    if dump is None or known.model_until is None:
        return None
    condition, adjustment = _settings(subject.rule)
    try:
        model = open_model(condition, adjustment, dump, calendar=place.calendar, country=place.country)
    except (BadModel, StateError) as error:
        # Of an older version, or the method was changed: it is fitted anew in the background.
        log.warning("model unreadable", threshold=str(subject.rule.id), error=str(error))
        return None
    return Live(model, known.model_until.timestamp(), known.fitted_at, (condition, adjustment))


def _read(identities: Sequence[Identity]) -> dict[Identity, bytes]:
    if not identities:
        return {}
    params: list[Any] = [[str(one[0]) for one in identities], [one[1] for one in identities], str(current_tenant_id())]
    with connection.cursor() as cursor:
        cursor.execute(_READ, params)
        return {(row[0], bytes(row[1])): bytes(row[2]) for row in cursor.fetchall() if row[2] is not None}


def write_dumps(lives: Iterable[tuple[Identity, Live]], *, every: int = DUMP_EVERY) -> int:
    """Store the models that have followed enough since their last dump; return how many."""
    due = [(identity, live) for identity, live in lives if live.undumped >= every]
    if not due:
        return 0
    params: list[Any] = [
        [str(identity[0]) for identity, _live in due],
        [identity[1] for identity, _live in due],
        [live.model.dump() for _identity, live in due],
        [moment(live.until) for _identity, live in due],
        str(current_tenant_id()),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, params)
    for _identity, live in due:
        live.undumped = 0
    return len(due)
