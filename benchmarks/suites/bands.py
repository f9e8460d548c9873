"""Do bands keep their promise about chance, how soon do they show an outage, and what does a point cost?"""

import time
from typing import Any

import numpy as np

from benchmarks.suites.series import DAY, day_and_week, moments, noise
from metrics.bands import Answer, BandConfig, Bands, Feedback

DAYS = 35
JUDGED_FROM = 28
NOISES = ("white", "heavy", "clinging", "uneven")
SENSITIVITIES = (0.25, 0.5, 0.75)
OUTAGE_MINUTES = 60


def values_of(kind: str, seed: int, at: np.ndarray, *, seasonal: bool) -> np.ndarray:
    """A series around 100 whose noise has a deviation of 1."""
    season = day_and_week(at) if seasonal else 0.0
    return 100 + season + noise(kind, np.random.default_rng([seed, 21]), at)


def false_alarms(runs: int) -> dict[str, Any]:
    """Stretches outside the band in 30 days, and points outside in 10,000, for series without trouble.

    Judged is the fifth week, when four are known.
    """
    at = moments(DAYS * 1440)
    judged = at >= at[0] + JUDGED_FROM * DAY
    found: dict[str, Any] = {}
    for sensitivity in SENSITIVITIES:
        rows: dict[str, Any] = {}
        for kind in NOISES:
            for seasonal in (False, True):
                stretches, points = [], []
                for seed in range(runs):
                    history = Bands(BandConfig(sensitivity)).follow(at, values_of(kind, seed, at, seasonal=seasonal))
                    outside = history.outside & judged
                    stretches.append(np.unique(at[outside] // 3600).size * 30 / (DAYS - JUDGED_FROM))
                    points.append(outside.sum() / judged.sum() * 10_000)
                name = f"{kind}, season" if seasonal else kind
                rows[name] = {
                    "stretches_in_30_days": round(float(np.mean(stretches)), 2),
                    "points_in_10000": round(float(np.mean(points)), 3),
                }
        asked = 30.0 ** (2 * sensitivity - 1)
        mean = float(np.mean([row["stretches_in_30_days"] for row in rows.values()]))
        found[str(sensitivity)] = {
            "asked_in_30_days": round(asked, 2),
            "mean_in_30_days": round(mean, 2),
            "series": rows,
        }
    return found


def outages(runs: int) -> dict[str, Any]:
    """How many outages of an hour are shown, and after how many minutes, by their depth in deviations of the noise."""
    at = moments(DAYS * 1440)
    result: dict[str, Any] = {}
    for depth in (5, 8, 12):
        shown, waits = 0, []
        for seed in range(runs):
            values = values_of("white", seed, at, seasonal=True)
            first = int(np.random.default_rng([seed, 23]).integers(JUDGED_FROM * 1440, at.size - OUTAGE_MINUTES))
            values[first : first + OUTAGE_MINUTES] -= depth
            outside = np.flatnonzero(Bands().follow(at, values).outside[first : first + OUTAGE_MINUTES])
            shown += bool(outside.size)
            waits += [float(outside[0])] if outside.size else []
        median = float(np.median(waits)) if waits else None
        result[f"{depth} deviations"] = {"shown": round(shown / runs, 3), "median_delay_minutes": median}
    return result


def feedback() -> dict[str, Any]:
    """How many answers `noise` it takes until a finding twice as far out as the edge stays inside."""
    at = moments(14 * 1440)
    bands = Bands()
    bands.follow(at, values_of("white", 0, at, seasonal=False))
    moment = np.array([at[-1] + 60])
    expected, _, high = (float(edge[0]) for edge in bands.edges(moment))
    value, answers = expected + 2 * (high - expected), 0
    while value > float(bands.edges(moment)[2][0]) and answers < 20:
        score = (value - expected) / (float(bands.edges(moment)[2][0]) - expected)
        bands.learn_from(Feedback(Answer.NOISE, score))
        answers += 1
    return {"noise_answers_until_quiet": answers}


def cost() -> dict[str, Any]:
    """Seconds of CPU for 30 days of minutes, microseconds a point as it comes, and bytes of state."""
    at = moments(30 * 1440)
    values = values_of("white", 0, at, seasonal=True)
    bands = Bands()
    begin = time.process_time()
    bands.follow(at, values)
    whole = time.process_time() - begin
    later = at[-1] + np.arange(1, 1441) * 60.0
    begin = time.process_time()
    for moment in later:
        bands.update(float(moment), 100.0)
    each = (time.process_time() - begin) / later.size
    return {
        "backtest_30_days_cpu_seconds": round(whole, 3),
        "stream_microseconds_a_point": round(each * 1e6, 1),
        "state_bytes": len(bands.dump()),
    }
