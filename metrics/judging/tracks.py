"""What a subject's samples mean for its rule: a signal in time, and where it counts as beyond or back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Final

import numpy as np

from metrics.judging.subjects import SeriesRow, Subject
from metrics.models import Kind
from metrics.thresholds.batch import Batch, Flags, Floats
from metrics.thresholds.conditions import Comparison, Composite, Plain, Ratio, part_condition
from metrics.thresholds.crossing import crossed
from metrics.thresholds.signals import ratio, signal

#: A part of several conditions counts as met for so long after its last sample, or three of its intervals.
STALE: Final = 900.0
Samples = Mapping[int, tuple[Floats, Floats]]


@dataclass(frozen=True)
class Track:
    """A subject's course: times, the number looked at, and both flags; what was expected, where that is known."""

    at: Floats
    signal: Floats
    entered: Flags
    left: Flags
    expected: Floats | None = None
    low: Floats | None = None
    high: Floats | None = None
    score: Floats | None = None
    #: What more there is to say about the sample of an index; `first` is how many were cut off before.
    tell: Callable[[int], dict[str, Any]] | None = None
    first: int = 0

    def after(self, moment: float) -> Track:
        """The part that is later than a moment."""
        first = int(np.searchsorted(self.at, moment, side="right"))
        if not first:
            return self
        cut = slice(first, None)
        flags: dict[str, Any] = {name: getattr(self, name)[cut] for name in ("at", "signal", "entered", "left")}
        rest = {name: getattr(self, name) for name in ("expected", "low", "high", "score")}
        known: dict[str, Any] = {name: None if values is None else values[cut] for name, values in rest.items()}
        return replace(self, **flags, **known, first=self.first + first)


NOTHING: Final = Track(np.empty(0), np.empty(0), np.empty(0, dtype=bool), np.empty(0, dtype=bool))


def plain_tracks(condition: Plain, series: Sequence[SeriesRow], samples: Samples, past: Samples | None) -> list[Track]:
    """One track a series; all of them are worked out together."""
    tracks = [NOTHING] * len(series)
    for is_counter in (False, True):
        chosen = [index for index, row in enumerate(series) if (row.kind == Kind.COUNTER) is is_counter]
        if not chosen:
            continue
        numbers = [series[index].number for index in chosen]
        batch = Batch.take(samples, numbers)
        older = Batch.take(past, numbers) if past is not None and isinstance(condition, Comparison) else None
        found = signal(condition, batch, older, is_counter=is_counter)
        entered, left = crossed(condition, found)
        for place, index in enumerate(chosen):
            part = batch.part(place)
            tracks[index] = Track(batch.at[part], found[part], entered[part], left[part])
    return tracks


def ratio_track(condition: Ratio, subject: Subject, samples: Samples) -> Track:
    """The track of one ratio: the sums of both sides at every time at which one of them has a sample."""
    top = _merged([row for row in subject.series if row.metric == subject.rule.metric], samples)
    bottom = _merged([row for row in subject.series if row.metric == condition.divide_by], samples)
    times = np.unique(np.concatenate([top.at, bottom.at]))
    axis = Batch.of([(times, np.zeros(len(times)))])
    found = ratio(top, bottom, axis, over=condition.over, least=condition.least)
    entered, left = crossed(condition, found)
    return Track(times, found, entered, left)


def _merged(series: Sequence[SeriesRow], samples: Samples) -> Batch:
    """All samples of these series in one order of time."""
    pieces = [samples[row.number] for row in series if row.number in samples]
    if not pieces:
        return Batch.of([(np.empty(0), np.empty(0))])
    at = np.concatenate([piece[0] for piece in pieces])
    value = np.concatenate([piece[1] for piece in pieces])
    order = np.argsort(at, kind="stable")
    return Batch.of([(at[order], value[order])])


def composite_track(condition: Composite, subject: Subject, samples: Samples, past: Samples | None) -> Track:
    """The track of several conditions: at each time, whether all (any) of them are met by their latest samples.

    A part over several series is met when one of them meets it. The number shown is how many parts are met.
    """
    groups = [[row for row in subject.series if _is_of(part, row)] for part in condition.parts]
    tracks = [
        plain_tracks(part_condition(part), rows, samples, past)
        for part, rows in zip(condition.parts, groups, strict=True)
    ]
    every = [track.at for part in tracks for track in part]
    times = np.unique(np.concatenate(every)) if every else np.empty(0)
    met = np.zeros((len(tracks), len(times)), dtype=bool)
    back = np.ones((len(tracks), len(times)), dtype=bool)
    for number, (part, rows) in enumerate(zip(tracks, groups, strict=True)):
        for track, row in zip(part, rows, strict=True):
            now, over = _latest(track, times, max(STALE, 3 * row.interval))
            met[number] |= now
            back[number] &= over
    need_all = condition.need == "all"
    entered = reduce(np.logical_and if need_all else np.logical_or, met)
    left = reduce(np.logical_or if need_all else np.logical_and, back) & ~entered
    return Track(times, met.sum(axis=0).astype(np.float64), entered, left)


def _is_of(part: Any, row: SeriesRow) -> bool:
    from alerting.matchers import compile_matchers, from_json

    return part.metric == row.metric and compile_matchers(from_json(part.matchers))(row.labels)


def _latest(track: Track, times: Floats, stale: float) -> tuple[Flags, Flags]:
    """What the newest sample at each time says; an old one says it is over."""
    if not len(track.at):
        return np.zeros(len(times), dtype=bool), np.ones(len(times), dtype=bool)
    newest = np.searchsorted(track.at, times, side="right") - 1
    is_known = (newest >= 0) & (times - track.at[np.maximum(newest, 0)] <= stale)
    return is_known & track.entered[newest], ~is_known | track.left[newest]
