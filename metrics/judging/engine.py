"""Judging a tenant's series that have something new: a handful of statements for some hundred of them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import numpy as np
import structlog
from django.db import InterfaceError, OperationalError
from prometheus_client import Counter, Histogram

from metrics.entities import watching
from metrics.judging import alerts, causes, due, fitting, live, turns
from metrics.judging.calendars import Place, calendar_of
from metrics.judging.due import Share
from metrics.judging.findings import write_findings
from metrics.judging.outcomes import GRAIN, Outcome, settle
from metrics.judging.past import Samples, read_samples
from metrics.judging.rules import Rule, load_rules
from metrics.judging.states import Identity, Known, moment, read_states, write_outcomes
from metrics.judging.subjects import Subject, joined_metrics, read_series, subjects_of
from metrics.judging.tracks import Track, composite_track, plain_tracks, ratio_track
from metrics.judging.turns import Turn
from metrics.thresholds.conditions import (
    Comparison,
    Composite,
    Entity,
    Learns,
    Rate,
    Ratio,
    Static,
    lookback,
    part_condition,
)
from metrics.trust.verdicts import precision_of
from tenants.context import tenant_context

log = structlog.get_logger(__name__)

#: Series in one transaction where no turn says how many.
BATCH: Final = 1_000
#: What came later than this after its time is history.
OLDEST: Final = 7_200.0
#: Clocks of senders may be ahead.
AHEAD: Final = 900.0
#: A model that this process has not fed for longer passes over what it missed.
MOST_REPLAYED: Final = 2 * 86_400.0
#: By how much models may be behind to be read together, in seconds.
BEHIND: Final = (900.0, 3_600.0, 14_400.0, 43_200.0)
ROUND_SECONDS: Final = 30.0
#: Kinds judged when samples come; absence and forecasts go by the clock.
KINDS: Final = ("static", "rate", "ratio", "comparison", "adaptive", "change", "composite", "entity")

_judged = Counter("metrics_series_judged", "Series whose new samples were judged")
_found = Counter("metrics_findings", "Findings, by what became of them", ["what"])
_seconds = Histogram("metrics_judging_seconds", "Duration of one judging transaction")


def judge_all() -> int:
    """Judge what waits in all tenants, turn by turn, for a while; return how many series that were."""
    total, end = 0, time.monotonic() + ROUND_SECONDS
    while waiting := turns.plan():
        judged = 0
        for turn in waiting:
            if time.monotonic() > end:
                return total + judged
            judged += _take(turn)
        total += judged
        if not judged:
            break
    return total


def _take(planned: Turn) -> int:
    """Take a turn; when it fails, ever smaller ones, until the series at fault is set aside."""
    turn = turns.begin(planned)
    if turn is None:
        return 0
    size = turn.size
    while True:
        try:
            return judge_turn(replace(turn, size=size))
        except (OperationalError, InterfaceError):
            # The database is away, slow or locked: no series is at fault. They stay due.
            log.exception("judging put off", tenant=str(turn.tenant_id), part=turn.share.part, series=size)
            return 0
        except Exception:  # whatever a series does to the numerics: it is looked for, and the others are judged
            log.exception("judging failed", tenant=str(turn.tenant_id), part=turn.share.part, series=size)
            if size == 1:
                return _set_aside(turn)
            size = max(1, size // 10)


def judge_turn(turn: Turn) -> int:
    """Judge as many series of a part as the turn says, in one transaction; return how many there were."""
    if turn.is_hopeless:
        return _set_aside(turn)
    started = time.perf_counter()
    with live.learning(), tenant_context(turn.tenant_id):
        if not turns.hold(turn):
            return 0
        judged = _judge_some(turn.tenant_id, turn.size, turn.share)
        turns.end(turn, judged, time.perf_counter() - started)
    _count(judged, started)
    return judged


def _set_aside(turn: Turn) -> int:
    """Take the first series of a part off the queue without judging it."""
    with tenant_context(turn.tenant_id):
        if not turns.hold(turn):
            return 0
        gone = due.claim(turn.tenant_id, 1, OLDEST, turn.share, joined_metrics(load_rules(KINDS)))
        turns.end(replace(turn, size=turns.FIRST_SIZE), 0, 0.0)
    log.error("series not judged", tenant=str(turn.tenant_id), part=turn.share.part, numbers=sorted(gone))
    return len(gone)


def judge(tenant_id: UUID, limit: int = BATCH) -> int:
    """Judge some of a tenant's series that have new samples, whatever their part; return how many there were."""
    started = time.perf_counter()
    with live.learning(), tenant_context(tenant_id):
        judged = _judge_some(tenant_id, limit, due.WHOLE) if due.take_turn(tenant_id) else 0
    _count(judged, started)
    return judged


def _judge_some(tenant_id: UUID, limit: int, share: Share) -> int:
    """States, findings and the alerts about them are committed together, or none of them is."""
    rules = load_rules(KINDS)
    fresh = due.claim(tenant_id, limit, OLDEST, share, joined_metrics(rules))
    if rules and fresh:
        due.allow_silence()
        _judge(rules, fresh)
    return len(fresh)


def _count(judged: int, started: float) -> None:
    live.shelf.tidy()
    if judged:
        _judged.inc(judged)
        _seconds.observe(time.perf_counter() - started)


def _judge(rules: Sequence[Rule], fresh: dict[int, float]) -> None:
    known_series = read_series(numbers=list(fresh))
    if partners := joined_metrics(rules):
        others = read_series(metrics=partners)
        known_series += [row for row in others if row.number not in fresh]
    subjects = subjects_of(rules, fresh, known_series)
    states = read_states(subject.identity for subject in subjects)
    now = due.database_time()
    learned = [subject for subject in subjects if isinstance(subject.rule.condition, Learns)]
    entities = [subject for subject in subjects if isinstance(subject.rule.condition, Entity)]
    limited = [subject for subject in subjects if not isinstance(subject.rule.condition, Learns | Entity)]
    outcomes = _set_outcomes(limited, states, now)
    outcomes += _learned_outcomes(learned, states, now)
    outcomes += watching.outcomes(entities, states, now + AHEAD)
    write_outcomes(outcomes, states)
    by_id = {rule.id: rule for rule in rules}
    news = write_findings(outcomes, precision_of(_asking(outcomes)))
    causes.seek([one for one in news.opened if one.is_told], now)
    alerts.tell(news, by_id, moment(now))
    _found.labels("opened").inc(len(news.opened))
    _found.labels("closed").inc(len(news.closed))


def _asking(outcomes: Sequence[Outcome]) -> set[UUID]:
    """The rules that have to have earned what they are about to do."""
    return {one.subject.rule.id for one in outcomes if one.changes and one.subject.rule.paging == "earned"}


def _set_outcomes(subjects: Sequence[Subject], states: dict[Identity, Known], now: float) -> list[Outcome]:
    """Judge what has limits that people set: all subjects of a rule together."""
    if not subjects:
        return []
    samples = read_samples(_numbers(subjects), min(_reach(subject) for subject in subjects), now + AHEAD)
    past = _past(subjects, now)
    by_rule: dict[UUID, list[Subject]] = defaultdict(list)
    for subject in subjects:
        by_rule[subject.rule.id].append(subject)
    outcomes = []
    for group in by_rule.values():
        for subject, track in zip(group, _tracks(group, samples, past), strict=True):
            outcome = settle(subject, states.get(subject.identity, Known()).standing, track)
            if outcome is not None:
                outcomes.append(outcome)
    return outcomes


def _tracks(group: Sequence[Subject], samples: Samples, past: Samples | None) -> list[Track]:
    condition = group[0].rule.condition
    if isinstance(condition, Ratio):
        return [ratio_track(condition, subject, samples) for subject in group]
    if isinstance(condition, Composite):
        return [composite_track(condition, subject, samples, past) for subject in group]
    if not isinstance(condition, Static | Rate | Comparison):
        raise TypeError(f"{type(condition).__name__} is not judged by sets")
    return plain_tracks(condition, [subject.series[0] for subject in group], samples, past)


def _reach(subject: Subject) -> float:
    """From when on the samples of a subject are needed; those of a week ago are read by themselves."""
    condition = subject.rule.condition
    conditions = [part_condition(part) for part in condition.parts] if isinstance(condition, Composite) else [condition]
    back = max(one.over if isinstance(one, Comparison) else lookback(one) for one in conditions)
    # The latest sample before the new ones tells how a part of several conditions stands.
    return subject.from_at - back - (AHEAD if isinstance(condition, Composite) else 0.0)


def _past(subjects: Sequence[Subject], now: float) -> Samples | None:
    """What was at the times that comparisons look back to."""
    wanted: list[tuple[Subject, Comparison]] = []
    for subject in subjects:
        condition = subject.rule.condition
        parts = condition.parts if isinstance(condition, Composite) else ()
        conditions = [part_condition(part) for part in parts] if parts else [condition]
        wanted += [(subject, one) for one in conditions if isinstance(one, Comparison)]
    if not wanted:
        return None
    start = min(subject.from_at - one.ago - one.over for subject, one in wanted)
    end = now + AHEAD - min(one.ago for _subject, one in wanted)
    return read_samples(_numbers([subject for subject, _one in wanted]), start, end)


def _numbers(subjects: Sequence[Subject]) -> set[int]:
    return {row.number for subject in subjects for row in subject.series}


def _learned_outcomes(subjects: Sequence[Subject], states: dict[Identity, Known], now: float) -> list[Outcome]:
    """Judge what has models; those without one are put down to be fitted. A few hundred models at a time are open."""
    if not subjects:
        return []
    fitting.enrol([subject for subject in subjects if subject.identity not in states])
    place = calendar_of()
    outcomes: list[Outcome] = []
    for first in range(0, len(subjects), live.OPEN_AT_ONCE):
        outcomes += _followed(subjects[first : first + live.OPEN_AT_ONCE], states, now, place)
        live.shelf.make_room()
    return outcomes


def _followed(
    subjects: Sequence[Subject], states: dict[Identity, Known], now: float, place: Place
) -> Iterator[Outcome]:
    """Let each model follow its series by itself."""
    lives = live.models_of(subjects, states, place)
    ready = [subject for subject in subjects if subject.identity in lives]
    if not ready:
        return
    samples = _unseen(ready, lives, now)
    for subject in ready:
        outcome = follow(subject, lives[subject.identity], states[subject.identity], samples)
        if outcome is not None:
            yield outcome
    live.write_dumps((subject.identity, lives[subject.identity]) for subject in ready)


def _unseen(subjects: Sequence[Subject], lives: dict[Identity, live.Live], now: float) -> Samples:
    """What came after each model's last sample; models far behind are read apart from those that are not."""
    by_age: dict[int, list[Subject]] = defaultdict(list)
    for subject in subjects:
        by_age[int(np.searchsorted(BEHIND, now - lives[subject.identity].until))].append(subject)
    samples: Samples = {}
    for group in by_age.values():
        start = max(min(lives[subject.identity].until for subject in group), now - MOST_REPLAYED)
        # Two thresholds may follow one series, each from where it stands.
        for number, found in read_samples(_numbers(group), start, now + AHEAD).items():
            if number not in samples or found[0][0] < samples[number][0][0]:
                samples[number] = found
    return samples


def follow(subject: Subject, one: live.Live, known: Known, samples: Samples) -> Outcome | None:
    """Feed a model what is newer than all it has seen; what was new to it alone is not judged again."""
    found = samples.get(subject.series[0].number)
    if found is None:
        return None
    at, values = found
    new = at > one.until + GRAIN
    at, values = at[new], values[new]
    if not len(at):
        return None
    track = one.model.follow(at, values)
    one.until = float(at[-1])
    one.undumped += len(at)
    return settle(subject, known.standing, track)
