"""Samples of many series as flat arrays, so that one numpy call serves them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Batch:
    """Series one after the other, each in the order of time; `bounds[i]:bounds[i + 1]` is the i-th one."""

    at: Floats
    value: Floats
    bounds: Ints

    @classmethod
    def of(cls, series: Sequence[tuple[Floats, Floats]]) -> Batch:
        """Put series behind each other."""
        bounds = np.zeros(len(series) + 1, dtype=np.int64)
        bounds[1:] = np.cumsum([len(at) for at, _value in series]) if series else 0
        empty = np.empty(0)
        at = np.concatenate([one[0] for one in series]) if series else empty
        value = np.concatenate([one[1] for one in series]) if series else empty
        return cls(np.asarray(at, dtype=np.float64), np.asarray(value, dtype=np.float64), bounds)

    @classmethod
    def take(cls, samples: Mapping[int, tuple[Floats, Floats]], numbers: Sequence[int]) -> Batch:
        """The named series in this order; one without samples is empty."""
        nothing = (np.empty(0), np.empty(0))
        return cls.of([samples.get(number, nothing) for number in numbers])

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def part(self, index: int) -> slice:
        """Where a series stands."""
        return slice(int(self.bounds[index]), int(self.bounds[index + 1]))

    def with_values(self, value: Floats) -> Batch:
        """The same times with other values."""
        return Batch(self.at, value, self.bounds)

    @cached_property
    def owner(self) -> Ints:
        """The index of the series each sample belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.bounds))

    @cached_property
    def origin(self) -> float:
        """The earliest time of all."""
        return float(self.at.min()) if len(self.at) else 0.0

    def keys(self, margin: float) -> tuple[Floats, float]:
        """Times on one rising axis, so far apart between series that no window of `margin` seconds spans two."""
        length = float(self.at.max()) - self.origin if len(self.at) else 0.0
        stride = length + 2 * margin + 1.0
        return self.at - self.origin + self.owner * stride, stride

    def before(self, seconds: float, *, shift: float = 0.0, other: Batch | None = None) -> tuple[Ints, Ints]:
        """For each sample at t the range of samples in (t - shift - seconds, t - shift], of `other` if given."""
        source = other or self
        origin = min(self.origin, source.origin)
        last = max((float(one.at.max()) for one in (self, source) if len(one.at)), default=origin)
        stride = last - origin + 2 * (seconds + shift) + 1.0
        mine = self.at - origin + self.owner * stride - shift
        theirs = source.at - origin + source.owner * stride
        # A microsecond of grace: the key of a far series has lost the last bits of its time.
        starts = np.searchsorted(theirs, mine - seconds + 1e-4, side="left")
        ends = np.searchsorted(theirs, mine + 1e-4, side="right")
        return starts.astype(np.int64), ends.astype(np.int64)
