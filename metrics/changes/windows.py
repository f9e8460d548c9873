"""Windows of the newest points against all before them, and the forms a change may have: what decides in a stream."""

import numpy as np

from metrics.changes.chance import long_run_scale
from metrics.seasons.points import Floats

WINDOWS = np.array([4, 8, 16, 32, 64, 128, 256])
LEVEL_LEAST = 4
LEAST_BEFORE = 30
FAR_CUTS = 32
MOST_MEMORY = 0.98
LEAST_SPREAD = 1e-4


def strongest(standard: Floats, least: int, long_run: float, doubt: float) -> tuple[int, float]:
    """The window (points) whose mean is furthest from the mean of all before it, in standard errors, and how far."""
    count = standard.size
    windows = WINDOWS[(least <= WINDOWS) & (count - LEAST_BEFORE >= WINDOWS)]
    if not windows.size or long_run <= 0:
        return least, 0.0
    total = np.cumsum(standard)
    whole = total[-1]
    earlier = total[count - windows - 1]
    before = count - windows
    away = np.abs((whole - earlier) / windows - earlier / before)
    scores = away / np.hypot(long_run * np.sqrt(1 / windows + 1 / before), doubt)
    best = int(np.argmax(scores))
    return int(windows[best]), float(scores[best])


def clinging(standard: Floats) -> float:
    """How much more means vary than those of independent points would: the root of the long-run variance ratio.

    The larger of what block means show and what the correlation of neighbours implies (its small-sample bias mended,
    Kendall 1954); at least 1.
    """
    spread = float(np.std(standard))
    if spread <= 0:
        return 1.0
    away = standard - standard.mean()
    memory = float((away[1:] * away[:-1]).sum()) / float((away**2).sum())
    memory = min(MOST_MEMORY, max(0.0, memory + (1 + 4 * memory) / standard.size))
    return max(1.0, float(np.sqrt((1 + memory) / (1 - memory))), long_run_scale(standard) / spread)


def onset(standard: Floats, window: int) -> int:
    """Where within the last two windows the split explains most: the first point of the new."""
    begin = max(1, standard.size - 2 * window)
    cuts = np.arange(max(begin, LEAST_BEFORE // 2), standard.size - 1)
    total = np.cumsum(standard)
    left = total[cuts - 1]
    size = standard.size
    heights = np.sqrt(size / (cuts * (size - cuts))) * np.abs(left - cuts / size * total[-1])
    return int(cuts[np.argmax(heights)])


def left_by_step(values: Floats, place: int) -> float:
    """The squares that one level before and one after a place leave of the values."""
    pieces = values[:place], values[place:]
    return sum(float(((piece - piece.mean()) ** 2).sum()) for piece in pieces)


def best_bend(values: Floats, place: int, window: int) -> tuple[int, float]:
    """Where a constant that becomes a slope leaves least of the values, and how much: near a place, and far off it."""
    last = values.size - LEVEL_LEAST
    near = np.arange(max(LEAST_BEFORE // 2, place - 2 * window), last, max(1, window // 16))
    far = np.linspace(LEAST_BEFORE // 2, last, FAR_CUTS).astype(np.int64)
    cuts = np.union1d(near, far)
    columns = np.maximum(np.arange(values.size, dtype=np.float64) - cuts[:, None], 0.0)
    columns -= columns.mean(axis=1, keepdims=True)
    rest = values - values.mean()
    left = float((rest**2).sum()) - (columns @ rest) ** 2 / (columns**2).sum(axis=1)
    best = int(np.argmin(left))
    return int(cuts[best]), float(left[best])


def level_gain(away: Floats) -> float:
    """How much better a new level explains points (in spreads off the old one) than more unrest: log-likelihood."""
    spread = max(float(np.mean(away**2)), LEAST_SPREAD)
    by_level = -float(((away - away.mean()) ** 2).sum()) / 2
    by_spread = -away.size / 2 * float(np.log(spread)) - float((away**2).sum()) / (2 * spread)
    return by_level - by_spread
