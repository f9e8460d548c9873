"""Are the metrics that moved with a finding told from two hundred that did not?"""

import time
from typing import Any

import numpy as np

from benchmarks.suites.series import DAY, autoregressive, day_and_week, moments
from metrics.correlation import Relation, find_movers, frame_of, group_series

METRICS = 200
PLANTED = 10
PAST_DAYS = 4
EVENT_MINUTES = 45
SECOND_GROUP = 5


def scene(rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, int], set[str], int]:
    """200 metrics, of which ten moved with the finding or up to 15 minutes before it.

    Half of all share the same daily season, which makes them correlated without any cause; a third had shifts of their
    own at other times of the past; noise clings to itself more or less. Five others move together, hours earlier.
    """
    at = moments(int(PAST_DAYS * DAY / 60) + EVENT_MINUTES)
    event = at.size - EVENT_MINUTES
    course = np.concatenate((np.zeros(event), bump(rng)))
    series, lags = {}, {}
    earlier = {f"metric-{number:03d}" for number in range(PLANTED, PLANTED + SECOND_GROUP)}
    for number in range(METRICS):
        key = f"metric-{number:03d}"
        values = autoregressive(rng, at.size, rng.uniform(0, 0.9))
        if number % 2:
            values += day_and_week(at, size=rng.uniform(1, 4))
        if number % 3 == 0:
            first = int(rng.integers(0, event - 300))
            values[first : first + int(rng.integers(20, 200))] += rng.uniform(-6, 6)
        if number < PLANTED:
            lags[key] = int(rng.integers(0, 16))
            values += np.roll(course, -lags[key]) * rng.uniform(2.5, 6) * rng.choice([-1, 1])
        if key in earlier:
            values += np.roll(course, -240) * 5
        series[key] = values * rng.uniform(0.1, 100) + rng.uniform(-1000, 1000)
    series["finding"] = autoregressive(rng, at.size, 0.5) + day_and_week(at, size=3) + course * 6
    return at, series, lags, earlier, event


def bump(rng: np.random.Generator) -> np.ndarray:
    """An incident of 45 minutes: it comes within minutes, wavers and partly recovers."""
    rise = np.minimum(np.arange(EVENT_MINUTES) / rng.integers(1, 10), 1.0)
    waver = 1 + 0.25 * autoregressive(rng, EVENT_MINUTES, 0.7)
    return rise * waver * np.linspace(1, rng.uniform(0.5, 1), EVENT_MINUTES)


def causes(runs: int) -> dict[str, Any]:
    """Precision and recall of planted movers, errors of their lags, and purity of the groups they form."""
    true = told = planted = whole = led = 0
    lag_errors, seconds, relations = [], [], []
    for run in range(runs):
        rng = np.random.default_rng([run, 13])
        at, series, lags, _, event = scene(rng)
        begin = time.process_time()
        frame = frame_of(
            {key: (at, values) for key, values in series.items()},
            start=float(at[event]),
            end=float(at[-1]) + 60,
            history=PAST_DAYS * DAY,
        )
        movers = find_movers(frame, "finding", longest_lag=1200.0)
        groups = group_series(frame, ["finding", *(mover.key for mover in movers)], longest_lag=1200.0)
        seconds.append(time.process_time() - begin)
        right = [mover for mover in movers if mover.key in lags]
        true, told, planted = true + len(right), told + len(movers), planted + len(lags)
        lag_errors += [abs(mover.lag / 60 - lags[mover.key]) for mover in right]
        relations += [(mover.relation is Relation.BEFORE) == (lags[mover.key] > 1) for mover in right]
        whole += sum(1 for key in groups[0].keys if key in lags) if groups else 0
        led += bool(groups) and lags.get(groups[0].lead, -9) >= max(lags.values()) - 2
    return {
        "metrics": METRICS,
        "planted": PLANTED,
        "runs": runs,
        "precision": round(true / max(told, 1), 4),
        "recall": round(true / planted, 4),
        "median_lag_error_minutes": float(np.median(lag_errors)),
        "p90_lag_error_minutes": float(np.quantile(lag_errors, 0.9)),
        "before_or_with_told_right": round(float(np.mean(relations)), 4),
        "largest_group_holds": round(whole / planted, 4),
        "lead_is_among_first": round(led / runs, 3),
        "cpu_seconds": round(float(np.median(seconds)), 3),
    }


def nothing(runs: int) -> dict[str, Any]:
    """Movers told of a finding that nothing else moved with: all of them are false."""
    told = 0
    for run in range(runs):
        rng = np.random.default_rng([run, 17])
        at, series, lags, _, event = scene(rng)
        kept = {key: (at, values) for key, values in series.items() if key not in lags}
        frame = frame_of(kept, start=float(at[event]), end=float(at[-1]) + 60, history=PAST_DAYS * DAY)
        told += len(find_movers(frame, "finding", longest_lag=1200.0))
    return {"runs": runs, "false_movers_a_finding": round(told / runs, 3)}
