"""Judging entities whose series have something new, and over a stretch of the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from metrics.entities.grid import Piece
from metrics.entities.model import EntityModel, Looked, TooLittle
from metrics.entities.stored import models_of, pieces_of
from metrics.judging.calendars import calendar_of
from metrics.judging.learned import sensitivity_of
from metrics.judging.outcomes import GRAIN, Outcome, settle
from metrics.judging.past import Samples, read_samples
from metrics.judging.states import Identity, Known
from metrics.judging.subjects import SeriesRow, Subject
from metrics.judging.tracks import NOTHING, Track
from metrics.models import Kind
from metrics.seasons import Calendar
from metrics.thresholds.conditions import Entity

#: How many powers of ten of improbability count, by sensitivity: in the middle one step in sixteen thousand.
_SENSITIVITIES: Final = (0.0, 0.2, 0.5, 0.8, 1.0)
_DEPTHS: Final = (6.5, 5.2, 4.2, 3.6, 3.0)
#: It is over once the improbability has so many of the powers of ten that it takes.
_CALM: Final = 0.5
#: A step is judged when each metric has gone on beyond it, or when the first one has by so many steps.
_WAITED: Final = 1
#: Before the oldest new sample: steps that waited for it.
_BEFORE: Final = _WAITED + 1
#: A backtest learns from so much of what it reads, at most half of it.
WARM: Final = 5 * 86_400.0


def outcomes(subjects: Sequence[Subject], states: Mapping[Identity, Known], end: float) -> list[Outcome]:
    """Judge entities by their models; those without one wait until they are fitted. Two statements for all."""
    if not subjects:
        return []
    models = models_of(subjects, states, calendar_of().calendar)
    ready = [subject for subject in subjects if subject.identity in models]
    if not ready:
        return []
    begins = {one.identity: _first(one, models[one.identity], states[one.identity]) for one in ready}
    start = min(begins[one.identity] * models[one.identity].step - _reach(one, models[one.identity]) for one in ready)
    samples = read_samples({row.number for one in ready for row in one.series}, start, end)
    found = []
    for subject in ready:
        model, first = models[subject.identity], begins[subject.identity]
        pieces = pieces_of(subject.series, samples)
        track = track_of(subject, model, pieces, first, last_ready(model, pieces))
        # Steps are judged by where they end, and again when a sample comes late.
        subject = replace(subject, from_at=(first + 1) * model.step)
        # No single number was found: what the metrics were is told as its reason.
        track = replace(track, signal=np.full(len(track.at), np.nan))
        outcome = settle(subject, states[subject.identity].standing, track)
        if outcome is not None:
            found.append(outcome)
    return found


def _first(subject: Subject, model: EntityModel, known: Known) -> int:
    """The first step to look at; what the model has learned from is not judged by it."""
    learned_until = known.model_until.timestamp() if known.model_until is not None else 0.0
    return max(int(subject.from_at // model.step) - _BEFORE, int((learned_until + GRAIN) // model.step))


def _reach(subject: Subject, model: EntityModel) -> float:
    """How long before a step samples still tell something about it."""
    return max(Piece(row.metric, _NONE, _NONE, row.interval).patience(model.step) for row in subject.series) + (
        2 * model.step
    )


_NONE: Final = np.empty(0)


def last_ready(model: EntityModel, pieces: Sequence[Piece]) -> int:
    """The last step that nothing more is expected for."""
    newest = [float(piece.at[-1]) for piece in pieces if piece.metric in model.names and len(piece.at)]
    if not newest:
        return -1
    return max(int(min(newest) // model.step) - 1, int(max(newest) // model.step) - 1 - _WAITED)


def track_of(subject: Subject, model: EntityModel, pieces: Sequence[Piece], first: int, last: int) -> Track:
    """How far an entity's metrics were from fitting together, as a multiple of what counts."""
    if last < first:
        return NOTHING
    condition = subject.rule.condition
    if not isinstance(condition, Entity):
        raise TypeError("only entities are judged by several metrics")
    depth = float(np.interp(sensitivity_of(condition, subject.rule.adjustment), _SENSITIVITIES, _DEPTHS))
    looked: Looked = model.look(pieces, first, last)
    score = looked.depth / depth
    entered = score >= 1.0
    units = {row.metric: unit_of(row) for row in subject.series}
    return Track(
        looked.at, score, entered, score < _CALM, score=score, tell=lambda index: model.tell(looked, index, units)
    )


def unit_of(series: SeriesRow) -> str:
    """In what a series is judged: a counter by its change a second."""
    return f"{series.unit}/s" if series.kind == Kind.COUNTER and series.unit else series.unit


def course_of(subject: Subject, samples: Samples, calendar: Calendar) -> Track:
    """What would have been found over a stretch of the past, by a model of its first days."""
    condition = subject.rule.condition
    pieces = pieces_of(subject.series, samples)
    begun = [float(piece.at[0]) for piece in pieces if len(piece.at)]
    if not begun or not isinstance(condition, Entity):
        return NOTHING
    start, end = min(begun), max(float(piece.at[-1]) for piece in pieces)
    learned_until = start + min(WARM, (end - start) / 2)
    try:
        model = EntityModel.fit(pieces, start, learned_until, float(condition.step), calendar)
    except TooLittle:
        return NOTHING
    return track_of(subject, model, pieces, int(learned_until // model.step) + 1, last_ready(model, pieces))
