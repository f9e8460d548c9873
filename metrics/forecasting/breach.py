"""When a series will cross a limit, and how sure that is.

The forecast is drawn many times, each time off by what one past forecast was off by along its whole way and by its
mirror image; where these paths first cross the limit is the answer.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from metrics.forecasting.forecast import Forecast
from metrics.forecasting.widths import widths_of
from metrics.seasons import Floats

EARLY, LATE = 0.05, 0.95
SPREAD = 0.68  # the coverage whose width continues a path beyond what is known of it
MOST_STEPS = 600
LEAST_PATHS = 5


class Side(StrEnum):
    """Where the limit is crossed to."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Breach:
    """`probability` 0..1 that the limit is crossed before `until`; times in unix seconds.

    `at` is the moment by which it is as likely crossed as not, `early` and `late` hold nine paths of ten between them;
    None where fewer paths than that cross at all. `is_calibrated`: the past reaches far enough to have measured it.
    """

    probability: float
    at: float | None
    early: float | None
    late: float | None
    until: float
    is_calibrated: bool

    def is_sure(self, confidence: float = 0.9) -> bool:
        """Whether this is sure enough to tell people about."""
        return self.at is not None and self.probability >= confidence


def time_to_breach(forecast: Forecast, limit: float, *, side: Side = Side.ABOVE, within: float) -> Breach:
    """When the series crosses `limit` (its unit) within the next `within` seconds."""
    if not within > 0:
        raise ValueError("within must be above 0 seconds")
    count = min(MOST_STEPS, max(2, round(within / forecast.step)))
    moments = forecast.end + np.linspace(0, within, count + 1)[1:]
    paths = forecast.expected(moments) + wanderings(forecast, moments)
    over = paths >= limit if side is Side.ABOVE else paths <= limit
    crossed = over.any(axis=1)
    times = np.where(crossed, moments[np.argmax(over, axis=1)], np.inf)
    ranked = np.sort(times)
    first = quantile(ranked, 0.5)
    return Breach(
        probability=float(crossed.mean()),
        at=first,
        early=quantile(ranked, EARLY),
        late=quantile(ranked, LATE),
        until=float(moments[-1]),
        is_calibrated=(first if first is not None else float(moments[-1])) <= forecast.calibrated_until,
    )


def quantile(ranked: Floats, share: float) -> float | None:
    """The time by which this share of the paths has crossed."""
    value = float(ranked[min(ranked.size - 1, int(share * ranked.size))])
    return value if np.isfinite(value) else None


def wanderings(forecast: Forecast, moments: Floats) -> Floats:
    """How past forecasts strayed, and the mirror images: float64[paths, moments]."""
    errors = forecast.level_errors
    widths = widths_of(errors, forecast.horizons, reach=forecast.reach, coverage=SPREAD)
    widths = np.where(np.isfinite(widths), widths, 0.0)
    told = np.isfinite(errors)
    # Only errors known from the start of the way until at least a third of it can be continued with sense.
    enough = told[:, 0] & (told.sum(axis=1) >= min(errors.shape[1], max(2, told.sum(axis=1).max() // 3)))
    if int(enough.sum()) < LEAST_PATHS:
        return np.outer(
            np.linspace(-2, 2, 41), np.interp(moments, forecast.end + forecast.step * forecast.horizons, widths)
        )
    ahead = (moments - forecast.end) / forecast.step
    paths = np.array([stray(row, forecast.horizons, widths, ahead) for row in errors[enough]])
    return np.concatenate([paths, -paths])


def stray(errors: Floats, horizons: Floats, widths: Floats, ahead: Floats) -> Floats:
    """One path at all moments; beyond its last known error it grows as the widths do."""
    known = np.flatnonzero(np.isfinite(errors))
    last = known[-1]
    whole = np.interp(ahead, horizons[known], errors[known])
    later = ahead > horizons[last]
    if widths[last] > 0 and later.any():
        growth = np.interp(ahead[later], horizons, widths) / widths[last]
        beyond = np.maximum(ahead[later] / horizons[-1], 1.0)
        whole[later] = errors[last] * growth * beyond
    return whole
