"""What a chart of a finding shows: the series around it, what was usual, the limit and the forecast."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

from alerting.scoring.numerics.packing import BadModel
from metrics.bands import BandConfig, Bands
from metrics.changes.watch import rates_of
from metrics.charts import changed
from metrics.entities.model import EntityModel
from metrics.entities.speaking import series_of
from metrics.entities.stored import model_of
from metrics.judging.calendars import calendar_of
from metrics.judging.learned import LearnedBand, open_model
from metrics.judging.rules import rule_of
from metrics.models import DetectorState, Finding, Kind, Series
from metrics.seasons import BadSeries
from metrics.storage import reading
from metrics.thresholds.batch import Floats
from metrics.thresholds.conditions import Adaptive, Bounds
from tenants.context import current_tenant_id

LEAST_SHOWN: Final = 3 * 3_600.0
MOST_SHOWN: Final = 14 * 86_400.0
#: So much of what was before is shown for each second that the finding lasts.
BEFORE: Final = 3.0
AFTER: Final = 1_800.0
POINTS: Final = 480
#: For a detector, which has no band of its own, a band is learned of so much of the past for the picture.
LEARN_FROM: Final = 7 * 86_400.0
LEARN_STEP: Final = 600.0
#: So many deviations around the usual are drawn of a metric that is judged with others.
DEVIATIONS: Final = 3.0


@dataclass(frozen=True)
class Line:
    """A limit that people set, or the one that was crossed."""

    value: float
    is_clear: bool = False


@dataclass(frozen=True)
class Course:
    """Everything on one picture; times in unix seconds, NaN where nothing is known."""

    title: str
    unit: str
    start: float
    end: float
    at: Floats
    value: Floats
    low: Floats | None = None
    high: Floats | None = None
    expected: Floats | None = None
    lines: tuple[Line, ...] = ()
    #: Stretches that were found, from when to when.
    found: tuple[tuple[float, float], ...] = ()
    forecast_at: Floats = field(default_factory=lambda: np.empty(0))
    forecast: Floats = field(default_factory=lambda: np.empty(0))
    forecast_low: Floats = field(default_factory=lambda: np.empty(0))
    forecast_high: Floats = field(default_factory=lambda: np.empty(0))
    #: The moment of a lasting change.
    changed_at: float | None = None


def courses_of(finding: Finding, now: float) -> list[Course]:
    """The courses around a finding: of its series, or of each of the metrics that most made it, the strongest first."""
    began, ended = finding.began_at.timestamp(), finding.ended_at.timestamp() if finding.ended_at else now
    span = min(MOST_SHOWN, max(LEAST_SHOWN, BEFORE * (ended - began)))
    start, end = max(began - span, ended - MOST_SHOWN), min(now, ended + AFTER)
    if finding.series is not None:
        return [_course(finding, finding.series, start, end, (began, ended))]
    model = model_of(finding.threshold_id, bytes(finding.subject), calendar_of().calendar)
    return [_part(model, series, start, end, (began, ended)) for series in series_of(finding)]


def _course(finding: Finding, series: Series, start: float, end: float, found: tuple[float, float]) -> Course:
    at, value = thin(*changed.shown(finding, series, *_samples(series.number, start, end)), POINTS)
    low, high, expected = _band(finding, series.number, at, end)
    change = changed.drawn(finding, at)
    if change is not None:
        low, high, expected = change.low, change.high, change.expected
    ahead = [np.array(finding.why.get(name) or [], dtype=np.float64) for name in ("f_at", "f_mid", "f_low", "f_high")]
    if len(ahead[0]):
        end = max(end, float(ahead[0][-1]))
    return Course(
        str(series), finding.unit or series.unit, start, end, at, value, low, high, expected, _lines(finding),
        (found,), ahead[0], ahead[1], ahead[2], ahead[3], change.moment if change is not None else None,
    )  # fmt: skip


def _part(model: EntityModel | None, series: Series, start: float, end: float, found: tuple[float, float]) -> Course:
    """One metric of several as it was judged, a counter by its change a second, with what its model holds for usual."""
    at, value = _samples(series.number, start, end)
    unit = series.unit
    if series.kind == Kind.COUNTER:
        value, unit = rates_of(at, value, None), f"{unit}/s" if unit else ""
    at, value = thin(at, value, POINTS)
    if model is None or series.metric not in model.names or not len(at):
        return Course(str(series), unit, start, end, at, value, found=(found,))
    usual, deviation = model.usual_of(series.metric, at)
    low, high = usual - DEVIATIONS * deviation, usual + DEVIATIONS * deviation
    return Course(str(series), unit, start, end, at, value, low, high, usual, (), (found,))


def _samples(number: int, start: float, end: float) -> tuple[Floats, Floats]:
    found = reading.samples(current_tenant_id(), [number], start, end).get(number)
    return found if found is not None else (np.empty(0), np.empty(0))


def thin(at: Floats, value: Floats, most: int) -> tuple[Floats, Floats]:
    """Leave out points, never the extremes: of each stretch the lowest and the highest stay."""
    if len(at) <= most:
        return at, value
    edges = np.linspace(0, len(at), most // 2 + 1).astype(np.int64)
    kept: list[int] = []
    for first, last in pairwise(edges):
        piece = value[first:last]
        if len(piece) and np.isfinite(piece).any():
            kept += sorted({int(first + np.nanargmin(piece)), int(first + np.nanargmax(piece))})
    chosen = np.array(kept, dtype=np.int64)
    return at[chosen], value[chosen]


def _lines(finding: Finding) -> tuple[Line, ...]:
    condition = rule_of(finding.threshold).condition
    # The numbers of a rate or a comparison have another scale than the series.
    if not isinstance(condition, Bounds) or finding.kind not in {"static", "forecast"}:
        return ()
    limits = [Line(limit) for limit in (condition.above, condition.below) if limit is not None]
    ends = [Line(limit, is_clear=True) for limit in (condition.clear_above, condition.clear_below) if limit is not None]
    return (*limits, *ends)


def _band(finding: Finding, number: int, at: Floats, end: float) -> tuple[Floats | None, Floats | None, Floats | None]:
    if finding.kind != "adaptive" or not len(at):
        return None, None, None
    expected, low, high = (_stored(finding) or _learned(number, float(at[0]), end)).edges(at)
    return (low, high, expected) if np.isfinite(low).any() else (None, None, None)


def _stored(finding: Finding) -> Bands | None:
    """The band itself, where the threshold judges by one."""
    rule = rule_of(finding.threshold)
    rows = DetectorState._default_manager.filter(
        threshold_id=finding.threshold_id, subject=finding.subject, model_kind="band"
    )
    dump = rows.values_list("model", flat=True).first()
    if dump is None or not isinstance(rule.condition, Adaptive):
        return None
    place = calendar_of()
    try:
        model = open_model(rule.condition, rule.adjustment, bytes(dump), calendar=place.calendar)
    except (BadModel, ValueError):
        return None
    return model.bands if isinstance(model, LearnedBand) else None


def _learned(number: int, before: float, end: float) -> Bands:
    """A band of what was usual before the picture begins."""
    bands = Bands(BandConfig(calendar=calendar_of().calendar))
    rollup = reading.rollup(current_tenant_id(), [number], "1m", before - LEARN_FROM, before).get(number)
    if rollup is not None:
        step = max(1, round(LEARN_STEP / 60))
        try:
            bands.follow(rollup.at[::step], rollup.mean[::step])
        except BadSeries:
            return Bands()
    return bands
