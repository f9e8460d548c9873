"""How surprising the labels, the hour and the pace of an alert are, given the alerts a tenant had before.

A value is judged against its own label: `instance` takes a new value every day, `region` hardly ever, so the same
new value is nothing in one and news in the other. The surprise of a value is -log2 of its share (for one never
seen, of the chance that this label brings something new: Good and Turing's estimate, the share of values seen once),
less what this label's values surprise on average (its entropy).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from alerting.scoring.numerics.packing import BadModel

HOURS: Final = 24
#: Labels whose values are counted; each alert has so many at most anyway.
MAX_LABELS: Final = 200
#: Values remembered of one label, the most frequent ones; the others count as seen once.
MAX_VALUES: Final = 2_000
MOST_BITS: Final = 20.0
#: A shorter history knows nothing of the hours it lacks.
LEAST_DAYS: Final = 3
#: Alerts of a name before its own hours count as much as everybody's.
HOUR_PRIOR: Final = 20.0
VERSION: Final = 1

FEATURES: Final = ("label_value", "labels_on_average", "name", "hour", "label_set", "pace", "company", "severity")


class Seen(msgspec.Struct, gc=False):
    """One alert as rarity looks at it; the hour is of the day in UTC, the minute since the epoch."""

    labels: Mapping[str, str]
    hour: int
    minute: int
    severity: int

    @property
    def name(self) -> str:
        """What kind of alert this is."""
        return self.labels.get("alertname", "")


class _Label(msgspec.Struct):
    """The values of one label."""

    total: int
    once: int
    entropy: float
    counts: dict[str, int]


class _Stored(msgspec.Struct):
    version: int
    labels: dict[str, _Label]
    names: dict[str, int]
    sets: dict[str, int]
    hours: dict[str, list[int]]
    all_hours: list[int]
    pace: dict[str, float]
    company: tuple[float, float]
    total: int


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Stored)


class Rarity:
    """What a tenant's alerts are usually like; learned from history, asked for batches."""

    def __init__(self, stored: _Stored) -> None:
        self._of = stored
        self._surprise = {label: _surprises(known) for label, known in stored.labels.items()}
        self._shape_bits: dict[tuple[str, ...], float] = {}

    @classmethod
    def learn(cls, history: Sequence[Seen]) -> "Rarity":
        """Count a history; an empty one knows nothing and finds nothing surprising."""
        values: dict[str, Counter[str]] = defaultdict(Counter)
        hours: dict[str, list[int]] = defaultdict(lambda: [0] * HOURS)
        names, sets = Counter[str](), Counter[str]()
        for seen in history:
            for label, value in seen.labels.items():
                if label != "alertname":
                    values[label][value] += 1
            names[seen.name] += 1
            sets[_shape(seen.labels)] += 1
            hours[seen.name][seen.hour] += 1
        minutes = [seen.minute for seen in history]
        if not minutes or max(minutes) - min(minutes) < LEAST_DAYS * 1_440:
            hours.clear()
        company = [math.log1p(len(there)) for there in _company(history).values()]
        kept = sorted(values, key=lambda label: -sum(values[label].values()))[:MAX_LABELS]
        return cls(
            _Stored(
                version=VERSION,
                labels={label: _label(values[label]) for label in kept},
                names=dict(names.most_common(MAX_VALUES)),
                sets=dict(sets.most_common(MAX_VALUES)),
                hours={
                    name: hours[name] for name, count in names.most_common(MAX_VALUES) if count > 1 and name in hours
                },
                all_hours=[sum(one[hour] for one in hours.values()) for hour in range(HOURS)],
                pace={name: _usual(one) for name, one in _pace(history).items()},
                company=(float(np.mean(company)), float(np.std(company)) + 0.25) if company else (0.0, 1.0),
                total=len(history),
            )
        )

    def features(self, batch: Sequence[Seen]) -> NDArray[np.float64]:
        """The features of each alert of a batch that came together, shape (n, len(FEATURES)), all finite."""
        pace, company = _pace(batch), _company(batch)
        names: dict[tuple[str, int], tuple[float, float]] = {}
        minutes: dict[tuple[str, int], tuple[float, float]] = {}
        rows = []
        for seen in batch:
            name, minute = seen.name, seen.minute
            # Alerts that come together have few names and hours, but each its own labels.
            known = names.get((name, seen.hour))
            if known is None:
                known = names[name, seen.hour] = (self._bits(self._of.names.get(name, 0)), self._hour(name, seen.hour))
            busy = minutes.get((name, minute))
            if busy is None:
                busy = minutes[name, minute] = (
                    self._pace(name, pace[name][minute]),
                    self._company(len(company[minute])),
                )
            highest, total = self._labels(seen.labels)
            average = total / max(len(seen.labels) - 1, 1)
            rows.append((highest, average, *known, self._set(seen.labels), *busy, seen.severity / 10))
        return np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES))

    def dump(self) -> bytes:
        """The counts as bytes."""
        return _encoder.encode(self._of)

    @classmethod
    def load(cls, data: bytes) -> "Rarity":
        """Read what `dump` wrote; raises BadModel for anything else."""
        try:
            stored = _decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadModel("These bytes are no counts of labels.") from error
        is_whole = len(stored.all_hours) == HOURS and all(len(one) == HOURS for one in stored.hours.values())
        if stored.version != VERSION or not is_whole:
            raise BadModel("These counts of labels are of another version.")
        return cls(stored)

    def _bits(self, count: int) -> float:
        return min(MOST_BITS, -math.log2((count + 0.5) / (self._of.total + 1)))

    def _labels(self, labels: Mapping[str, str]) -> tuple[float, float]:
        """The highest surprise of a label's value, and the sum; the name of the alert is judged apart."""
        highest = total = 0.0
        for label, value in labels.items():
            known = self._surprise.get(label)
            if known is not None:  # a label never seen shows in the set of labels
                values, unseen = known
                bits = values.get(value, unseen)
                total += bits
                highest = max(highest, bits)
        return highest, total

    def _set(self, labels: Mapping[str, str]) -> float:
        names = tuple(labels)
        bits = self._shape_bits.get(names)
        if bits is None:
            if len(self._shape_bits) >= MAX_VALUES:
                self._shape_bits.clear()
            bits = self._shape_bits[names] = self._bits(self._of.sets.get(_shape(names), 0))
        return bits

    def _hour(self, name: str, hour: int) -> float:
        every = self._of.all_hours
        usual = (every[hour] + 1.0) / (sum(every) + HOURS)
        hours = self._of.hours.get(name)
        if hours is not None:
            usual = (hours[hour] + HOUR_PRIOR * usual) / (sum(hours) + HOUR_PRIOR)
        return -math.log2(max(usual, 2.0**-MOST_BITS))

    def _pace(self, name: str, count: int) -> float:
        return max(0.0, math.log2(count / max(self._of.pace.get(name, 1.0), 1.0)))

    def _company(self, kinds: int) -> float:
        mean, spread = self._of.company
        return max(0.0, (math.log1p(kinds) - mean) / spread)


def _surprises(known: _Label) -> tuple[dict[str, float], float]:
    """The surprise of each value of a label, and of a value never seen."""

    def bits(share: float) -> float:
        return min(MOST_BITS, max(0.0, -math.log2(min(share, 1.0)) - known.entropy))

    unseen = bits((known.once + 0.5) / (known.total + 1))
    return {value: bits(count / known.total) for value, count in known.counts.items()}, unseen


def _shape(labels: Iterable[str]) -> str:
    return ",".join(sorted(labels))


def _label(counts: Counter[str]) -> _Label:
    total = sum(counts.values())
    shares = np.array(list(counts.values())) / total
    return _Label(
        total=total,
        once=sum(count == 1 for count in counts.values()),
        entropy=float(-(shares * np.log2(shares)).sum()),
        counts={value: count for value, count in counts.most_common(MAX_VALUES) if count > 1},
    )


def _pace(batch: Sequence[Seen]) -> dict[str, Counter[int]]:
    """Alerts a minute by kind."""
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for seen in batch:
        found[seen.name][seen.minute] += 1
    return found


def _usual(minutes: Mapping[int, int]) -> float:
    """What a busy minute of this kind has: the ninth of ten, among minutes that had any."""
    return float(np.quantile(list(minutes.values()), 0.9))


def _company(batch: Sequence[Seen]) -> dict[int, set[Any]]:
    """Which kinds fire in the same minute."""
    found: dict[int, set[Any]] = defaultdict(set)
    for seen in batch:
        found[seen.minute].add(seen.name)
    return found
