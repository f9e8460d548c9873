"""Forecasts once an hour: who is going to cross a limit, told ahead of time and only when that is sure enough."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
import structlog

from metrics.forecasting import Side, fit_forecast, time_to_breach
from metrics.judging import alerts, due
from metrics.judging.calendars import Place, calendar_of, calendar_with
from metrics.judging.findings import write_findings
from metrics.judging.outcomes import Outcome, settle
from metrics.judging.rules import Rule, load_rules
from metrics.judging.states import CALM, Identity, Known, moment, read_states, write_outcomes
from metrics.judging.subjects import Subject, read_series, subjects_of
from metrics.judging.tracks import Track
from metrics.seasons import BadSeries, Calendar
from metrics.storage import reading
from metrics.thresholds.batch import Floats
from metrics.thresholds.conditions import Forecast
from metrics.thresholds.phases import Phase, Standing
from metrics.trust.verdicts import precision_of
from tenants.context import current_tenant_id, tenant_context
from tenants.models import Tenant

log = structlog.get_logger(__name__)

#: From so much of the past, in steps of so many seconds.
FORECAST_FROM: Final = 14 * 86_400.0
FORECAST_STEP: Final = 900.0
#: Read and forecast in one transaction; a round ends after so long and goes on from there in the next.
AT_ONCE: Final = 25
ROUND_SECONDS: Final = 40.0
#: A series is looked at once in so long.
EVERY: Final = 3_000.0
NEVER: Final = Known(CALM)


def foretell_all() -> int:
    """Look ahead in every active tenant; return how many series were looked at."""
    total, last = 0, time.monotonic() + ROUND_SECONDS
    for tenant_id in Tenant.objects.filter(is_active=True).order_by("?").values_list("id", flat=True):
        while time.monotonic() < last and (done := foretell(tenant_id)):
            total += done
    return total


def foretell(tenant_id: UUID, limit: int = AT_ONCE) -> int:
    """Look ahead for some of a tenant's series that were not looked at within the hour; return how many."""
    with tenant_context(tenant_id):
        rules = load_rules(["forecast"])
        if not rules or not due.take_turn(tenant_id):
            return 0
        now = due.database_time()
        subjects = _subjects(rules, now)
        states = read_states(subject.identity for subject in subjects)
        waiting = [one for one in subjects if now - states.get(one.identity, NEVER).standing.until > EVERY][:limit]
        if waiting:
            _foretell(waiting, rules, states, now)
        return len(waiting)


def _subjects(rules: Sequence[Rule], now: float) -> list[Subject]:
    names = {metric for rule in rules for metric in rule.metrics}
    rows = read_series(metrics=names if all(rule.metrics for rule in rules) else None)
    alive = [row for row in rows if row.last_at is not None and now - row.last_at.timestamp() < due.ALIVE]
    return subjects_of(rules, {row.number: 0.0 for row in alive}, alive)


def _foretell(subjects: Sequence[Subject], rules: Sequence[Rule], states: dict[Identity, Known], now: float) -> None:
    place = calendar_of()
    numbers = {subject.series[0].number for subject in subjects}
    past = reading.rollup(current_tenant_id(), numbers, "1m", now - FORECAST_FROM, now)
    outcomes = []
    for subject in subjects:
        rollup = past.get(subject.series[0].number)
        track = _track(subject, rollup.at, rollup.mean, now, place) if rollup is not None else unknown(now)
        standing = states.get(subject.identity, NEVER).standing
        outcome = settle(subject, standing, track)
        outcomes.append(outcome or Outcome(subject, standing, Standing(Phase.CALM, now, now)))
    write_outcomes(outcomes, states, also_calm=True)
    news = write_findings(outcomes, precision_of({rule.id for rule in rules if rule.paging == "earned"}))
    alerts.tell(news, {rule.id: rule for rule in rules}, moment(now))


def unknown(now: float) -> Track:
    """What is known of a series without a past: nothing, so that nothing is in sight."""
    no, yes = np.zeros(1, dtype=bool), np.ones(1, dtype=bool)
    return Track(np.array([now]), np.array([np.nan]), no, yes)


def _track(subject: Subject, at: Floats, values: Floats, now: float, place: Place) -> Track:
    condition = subject.rule.condition
    if not isinstance(condition, Forecast):
        raise TypeError("only forecasts are foretold")
    said = forecast_at(condition, at, values, now, place.calendar)
    entered = np.array([said is not None])
    return Track(np.array([now]), values[-1:], entered, ~entered, tell=lambda _index: said or {})


def forecast_at(
    condition: Forecast, at: Floats, values: Floats, now: float, calendar: Calendar
) -> dict[str, Any] | None:
    """When a limit will be crossed, if that is sure enough; with what is needed to draw it."""
    if condition.holidays:
        calendar = calendar_with(calendar, condition.holidays)
    part = slice(int(np.searchsorted(at, now - FORECAST_FROM)), int(np.searchsorted(at, now, side="right")))
    past_at, past = thinned(at[part], values[part], FORECAST_STEP)
    if not len(past) or any(
        limit is not None and (past[-1] > limit if side is Side.ABOVE else past[-1] < limit)
        for side, limit in _limits(condition)
    ):
        return None  # It has crossed already: that is a fixed limit's to say.
    try:
        forecast = fit_forecast(past_at, past, ahead=float(condition.horizon), calendar=calendar)
    except BadSeries:
        return None
    for side, limit in _limits(condition):
        if limit is None:
            continue
        breach = time_to_breach(forecast, limit, side=side, within=float(condition.horizon))
        if breach.is_sure(condition.confidence) and breach.at is not None:
            ahead = forecast.end + np.linspace(0.0, breach.until - forecast.end, 25)[1:]
            drawn = forecast.predict(ahead)
            return {
                "crosses_at": moment(breach.at).isoformat(),
                "early": _iso(breach.early),
                "late": _iso(breach.late),
                "certainty": round(breach.probability, 4),
                "is_calibrated": breach.is_calibrated,
                "season": forecast.season.kind.value,
                "limit": limit,
                "f_at": _list(drawn.at),
                "f_mid": _list(drawn.expected),
                "f_low": _list(drawn.low),
                "f_high": _list(drawn.high),
            }
    return None


def _limits(condition: Forecast) -> tuple[tuple[Side, float | None], ...]:
    return (Side.ABOVE, condition.above), (Side.BELOW, condition.below)


def _iso(at: float | None) -> str:
    return moment(at).isoformat() if at is not None else ""


def _list(values: Floats) -> list[float]:
    return [round(float(value), 6) for value in values]


def thinned(at: Floats, values: Floats, step: float) -> tuple[Floats, Floats]:
    """The mean of each step; a forecast of hours gains nothing from seconds."""
    if len(at) < 2 or (at[-1] - at[0]) / len(at) >= step:
        return at, values
    cells = np.floor(at / step)
    begins = np.flatnonzero(np.r_[True, cells[1:] != cells[:-1]])
    counts = np.diff(np.r_[begins, len(at)])
    return np.add.reduceat(at, begins) / counts, np.add.reduceat(values, begins) / counts
