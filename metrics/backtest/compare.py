"""A threshold as it is and as it might be, over the stored past, beside what really was told."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from alerting.models import Alert
from metrics.backtest.courses import WARM, course_of
from metrics.backtest.episodes import Episode, downtime, episodes
from metrics.charts.course import thin
from metrics.judging.calendars import Place, calendar_of
from metrics.judging.past import Samples, read_samples
from metrics.judging.rules import Rule
from metrics.judging.states import moment
from metrics.judging.subjects import JOINED, Subject, read_series, subjects_of
from metrics.judging.tracks import Track
from metrics.models import Finding
from metrics.thresholds.batch import Floats
from metrics.thresholds.conditions import Forecast, Sensitive, lookback

#: So many subjects at most, and no new one after so long: an answer is waited for.
MOST_SUBJECTS: Final = 20
SECONDS: Final = 15.0
POINTS: Final = 720
MOST_ALERTS: Final = 200
#: What falls together within so many seconds is about the same trouble.
TOLERANCE: Final = 600.0
MOST_DAYS: Final = 35


@dataclass(frozen=True)
class Was:
    """Something that really was told: a finding of this threshold, or another alert about the same thing."""

    title: str
    began: float
    ended: float | None
    is_own: bool


@dataclass(frozen=True)
class Replay:
    """One subject under one rule."""

    found: list[Episode]
    firing_seconds: float
    low: Floats | None = None
    high: Floats | None = None
    expected: Floats | None = None


@dataclass(frozen=True)
class Compared:
    """One subject: its course for the chart, what both rules would have raised, and what was told."""

    metric: str
    labels: Mapping[str, str]
    unit: str
    samples: int
    at: Floats
    value: Floats
    now: Replay
    changed: Replay | None
    was: list[Was]


@dataclass(frozen=True)
class Comparison:
    """The answer of a backtest."""

    start: float
    end: float
    subjects: list[Compared]
    matching: int
    seconds: float

    def total(self, which: str) -> int:
        """How many alerts there would have been: `now` or `changed`; `was` for those that were."""
        if which == "was":
            return sum(1 for one in self.subjects for was in one.was if was.is_own)
        replays = [getattr(one, which) for one in self.subjects]
        return sum(len(replay.found) for replay in replays if replay is not None)

    def firing(self, which: str) -> float:
        """For how many seconds it would have fired."""
        replays = [getattr(one, which) for one in self.subjects]
        return float(sum(replay.firing_seconds for replay in replays if replay is not None))


def compare(
    rule: Rule, changed: Rule | None, start: float, end: float, *, only: Sequence[int] | None = None
) -> Comparison:
    """Run a rule, and a changed one if given, over what is stored of the series they match.

    `only` names series by number; without it the first ones are taken. Inside the tenant's context; reads only.
    """
    began = time.perf_counter()
    subjects, matching = _subjects(rule, changed, only)
    place = calendar_of()
    compared: list[Compared] = []
    for subject in subjects:
        if compared and time.perf_counter() - began > SECONDS:
            break
        compared.append(_compare(subject, changed, start, end, place))
    return Comparison(start, end, compared, matching, time.perf_counter() - began)


def _subjects(rule: Rule, changed: Rule | None, only: Sequence[int] | None) -> tuple[list[Subject], int]:
    names = {*rule.metrics, *(changed.metrics if changed is not None else [])}
    rows = read_series(metrics=names or None)
    chosen = [row for row in rows if only is None or row.number in only]
    known = rows if isinstance(rule.condition, JOINED) else chosen
    found = subjects_of([rule], {row.number: 0.0 for row in chosen}, known)
    return found[:MOST_SUBJECTS], len(found)


def _compare(subject: Subject, changed: Rule | None, start: float, end: float, place: Place) -> Compared:
    rules = [subject.rule, *([changed] if changed is not None else [])]
    samples = _samples(subject, rules, start, end)
    first, *others = [_replay(replace(subject, rule=rule), samples, start, end, place) for rule in rules]
    at, value = _drawn(first[1], subject, samples, start)
    replays = [_with_band(replay, track, at) for replay, track in (first, *others)]
    return Compared(
        subject.metric,
        subject.labels,
        subject.series[0].unit,
        sum(len(one[0]) for one in samples.values()),
        at,
        value,
        replays[0],
        replays[1] if others else None,
        _told(subject, start, end),
    )


def _samples(subject: Subject, rules: Sequence[Rule], start: float, end: float) -> Samples:
    learns = any(isinstance(rule.condition, Sensitive | Forecast) for rule in rules)
    back = max([WARM if learns else 0.0, *(float(lookback(rule.condition)) for rule in rules)])
    return read_samples({row.number for row in subject.series}, start - back, end)


def _replay(subject: Subject, samples: Samples, start: float, end: float, place: Place) -> tuple[Replay, Track]:
    track = course_of(subject, samples, place)
    found = episodes(track, subject.rule.patience(subject.interval), start)
    return Replay(found, downtime(found, end)), track


def _drawn(track: Track, subject: Subject, samples: Samples, start: float) -> tuple[Floats, Floats]:
    """What the chart shows: the series itself, or the number made of several."""
    only = subject.only
    if only is not None and subject.rule.kind in {"static", "adaptive", "absence", "change", "forecast"}:
        at, value = samples.get(only.number, (np.empty(0), np.empty(0)))
    else:
        at, value = track.at, track.signal
    inside = at >= start
    return thin(at[inside], value[inside], POINTS)


def _with_band(replay: Replay, track: Track, at: Floats) -> Replay:
    if track.low is None or track.high is None or not len(track.at):
        return replay
    place = np.minimum(np.searchsorted(track.at, at), len(track.at) - 1)
    expected = track.expected[place] if track.expected is not None else None
    return replace(replay, low=track.low[place], high=track.high[place], expected=expected)


def _told(subject: Subject, start: float, end: float) -> list[Was]:
    """Findings of this threshold, and other alerts that carry the labels of the subject."""
    rows = Finding._default_manager.filter(
        threshold_id=subject.rule.id, subject=subject.key, raised_at__gte=moment(start), raised_at__lt=moment(end)
    ).order_by("raised_at")[:MOST_ALERTS]
    was = [Was(subject.rule.name, one.began_at.timestamp(), _unix(one.ended_at), is_own=True) for one in rows]
    if not subject.labels:
        return was
    others = (
        Alert._default_manager.filter(
            labels__contains=dict(subject.labels), starts_at__gte=moment(start), starts_at__lt=moment(end)
        )
        .exclude(labels__contains={"alertname": subject.rule.name})
        .order_by("starts_at")[:MOST_ALERTS]
    )
    return was + [Was(str(one), one.starts_at.timestamp(), _unix(one.resolved_at), is_own=False) for one in others]


def _unix(at: Any) -> float | None:
    return at.timestamp() if at is not None else None
