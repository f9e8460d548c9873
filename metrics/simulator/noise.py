"""Chance that depends on seed and position only, so that any part of a series can be made at any time."""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


def seed_of(*words: str) -> int:
    """Return the seed that belongs to some words."""
    return zlib.crc32("\0".join(words).encode())


def uniform(seed: int, position: Floats) -> Floats:
    """Return numbers between 0 and 1, one for each whole position (SplitMix64)."""
    with np.errstate(over="ignore"):
        state = position.astype(np.int64).astype(np.uint64) * _GOLDEN + np.uint64(seed) * _FIRST
        for multiplier, shift in ((_FIRST, 30), (_SECOND, 27)):
            state = (state ^ (state >> np.uint64(shift))) * multiplier
        state ^= state >> np.uint64(31)
    mixed: Floats = ((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return mixed


def normal(seed: int, position: Floats) -> Floats:
    """Return standard normal numbers, one for each whole position."""
    radius = np.sqrt(-2.0 * np.log(uniform(seed, position)))
    found: Floats = radius * np.cos(2.0 * np.pi * uniform(seed + 1, position))
    return found


def drifting(seed: int, at: Floats, period: float) -> Floats:
    """Return a smooth wander of about unit size that changes its mind once a period."""
    place = at / period
    left = np.floor(place)
    share = place - left
    weight = share * share * (3.0 - 2.0 * share)
    return normal(seed, left) * (1.0 - weight) + normal(seed, left + 1.0) * weight
