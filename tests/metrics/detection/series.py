"""Series with known truth for the detectors."""

import itertools

import numpy as np

MONDAY = 1_700_438_400.0
DAY = 86_400.0


def minutes(days: float, step: float = 300.0) -> np.ndarray:
    return MONDAY + np.arange(int(days * DAY / step)) * step


def daily(at: np.ndarray, seed: int = 0, noise: float = 2.0) -> np.ndarray:
    chance = np.random.default_rng(seed).normal(0.0, noise, len(at))
    return 100.0 + 20.0 * np.sin(2.0 * np.pi * at / DAY) + chance


def cuts(length: int, seed: int = 1, most: int = 90) -> list[slice]:
    """Cut a stream into batches of chance sizes, some of a single point."""
    chance = np.random.default_rng(seed)
    edges = [0]
    while edges[-1] < length:
        edges.append(min(length, edges[-1] + int(chance.integers(1, most))))
    return [slice(start, stop) for start, stop in itertools.pairwise(edges)]
