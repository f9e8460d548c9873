"""Finding the changes in a stored series."""

import itertools
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metrics.changes.chance import NORMAL_MAD, long_run_scale, without_spikes
from metrics.changes.change import Change, Kind
from metrics.changes.contrasts import Contrast, bend, step, step_on_line
from metrics.changes.search import Found, search
from metrics.seasons import NO_SEASON, Floats, Points, Season, points_of
from metrics.seasons.profiles import median_of

LEAST_POINTS = 20
LEAST_SEGMENT = 5
LEAST_BEND = 10
# Over sqrt(2 log n) standard errors by this much: measured so that noise of 10,000 points shows less than 0.1 changes.
CAUTION = 1.25
PRICE = 2.0  # parameters a change costs, in the logarithm of the length
ALL = frozenset(Kind)
ROUGH_WINDOW = 25
ROUNDING = 1e-9
ROOT_LOSS = 1.2  # deviations are judged by their square roots


class Model(NamedTuple):
    """One way to explain a series: places and contrasts of its changes, and what it leaves unexplained."""

    kind: Kind
    found: list[tuple[int, float]]
    fitted: Floats
    cost: float


def find_changes(
    at: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    season: Season = NO_SEASON,
    kinds: Collection[Kind] = ALL,
    caution: float = CAUTION,
) -> list[Change]:
    """The changes of a series (unix seconds, unit of the series; float64[n]) in the order of time.

    The season is taken off first. A series is explained by steps, by steps on a straight line, or by bends of a line,
    whichever needs the least (Bayesian information criterion); what is left is searched for changes of variance.
    Raises BadSeries with fewer than 20 points.
    """
    points = points_of(at, values, at_least=LEAST_POINTS)
    raw = points.values - season.at(points.at)
    rest = without_spikes(raw)
    scale = long_run_scale(rest)
    if scale <= 0:
        scale = float(np.std(rest)) * 1e-3
    if scale <= 0:
        return []
    best = explained(rest, scales_of(rest, scale, caution), kinds, caution)
    changes = [told(best, number, points, rest) for number in range(len(best.found))]
    if Kind.VARIANCE in kinds:
        changes += variances(
            points.at, raw - best.fitted, rest - best.fitted, size=float(np.ptp(rest)), caution=caution
        )
    return sorted(changes, key=lambda change: change.at)


def threshold_of(count: int, caution: float) -> float:
    """The contrast, in standard errors, that chance does not reach in a series of this length."""
    return caution * float(np.sqrt(2 * np.log(max(count, 3))))


def scales_of(rest: Floats, scale: float, caution: float) -> Floats:
    """The long-run scale at each point: one for all of the series, or one for each stretch of its own variance."""
    window = min(ROUGH_WINDOW, rest.size)
    padded = np.pad(rest, (window // 2, window - 1 - window // 2), mode="reflect")
    rough = rest - median_of(np.lib.stride_tricks.sliding_window_view(padded, window).T)
    cuts = [0, *(place for place, _ in spread_changes(rough, caution)), rest.size]
    scales = np.full(rest.size, scale)
    if len(cuts) > 2:
        for begin, end in itertools.pairwise(cuts):
            scales[begin:end] = long_run_scale(rest[begin:end]) or scale
    return scales


def spread_changes(missed: Floats, caution: float) -> list[Found]:
    """Where the distance of values from what explains them changes, judged by its square root."""
    roots = np.sqrt(np.abs(missed - np.median(missed)))
    scale = long_run_scale(roots)
    if scale <= 0:
        return []
    limit = ROOT_LOSS * threshold_of(roots.size, caution)
    return search(roots, step, limit, least=2 * LEAST_SEGMENT, scales=np.full(roots.size, scale))


def explained(rest: Floats, scales: Floats, kinds: Collection[Kind], caution: float) -> Model:
    """The cheapest of the ways allowed."""
    ways: list[tuple[Kind, Contrast, int]] = []
    if Kind.LEVEL in kinds:
        ways += [(Kind.LEVEL, step, LEAST_SEGMENT), (Kind.LEVEL, step_on_line, LEAST_SEGMENT)]
    if Kind.TREND in kinds:
        ways.append((Kind.TREND, bend, LEAST_BEND))
    models = [model_of(rest, scales, way, caution) for way in ways]
    line = fit(rest, [])
    return min(models, key=lambda model: model.cost, default=Model(Kind.LEVEL, [], line, 0.0))


def model_of(rest: Floats, scales: Floats, way: tuple[Kind, Contrast, int], caution: float) -> Model:
    """Search one way and count what it costs."""
    kind, contrast, least = way
    found = search(rest, contrast, threshold_of(rest.size, caution), least=least, scales=scales)
    places = np.arange(rest.size, dtype=np.float64)
    if kind is Kind.TREND:
        columns = [places, *(np.maximum(places - cut, 0.0) for cut, _ in found)]
    else:
        columns = [(places >= cut).astype(np.float64) for cut, _ in found]
        columns += [places] if contrast is step_on_line else []
    fitted = fit(rest, columns)
    missed = float((((rest - fitted) / scales) ** 2).sum())
    lines = 0 if contrast is step else 1
    cost = missed + (1 + lines + PRICE * len(found)) * float(np.log(rest.size))
    return Model(kind, found, fitted, cost)


def fit(rest: Floats, columns: list[Floats]) -> Floats:
    """The least-squares fit of a constant and these columns."""
    design = np.column_stack([np.ones(rest.size), *columns])
    norms = np.maximum(np.abs(design).max(axis=0), 1e-300)
    solution, *_ = np.linalg.lstsq(design / norms, rest, rcond=None)
    fitted: Floats = (design / norms) @ solution
    return fitted


def told(model: Model, number: int, points: Points, rest: Floats) -> Change:
    """One change of level or trend with what was before and after, up to the neighbouring changes."""
    place, score = model.found[number]
    begin = model.found[number - 1][0] if number else 0
    end = model.found[number + 1][0] if number + 1 < len(model.found) else rest.size
    moment = float(points.at[place])
    if model.kind is Kind.TREND:
        before, after = (slope(points.at[piece], rest[piece]) for piece in (slice(begin, place), slice(place, end)))
    else:
        # What the fit says on both sides of the place, so that a trend under the step does not add to it.
        jump = float(model.fitted[place] - model.fitted[place - 1])
        after = float(np.median(rest[place:end]))
        before = after - jump if number_of_slopes(model) else float(np.median(rest[begin:place]))
    return Change(model.kind, moment, float(points.at[-1]), before, after, score)


def number_of_slopes(model: Model) -> int:
    """1 when the fitted steps stand on a sloping line."""
    inner = np.diff(model.fitted)
    steps = np.array([place - 1 for place, _ in model.found], dtype=np.int64)
    calm = np.delete(inner, steps)
    return int(calm.size > 0 and abs(float(np.median(calm))) > 1e-12 * max(1.0, float(np.abs(model.fitted).max())))


def slope(at: Floats, values: Floats) -> float:
    """The least-squares slope in units per second."""
    away = at - at.mean()
    square = float((away**2).sum())
    return float((away * values).sum()) / square if square > 0 else 0.0


def variances(at: Floats, raw: Floats, calm: Floats, *, size: float, caution: float) -> list[Change]:
    """Changes of the deviation around what explains the series: found without spikes (`calm`), measured with all.

    `size` is the range of the series: what is left of it by rounding alone varies no more or less.
    """
    rounding = ROUNDING * size
    if float(np.max(np.abs(calm))) <= rounding:
        return []
    found = spread_changes(calm, caution)
    cuts = [0, *(place for place, _ in found), raw.size]
    changes = []
    for number, (place, height) in enumerate(found):
        before, after = (spread(raw[slice(*cuts[side : side + 2])]) for side in (number, number + 1))
        changes.append(Change(Kind.VARIANCE, float(at[place]), float(at[-1]), before, after, height))
    return changes


def spread(values: Floats) -> float:
    """The standard deviation as the median of distances tells it."""
    return NORMAL_MAD * float(np.median(np.abs(values - np.median(values))))
