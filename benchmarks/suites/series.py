"""Series of known make: noise of several kinds, seasons, drifts."""

import numpy as np

MONDAY = 1_700_438_400.0  # 20 November 2023, 00:00 UTC
DAY = 86400.0
MINUTE = 60.0


def moments(count: int, step: float = MINUTE) -> np.ndarray:
    """`count` moments from a Monday on, `step` seconds apart."""
    return MONDAY + np.arange(count) * step


def autoregressive(rng: np.random.Generator, count: int, memory: float) -> np.ndarray:
    """Noise of variance 1 in which each value keeps `memory` of the one before."""
    shocks = rng.normal(size=count) * np.sqrt(1 - memory**2)
    values = np.empty(count)
    values[0] = rng.normal()
    for place in range(1, count):
        values[place] = memory * values[place - 1] + shocks[place]
    return values


def day_and_week(at: np.ndarray, *, size: float = 10.0) -> np.ndarray:
    """Two waves a day, half as high at weekends."""
    wave = np.sin(2 * np.pi * at / DAY) + 0.4 * np.sin(4 * np.pi * at / DAY + 1)
    weekend = (at // DAY + 3) % 7 >= 5
    return size * wave * np.where(weekend, 0.5, 1.0)


def noise(kind: str, rng: np.random.Generator, at: np.ndarray) -> np.ndarray:
    """Noise of about unit variance: white, heavy (Student's t, 4 degrees), clinging (memory 0.9), uneven (by hour)."""
    if kind == "heavy":
        return rng.standard_t(4, size=at.size) / np.sqrt(2)
    if kind == "clinging":
        return autoregressive(rng, at.size, 0.9)
    if kind == "uneven":
        return rng.normal(size=at.size) * (1 + 0.7 * np.sin(2 * np.pi * at / DAY))
    return rng.normal(size=at.size)
