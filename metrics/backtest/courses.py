"""A rule's track over a long stretch of the past, for any kind of condition."""

from __future__ import annotations

from typing import Final

import numpy as np

from metrics.entities import watching
from metrics.judging.calendars import Place
from metrics.judging.changing import LearnedChange, replayed
from metrics.judging.fitting import REGROW_AFTER
from metrics.judging.foretelling import forecast_at
from metrics.judging.learned import open_model
from metrics.judging.past import Samples
from metrics.judging.subjects import Subject
from metrics.judging.tracks import NOTHING, Track, composite_track, plain_tracks, ratio_track
from metrics.models import Kind
from metrics.seasons import Calendar
from metrics.thresholds.batch import Floats
from metrics.thresholds.conditions import Absence, Composite, Entity, Forecast, Learns, Ratio

#: A model is warmed on so much of what lies before, where it is still stored.
WARM: Final = 5 * 86_400.0
#: Forecasts are made every hour; of a month as many as an answer can wait for.
FORECAST_EVERY: Final = 3_600.0
MOST_FORECASTS: Final = 60


def course_of(subject: Subject, samples: Samples, place: Place) -> Track:
    """What a subject's samples would have meant for its rule."""
    condition = subject.rule.condition
    if isinstance(condition, Ratio):
        return ratio_track(condition, subject, samples)
    if isinstance(condition, Composite):
        return composite_track(condition, subject, samples, None)
    if isinstance(condition, Entity):
        return watching.course_of(subject, samples, place.calendar)
    at, values = samples.get(subject.series[0].number, (np.empty(0), np.empty(0)))
    if isinstance(condition, Absence):
        return silences(condition, at, values)
    if not len(at):
        return NOTHING
    if isinstance(condition, Learns):
        return learned(condition, subject, at, values, place)
    if isinstance(condition, Forecast):
        return foretold(condition, at, values, place.calendar)
    return plain_tracks(condition, list(subject.series), samples, None)[0]


def learned(condition: Learns, subject: Subject, at: Floats, values: Floats, place: Place) -> Track:
    """What a model would have said that began with the first of these samples."""
    model = open_model(
        condition, subject.rule.adjustment, None, calendar=place.calendar, country=place.country,
        is_counter=subject.series[0].kind == Kind.COUNTER,
    )  # fmt: skip
    if isinstance(model, LearnedChange):
        return replayed(model, at, values, every=REGROW_AFTER)
    return model.follow(at, values)


def silences(condition: Absence, at: Floats, values: Floats) -> Track:
    """The silences between samples; each begins so long after the last one and ends with the next."""
    gaps = np.diff(at)
    ends = np.flatnonzero(gaps > condition.after)
    times = np.sort(np.concatenate([at, at[ends] + condition.after]))
    entered = np.isin(times, at[ends] + condition.after)
    shown = np.full(len(times), np.nan)
    shown[~entered] = values[: int((~entered).sum())] if len(values) else np.nan
    return Track(times, shown, entered, ~entered)


def foretold(condition: Forecast, at: Floats, values: Floats, calendar: Calendar) -> Track:
    """What forecasts would have said every so often, each knowing only what came before it."""
    start, end = at[0] + 86_400.0, at[-1]
    if end <= start:
        return NOTHING
    every = max(FORECAST_EVERY, (end - start) / MOST_FORECASTS)
    times = np.arange(start, end, every)
    said = [forecast_at(condition, at, values, float(now), calendar) for now in times]
    entered = np.array([one is not None for one in said])
    shown = values[np.maximum(np.searchsorted(at, times, side="right") - 1, 0)]
    return Track(times, shown, entered, ~entered, tell=lambda index: said[index] or {})
