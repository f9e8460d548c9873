"""Models kept in memory between runs, and their dumps in the database: one is written now and then, not each time.

A dump holds what came until `model_until`. What came after it is replayed from the stored samples when another
process takes over, or when this one had to drop the model to bound its memory; a day at most, mostly a few hours.
A model that learned in a transaction which failed is dropped too: the next one learns the same anew.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zlib import crc32

import structlog
from django.db import connection

from alerting.scoring.numerics.packing import BadModel
from metrics.detection import StateError
from metrics.judging.calendars import Place
from metrics.judging.learned import Learned, method_of, open_model
from metrics.judging.rules import Rule
from metrics.judging.states import Identity, Known, moment
from metrics.judging.subjects import Subject
from metrics.thresholds.conditions import Learns
from tenants.context import current_tenant_id

log = structlog.get_logger(__name__)

#: After so many samples (or fewer, down to half: not all at once) a model is dumped again: few enough to be
#: replayed in a blink; a slow one after so many seconds, which stored samples outlive by far.
DUMP_EVERY: Final = 240
DUMP_AFTER: Final = 86_400.0
#: Dumps in one statement, and for so many models worked with: after an outage all are due, and go turn by turn.
WRITTEN_AT_ONCE: Final = 50
MOST_WRITTEN: Final = 100
#: Models read in one statement, and worked with as objects before the next are.
OPEN_AT_ONCE: Final = 250
#: How much memory a process gives to models, as objects and as bytes, and what one takes by its kind.
MOST_BYTES: Final = 256_000_000
MOST_PACKED: Final = 512_000_000
#: While there is no more room for bytes, those that were not asked for so many seconds make room. Series come in
#: turns, so to let go of the one used longest ago would let go of each just before it is asked for.
IDLE: Final = 600.0
WEIGHTS: Final = {"detector": 2_000_000, "tail": 1_500_000, "forest": 2_500_000, "band": 200_000, "change": 40_000}

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
    """A model in memory: until when it has followed its series and its dump has, and by how many samples more."""

    model: Learned
    until: float
    dumped_until: float
    fitted_at: datetime | None
    settings: tuple[Learns, float]
    undumped: int = 0

    @property
    def weight(self) -> int:
        """About how much memory it takes, in bytes."""
        return WEIGHTS[method_of(self.settings[0])]


@dataclass(frozen=True, slots=True)
class Packed:
    """The same as bytes."""

    dump: bytes
    until: float
    dumped_until: float
    fitted_at: datetime | None
    settings: tuple[Learns, float]
    undumped: int
    packed_at: float


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
    #: Handed out since the running transaction began.
    lent: set[Key] = field(default_factory=set)

    def get(self, subject: Subject, known: Known, place: Place) -> Live | None:
        """The model of a subject, unless a newer fit, other settings or more of its past are stored."""
        key = (current_tenant_id(), subject.identity)
        live = self.kept.get(key) or self._unpacked(key, subject, place)
        if live is None or live.fitted_at != known.fitted_at or live.settings != _settings(subject.rule):
            return None
        if known.model_until is not None and live.until < known.model_until.timestamp():
            return None
        self.kept.move_to_end(key)
        self.lent.add(key)
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
        live = Live(model, found.until, found.dumped_until, found.fitted_at, found.settings, found.undumped)
        self.put(subject, live)
        return live

    def put(self, subject: Subject, live: Live) -> None:
        """Keep a model; those not asked for make room."""
        key = (current_tenant_id(), subject.identity)
        self._forget(key)
        self.kept[key] = live
        self.size += live.weight
        self.lent.add(key)

    def tidy(self) -> None:
        """Make room, and take note that all that was learned is in the database too."""
        self.lent.clear()
        self.make_room()

    def make_room(self) -> None:
        """Pack the models used longest ago, once nobody works with them any more."""
        now = time.monotonic()
        while self.size > self.most and self.kept:
            key, live = self.kept.popitem(last=False)
            self.size -= live.weight
            self._pack(key, live, now)

    def _pack(self, key: Key, live: Live, now: float) -> None:
        if self.packed_size >= self.most_packed and not self._drop_idle(now):
            return
        dump = live.model.dump()
        self.packed[key] = Packed(
            dump, live.until, live.dumped_until, live.fitted_at, live.settings, live.undumped, now
        )
        self.packed_size += len(dump)

    def _drop_idle(self, now: float) -> bool:
        while self.packed_size >= self.most_packed and self.packed:
            key, found = next(iter(self.packed.items()))
            if now - found.packed_at < IDLE:
                return False
            self._forget(key)
        return self.packed_size < self.most_packed

    def drop_lent(self) -> None:
        """Forget models whose transaction failed: the database does not know what they have seen."""
        for key in self.lent:
            self._forget(key)
        self.lent.clear()

    def clear(self) -> None:
        """Forget all."""
        self.kept.clear()
        self.packed.clear()
        self.lent.clear()
        self.size = self.packed_size = 0

    def _forget(self, key: Key) -> None:
        live = self.kept.pop(key, None)
        self.size -= live.weight if live is not None else 0
        found = self.packed.pop(key, None)
        self.packed_size -= len(found.dump) if found is not None else 0


shelf: Final = Shelf()


@contextmanager
def learning() -> Iterator[None]:
    """Wrap a transaction in which models learn: unless it is committed, they are forgotten."""
    try:
        yield
    except BaseException:
        shelf.drop_lent()
        raise


def _settings(rule: Rule) -> tuple[Learns, float]:
    if not isinstance(rule.condition, Learns):
        raise TypeError("only thresholds that learn have models")
    return rule.condition, rule.adjustment


def models_of(subjects: Sequence[Subject], known: dict[Identity, Known], place: Place) -> dict[Identity, Live]:
    """The models of subjects that have one: from memory, else from their dumps in one statement."""
    found: dict[Identity, Live] = {}
    missing: list[Subject] = []
    for subject in subjects:
        stored = known.get(subject.identity)
        if stored is None or stored.model_until is None or stored.model_kind != method_of(_settings(subject.rule)[0]):
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
    until = known.model_until.timestamp()
    return Live(model, until, until, known.fitted_at, (condition, adjustment))


def _read(identities: Sequence[Identity]) -> dict[Identity, bytes]:
    if not identities:
        return {}
    params: list[Any] = [[str(one[0]) for one in identities], [one[1] for one in identities], str(current_tenant_id())]
    with connection.cursor() as cursor:
        cursor.execute(_READ, params)
        return {(row[0], bytes(row[1])): bytes(row[2]) for row in cursor.fetchall() if row[2] is not None}


def write_dumps(lives: Iterable[tuple[Identity, Live]], *, every: int = DUMP_EVERY, most: int = MOST_WRITTEN) -> int:
    """Store the models that have followed most since their last dump; return how many."""
    due = [(identity, live) for identity, live in lives if _is_due(identity, live, every)]
    due.sort(key=lambda one: one[1].undumped, reverse=True)
    due = due[:most]
    for first in range(0, len(due), WRITTEN_AT_ONCE):
        _write(due[first : first + WRITTEN_AT_ONCE])
    return len(due)


def _write(lives: Sequence[tuple[Identity, Live]]) -> None:
    params: list[Any] = [
        [str(identity[0]) for identity, _live in lives],
        [identity[1] for identity, _live in lives],
        [live.model.dump() for _identity, live in lives],
        [moment(live.until) for _identity, live in lives],
        str(current_tenant_id()),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, params)
    for _identity, live in lives:
        live.undumped, live.dumped_until = 0, live.until


def _is_due(identity: Identity, live: Live, every: int) -> bool:
    """Models fitted together would be dumped together for ever: each has a number of its own."""
    own = every - crc32(identity[1]) % (every // 2 or 1)
    return live.undumped >= own or live.until - live.dumped_until >= DUMP_AFTER
