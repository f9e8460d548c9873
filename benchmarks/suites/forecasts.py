"""Do intervals hold what they promise, and how early and how well is a crossing foretold?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.suites.series import DAY, autoregressive, day_and_week, moments, noise
from metrics.forecasting import Side, fit_forecast, time_to_breach

STEP = 300.0
HISTORY_DAYS = 28
AHEAD_DAYS = 3
HORIZONS = {"1h": 3600.0, "6h": 21600.0, "1d": DAY, "3d": 3 * DAY}
Make = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def walk(rng: np.random.Generator, at: np.ndarray) -> np.ndarray:
    """A random walk."""
    return np.cumsum(rng.normal(size=at.size)) * 0.1


FAMILIES: dict[str, Make] = {
    "white": lambda rng, at: rng.normal(size=at.size),
    "heavy tails": lambda rng, at: noise("heavy", rng, at),
    "clinging": lambda rng, at: autoregressive(rng, at.size, 0.97),
    "random walk": walk,
    "trend": lambda rng, at: (at - at[0]) / DAY * rng.uniform(-2, 2) + rng.normal(size=at.size),
    "daily and weekly": lambda rng, at: 100 + day_and_week(at) + noise("clinging", rng, at),
    "season, trend, uneven noise": lambda rng, at: (
        100 + (at - at[0]) / DAY * 0.5 + day_and_week(at) + noise("uneven", rng, at)
    ),
    "season on a walk": lambda rng, at: day_and_week(at) + 0.5 * walk(rng, at),
    "gappy season": lambda rng, at: np.where(
        rng.random(at.size) < 0.4, np.nan, day_and_week(at) + rng.normal(size=at.size)
    ),
    "skewed": lambda rng, at: 20 + rng.gamma(2.0, 5.0, size=at.size),
}


def coverage(runs: int) -> dict[str, Any]:
    """The share of later samples inside 95 % intervals, by family and by horizon."""
    inside: dict[str, dict[str, list[float]]] = {name: {h: [] for h in HORIZONS} for name in FAMILIES}
    at = moments(int((HISTORY_DAYS + AHEAD_DAYS) * DAY / STEP), STEP)
    past = int(HISTORY_DAYS * DAY / STEP)
    for name, make in FAMILIES.items():
        for run in range(runs):
            rng = np.random.default_rng([run, len(name)])
            values = make(rng, at)
            start = past - int(rng.integers(0, 288))
            forecast = fit_forecast(at[:start], values[:start], ahead=AHEAD_DAYS * DAY)
            for horizon, seconds in HORIZONS.items():
                end = start + int(seconds / STEP)
                piece = slice(max(start, end - 24), end)  # the two hours before the horizon, or the one there is
                told = forecast.predict(at[piece])
                held = (values[piece] >= told.low) & (values[piece] <= told.high)
                inside[name][horizon] += held[np.isfinite(values[piece])].tolist()
    families = {
        name: {h: round(float(np.mean(hits)), 4) for h, hits in found.items()} for name, found in inside.items()
    }
    by_horizon = {h: round(float(np.mean([np.mean(found[h]) for found in inside.values()])), 4) for h in HORIZONS}
    return {
        "wanted": 0.95,
        "overall": round(float(np.mean(list(by_horizon.values()))), 4),
        "by_horizon": by_horizon,
        "by_family": {name: round(float(np.mean(list(found.values()))), 4) for name, found in families.items()},
        "families": families,
        "series": runs * len(FAMILIES),
    }


def disk(rng: np.random.Generator, at: np.ndarray) -> np.ndarray:
    """A disk filling at a steady pace with a daily rhythm: percent, about 3 to 8 points left after 28 days a day."""
    pace = rng.uniform(1.0, 2.5)
    level = 95 - pace * (HISTORY_DAYS + rng.uniform(0.5, 6)) + pace * (at - at[0]) / DAY
    return level + 0.6 * np.sin(2 * np.pi * at / DAY)


def peaks(rng: np.random.Generator, at: np.ndarray) -> np.ndarray:
    """A seasonal load whose weekday peaks grow until one clearly passes the limit, within five days."""
    curve = rng.uniform(1.5, 3.0) * (at - at[0]) / DAY + day_and_week(at)
    reached = int((HISTORY_DAYS + rng.uniform(0.5, 4.9)) * DAY / STEP)
    return curve + 96 - curve[:reached].max()


def breaches(runs: int) -> dict[str, Any]:
    """Errors of the foretold moment of crossing 95, asked at the end of 28 days of past, with 7 days to look ahead."""
    return {
        "disk": foretold(disk, runs, 0.3),
        "disk, noisy": foretold(disk, runs, 1.5),
        "seasonal peaks": foretold(peaks, runs, 0.5),
        "never (steady season)": false_warnings(runs),
    }


def foretold(make: Make, runs: int, spread: float) -> dict[str, Any]:
    """How far off the moments were, how often the 90 % range held the truth, and how many were sure."""
    at = moments(int((HISTORY_DAYS + 14) * DAY / STEP), STEP)
    past = int(HISTORY_DAYS * DAY / STEP)
    errors, shares, held, sure = [], [], [], 0
    for run in range(runs):
        rng = np.random.default_rng([run, 7])
        truth = make(rng, at)
        values = truth + spread * autoregressive(rng, at.size, 0.8)
        crossing = at[past + int(np.argmax(truth[past:] >= 95))]
        breach = time_to_breach(
            fit_forecast(at[:past], values[:past], ahead=7 * DAY, ceiling=100.0), 95.0, side=Side.ABOVE, within=10 * DAY
        )
        sure += breach.is_sure()
        if breach.at is not None:
            lead = crossing - at[past]
            errors.append(abs(breach.at - crossing) / 3600)
            shares.append(abs(breach.at - crossing) / max(lead, 3600.0))
            held.append(breach.early is not None and breach.early <= crossing <= (breach.late or np.inf))
    return {
        "median_error_hours": round(float(np.median(errors)), 2),
        "p90_error_hours": round(float(np.quantile(errors, 0.9)), 2),
        "median_error_share_of_lead": round(float(np.median(shares)), 4),
        "range_90_held": round(float(np.mean(held)), 3),
        "sure": round(sure / runs, 3),
        "foretold": round(len(errors) / runs, 3),
        "runs": runs,
    }


def false_warnings(runs: int) -> dict[str, Any]:
    """How often a crossing is told of a season that stays 5 noise widths below the limit."""
    at = moments(int(HISTORY_DAYS * DAY / STEP), STEP)
    sure = 0
    for run in range(runs):
        rng = np.random.default_rng([run, 11])
        values = 95 - 14 - 5 + day_and_week(at) + noise("clinging", rng, at)
        sure += time_to_breach(fit_forecast(at, values, ahead=7 * DAY), 95.0, within=7 * DAY).is_sure()
    return {"sure": round(sure / runs, 3), "runs": runs}
