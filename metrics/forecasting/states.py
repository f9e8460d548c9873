"""Where a series stands and where it heads, told for every moment of its past at once.

A state is a level and a slope. Levels are exponentially weighted means of several half-lives, slopes least squares over
windows of several lengths or none; which pair suits a series is decided by its own past (fitting.py). This is simple
exponential smoothing and Holt's line as special cases, told without recursion so that every origin is had at once.
"""

from typing import NamedTuple

import numpy as np

from metrics.seasons.points import Floats
from metrics.seasons.profiles import median_of

HALF_LIVES = (0.5, 4.0, 24.0)  # cells; a longer one is added from the length of the series
SLOPE_SHARES = (16, 4)  # windows of 1/16 and 1/4 of the series
LEAST_WINDOW = 12
HAMPEL_WINDOW = 11
HAMPEL_WIDTH = 5.0


class States(NamedTuple):
    """`level` and `slope` (per cell) float64[candidates, cells]: what was known after each cell."""

    level: Floats
    slope: Floats


def states_of(values: Floats) -> States:
    """All candidates for a series without its season (float64[cells], NaN in gaps)."""
    calm = without_spikes(values)
    count = calm.size
    known = np.isfinite(calm)
    filled = np.where(known, calm, 0.0)
    slopes = [np.zeros(count)]
    slopes += [running_slope(filled, known, max(LEAST_WINDOW, count // share)) for share in SLOPE_SHARES]
    levels, chosen = [], []
    for half_life in (*HALF_LIVES, max(48.0, count / 4)):
        mean, age = weighted(filled, known, half_life)
        for slope in slopes:
            levels.append(mean + slope * age)
            chosen.append(slope)
    return States(np.array(levels), np.array(chosen))


def without_spikes(values: Floats) -> Floats:
    """Values drawn to the median of those before them where they stand out alone (Hampel 1974)."""
    if values.size < HAMPEL_WINDOW:
        return values
    padded = np.pad(values, (HAMPEL_WINDOW - 1, 0), mode="edge")
    middle = median_of(np.lib.stride_tricks.sliding_window_view(padded, HAMPEL_WINDOW).T)
    away = values - middle
    known = np.isfinite(away)
    if not known.any():
        return values
    usual = float(np.median(np.abs(away[known]))) or float(np.mean(np.abs(away[known])))
    reach = HAMPEL_WIDTH * 1.4826 * usual
    calm: Floats = np.where(known, middle + np.clip(away, -reach, reach), values)
    return calm


def weighted(filled: Floats, known: np.ndarray, half_life: float) -> tuple[Floats, Floats]:
    """The weighted mean of what is known up to each cell, and the weighted mean age of it in cells."""
    decay = 0.5 ** (1 / half_life)
    ages = np.arange(filled.size, dtype=np.float64)
    kernel = np.maximum(decay**ages, 1e-12)
    total = np.maximum(convolved(known.astype(np.float64), kernel), 1e-12)
    mean = convolved(filled, kernel) / total
    age = convolved(known.astype(np.float64), kernel * ages) / total
    return mean, age


def convolved(values: Floats, kernel: Floats) -> Floats:
    """The causal convolution of two arrays of one length, through the frequency domain."""
    size = 1 << (2 * values.size - 1).bit_length()
    product = np.fft.rfft(values, size) * np.fft.rfft(kernel, size)
    result: Floats = np.fft.irfft(product, size)[: values.size]
    return result


def running_slope(filled: Floats, known: np.ndarray, window: int) -> Floats:
    """The least-squares slope per cell over the last `window` cells at each cell; 0 until six are known."""
    places = np.arange(filled.size, dtype=np.float64)
    mask = known.astype(np.float64)

    def over(terms: Floats) -> Floats:
        total = np.cumsum(terms)
        total[window:] = total[window:] - total[:-window]
        return total

    count, first, second = over(mask), over(mask * places), over(mask * places**2)
    value, product = over(filled), over(filled * places)
    bottom = count * second - first**2
    able = (count >= 6) & (bottom > 0)
    slope: Floats = np.where(able, (count * product - first * value) / np.where(able, bottom, 1.0), 0.0)
    return slope
