"""How far forecasts were off at each horizon, made into intervals that hold what they promise.

Split conformal prediction over rolling origins: the half-width at a horizon is the empirical quantile of the absolute
errors that the same method made there in the past (Vovk et al. 2005; Tashman 2000 for rolling origins). Errors of
overlapping horizons are not independent, so that the quantile is widened by how Student's t of the independent ones
exceeds the normal; and widths never shrink with the horizon (isotonic regression by pooling).
"""

from statistics import NormalDist

import numpy as np

from metrics.seasons.points import Floats

LEAST_ERRORS = 5
GROWTH_MOST = 1.0


def widths_of(errors: Floats, horizons: Floats, *, reach: int, coverage: float) -> Floats:
    """Half-widths float64[horizons] from errors float64[origins, horizons] (NaN where the past ends).

    `reach` is the number of cells the origins span: at least reach / horizon errors are independent. Horizons that too
    few errors tell of are continued by the growth of those before.
    """
    widths = np.full(horizons.size, np.nan)
    weights = np.ones(horizons.size)
    for place, horizon in enumerate(horizons):
        known = errors[np.isfinite(errors[:, place]), place]
        if known.size >= LEAST_ERRORS:
            apart = max(1.5, min(float(known.size), reach / float(horizon)))
            independent = max(apart, independent_of(known))
            level = min(1.0, coverage * (1 + 1 / known.size))
            widths[place] = np.quantile(np.abs(known), level) * caution(independent, coverage)
            weights[place] = independent
    told = np.isfinite(widths)
    if not told.any():
        return np.full(horizons.size, np.inf)
    widths[told] = rising(widths[told], weights[told])
    return continued(widths, horizons, told)


def independent_of(errors: Floats) -> float:
    """How many independent errors these (float64[n], by origin) are worth, from how they cling to one another.

    The sum of autocorrelations in pairs until one is negative (Geyer 1992), taken around zero and not around their
    mean: an error shared by all origins is no independent news.
    """
    count = errors.size
    size = 1 << (2 * count - 1).bit_length()
    power = np.abs(np.fft.rfft(errors, size)) ** 2
    products = np.fft.irfft(power, size)[:count]
    if products[0] <= 0:
        return float(count)
    shares = products / products[0]
    pairs = shares[1 : count - 1 : 2] + shares[2:count:2]
    negative = np.flatnonzero(pairs <= 0)
    total = float(pairs[: negative[0]].sum() if negative.size else pairs.sum())
    return count / (1 + 2 * max(0.0, total))


def caution(independent: float, coverage: float) -> float:
    """How much wider Student's t with this many errors is than the normal (Cornish-Fisher, Hill 1970)."""
    z = NormalDist().inv_cdf(0.5 + coverage / 2)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return 1 + (first / independent + second / independent**2) / z


def rising(values: Floats, weights: Floats) -> Floats:
    """The closest array that never falls (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            before = pools.pop()
            total = before[1] + pool[1]
            pool = ((before[0] * before[1] + pool[0] * pool[1]) / total, total, before[2] + pool[2])
        pools.append(pool)
    return np.concatenate([np.full(size, value) for value, _, size in pools])


def continued(widths: Floats, horizons: Floats, told: np.ndarray) -> Floats:
    """Widths beyond the last known horizon, growing as a power of it as they did over the later known half."""
    if told.all():
        return widths
    known = np.flatnonzero(told)
    last = known[-1]
    half = known[known.size // 2]
    power = 0.5
    if last > half and widths[half] > 0:
        power = float(np.log(widths[last] / widths[half]) / np.log(horizons[last] / horizons[half]))
    grown = widths[last] * (horizons / horizons[last]) ** min(GROWTH_MOST, max(0.5, power))
    whole: Floats = np.where(
        np.arange(horizons.size) > last, grown, np.interp(horizons, horizons[known], widths[known])
    )
    return whole
