"""Means and spreads of the last few points, the same to the last bit however the points are cut into batches."""

import numpy as np
from numpy.typing import NDArray

from metrics.detection.state import Arrays, take

Floats = NDArray[np.float64]

KEPT = 255
"""Points kept from one batch to the next; the longest look back is 174."""
SEGMENT = 512
"""Batches are cut at multiples of this many points, where the anchor moves."""
NOISE = 1e-13
NEVER_FLAT = 1e-9
"""A flat stretch counts as this share of the series' first change, so that steps out of it have an order."""


def sums(values: Floats, length: int, last: int) -> Floats:
    """Return the sum over `length` values ending at each of the `last` places.

    Built from sums over powers of two, element by element: a running sum would depend on where a batch began.
    """
    total: Floats | None = None
    power, width, offset = values, 1, 0
    while width <= length:
        if length & width:
            stop = len(power) - offset
            piece = power[stop - last : stop]
            total = piece.copy() if total is None else total + piece
            offset += width
        width *= 2
        if width <= length:
            power = power[width // 2 :] + power[: -(width // 2)]
    if total is None:
        raise ValueError("a window has at least one point")
    return total


class Recent:
    """The last points of a stream, and statistics over windows of them."""

    def __init__(self) -> None:
        self.seen = 0
        self.anchor = 0.0
        self.kept: Floats = np.zeros(KEPT)
        self.values: Floats = self.kept
        self.squares: Floats = self.kept
        self.fresh = 0
        self.first = 0.0
        self.unit = 0.0

    def room(self) -> int:
        """Return how many points may come before the anchor moves."""
        return SEGMENT - self.seen % SEGMENT

    def push(self, values: Floats) -> None:
        """Take new points, at most `room()` of them."""
        if self.seen % SEGMENT == 0:
            self.anchor = float(self.kept[-1] if self.seen else values[0])
        joined = np.concatenate([self.kept, values])
        self.values = joined - self.anchor
        self.squares = self.values * self.values
        self.fresh = len(values)
        if self.unit == 0.0:
            self.first = self.first if self.seen else float(values[0])
            changes = np.abs(values - self.first)
            self.unit = float(changes[np.argmax(changes > 0.0)])
        self.seen += len(values)
        self.kept = joined[-KEPT:]

    def mean(self, length: int, back: int = 0) -> Floats:
        """Return for each new point the mean of the window that ended `back` points ago, less the anchor."""
        return sums(self.values[: len(self.values) - back], length, self.fresh) / length

    def spread(self, length: int, back: int = 0) -> Floats:
        """Return for each new point the standard deviation of that window, without the noise of its last digits."""
        squares = sums(self.squares[: len(self.squares) - back], length, self.fresh) / length
        mean = self.mean(length, back)
        variance = squares - mean * mean
        spread = np.sqrt(np.where(variance > NOISE * squares, variance, 0.0))
        grain = NEVER_FLAT * self.unit
        return np.round(spread / grain) * grain if grain > 0.0 else np.zeros(self.fresh)

    def filled(self, length: int) -> NDArray[np.bool_]:
        """Return for each new point whether that many points have been seen."""
        return np.arange(self.seen - self.fresh + 1, self.seen + 1) >= length

    def shift(self, length: int, before: int) -> Floats:
        """Return how many standard deviations the last points lie above those before them; NaN when too early."""
        rise = self.mean(length) - self.mean(before, back=length)
        spread = self.spread(before, back=length) + NEVER_FLAT * self.unit
        shift = np.divide(rise, spread, out=np.zeros(self.fresh), where=spread > 0.0)
        return np.where(self.filled(length + before), shift, np.nan)

    def dump(self, name: str) -> Arrays:
        """Return the memory as arrays."""
        return {
            f"{name}.kept": self.kept.copy(),
            f"{name}.seen": np.array([self.seen], dtype=np.int64),
            f"{name}.level": np.array([self.anchor, self.first, self.unit]),
        }

    def load(self, name: str, arrays: Arrays) -> None:
        """Take over what `dump` returned."""
        self.kept = take(arrays, f"{name}.kept", "d", least=KEPT, most=KEPT)
        self.seen = max(0, int(take(arrays, f"{name}.seen", "q", least=1, most=1)[0]))
        self.anchor, self.first, self.unit = take(arrays, f"{name}.level", "d", least=3, most=3).tolist()
