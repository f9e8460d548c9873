"""How late and how surely are changes found, and how often where there are none?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.suites.series import autoregressive, day_and_week, moments, noise
from metrics.changes import ChangeConfig, ChangeDetector, Kind, find_changes
from metrics.seasons import cells_of, learn_season, points_of

QUIET = 10_000
CHANGED_AT, LENGTH = 1000, 2000
Alter = Callable[[np.ndarray, np.ndarray], np.ndarray]

NOISES: dict[str, Callable[[np.random.Generator, np.ndarray], np.ndarray]] = {
    "white": lambda rng, at: rng.normal(size=at.size),
    "heavy tails": lambda rng, at: noise("heavy", rng, at),
    "clinging 0.5": lambda rng, at: autoregressive(rng, at.size, 0.5),
    "clinging 0.8": lambda rng, at: autoregressive(rng, at.size, 0.8),
}
CASES: dict[str, tuple[Kind, Alter]] = {
    "level +1": (Kind.LEVEL, lambda values, since: values + (since >= 0)),
    "level +2": (Kind.LEVEL, lambda values, since: values + 2 * (since >= 0)),
    "level +5": (Kind.LEVEL, lambda values, since: values + 5 * (since >= 0)),
    "trend 0.02 a point": (Kind.TREND, lambda values, since: values + 0.02 * np.maximum(since, 0)),
    "trend 0.1 a point": (Kind.TREND, lambda values, since: values + 0.1 * np.maximum(since, 0)),
    "deviation x2": (Kind.VARIANCE, lambda values, since: values * np.where(since >= 0, 2, 1)),
    "deviation x4": (Kind.VARIANCE, lambda values, since: values * np.where(since >= 0, 4, 1)),
}


def false_alarms(runs: int) -> dict[str, Any]:
    """Changes told in 10,000 points without any, as they come and looking back."""
    at = moments(QUIET)
    found: dict[str, Any] = {}
    for name, make in NOISES.items():
        online = past = 0
        for run in range(runs):
            values = make(np.random.default_rng([run, 3]), at)
            online += sum(1 for _ in ChangeDetector().scan(at, values))
            past += len(find_changes(at, values))
        found[name] = {"online": round(online / runs, 3), "past": round(past / runs, 3)}
    online = 0
    for run in range(runs):
        online += _seasonal(run)
    found["season removed"] = {"online": round(online / runs, 3)}
    return found


def _seasonal(run: int) -> int:
    """False alarms in 10,000 points of a seasonal series, its season learned from the four weeks before."""
    step = 300.0
    past = int(28 * 86400 / step)
    at = moments(past + QUIET, step)
    values = day_and_week(at) + np.random.default_rng([run, 5]).normal(size=at.size)
    season = learn_season(cells_of(points_of(at[:past], values[:past]), 3600.0))
    return sum(1 for _ in ChangeDetector(ChangeConfig(season=season)).scan(at[past:], values[past:]))


def delays(runs: int) -> dict[str, Any]:
    """Points from a change to its detection, and whether its kind was told; looking back, how exact its place is."""
    return {name: delay_of(kind, alter, runs) for name, (kind, alter) in CASES.items()}


def delay_of(kind: Kind, alter: Alter, runs: int) -> dict[str, Any]:
    """One case, with white noise of deviation 1."""
    at = moments(LENGTH)
    since = np.arange(LENGTH) - CHANGED_AT
    waits, named, places, found_past, extra = [], 0, [], 0, 0
    for run in range(runs):
        values = alter(np.random.default_rng([run, 9]).normal(size=LENGTH), since.astype(float))
        changes = list(ChangeDetector().scan(at, values))
        true = [change for change in changes if change.found_at >= at[CHANGED_AT]]
        if true:
            waits.append(float(np.searchsorted(at, true[0].found_at)) - CHANGED_AT)
            named += true[0].kind is kind
        past = find_changes(at, values)
        near = [c for c in past if c.kind is kind and abs(np.searchsorted(at, c.at) - CHANGED_AT) <= 100]
        found_past += bool(near)
        extra += len(past) - len(near[:1])
        places += [abs(float(np.searchsorted(at, near[0].at)) - CHANGED_AT)] if near else []
    return {
        "found": round(len(waits) / runs, 3),
        "median_delay_points": float(np.median(waits)) if waits else None,
        "p90_delay_points": float(np.quantile(waits, 0.9)) if waits else None,
        "kind_told_right": round(named / runs, 3),
        "past_found": round(found_past / runs, 3),
        "past_median_misplaced_points": float(np.median(places)) if places else None,
        "past_extra_changes": round(extra / runs, 3),
    }
