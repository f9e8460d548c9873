"""What one sample alone shows: no number, impossible, too old, from the future, in another unit."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from metrics.quality.reasons import Reason

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Reasons = NDArray[np.int8]

#: Beyond this the square of a value, which rollups add up, is no number any more.
LARGEST: Final = 1e150
#: Clocks differ: up to here a time ahead of ours is believed, and up to the second it is kept with a note.
AHEAD_MS: Final = 30_000
FUTURE_MS: Final = 600_000
#: How far beyond a bound of its unit a value may be for it to be a rounding error.
ROUNDING: Final = 1e-6
_STALE: Final = 0x7FF0_0000_0000_0002


@dataclass(frozen=True, slots=True)
class Limits:
    """Which times are taken, in milliseconds: from `oldest` on, and judged by the clock `now`."""

    now: int
    oldest: int


@dataclass(frozen=True, slots=True)
class Screened:
    """The samples after repair, and per sample the reason if there is one."""

    ms: Integers
    values: Floats
    reasons: Reasons


def screen(ms: Integers, values: Floats, factors: Floats, lowest: Floats, highest: Floats, limits: Limits) -> Screened:
    """Judge and repair samples one by one; `factors` (NaN: unit unknown) and bounds are given per sample."""
    reasons = np.zeros(len(ms), dtype=np.int8)
    ms, reasons = _mend_times(ms, reasons, limits)
    with np.errstate(invalid="ignore", over="ignore"):
        converted = values * factors
    is_converted = (factors != 1.0) & np.isfinite(factors)
    reasons[is_converted & (reasons == 0)] = Reason.UNIT_CONVERTED
    low, high = converted < lowest, converted > highest
    with np.errstate(invalid="ignore"):
        is_near = (low & (lowest - converted <= ROUNDING)) | (high & (converted - highest <= ROUNDING))
    reasons[is_near & (reasons == 0)] = Reason.ROUNDED_TO_BOUND
    reasons[((low | high) & ~is_near) | (np.abs(converted) > LARGEST)] = Reason.IMPOSSIBLE_VALUE
    reasons[np.isnan(factors)] = Reason.OTHER_UNIT
    reasons[~np.isfinite(values)] = Reason.NOT_A_NUMBER
    reasons[np.ascontiguousarray(values).view(np.int64) == _STALE] = Reason.STALE_MARKER
    reasons[ms < limits.oldest] = Reason.TOO_OLD
    reasons[ms > limits.now + FUTURE_MS] = Reason.IN_THE_FUTURE
    return Screened(ms, np.clip(converted, lowest, highest), reasons)


def _mend_times(ms: Integers, reasons: Reasons, limits: Limits) -> tuple[Integers, Reasons]:
    """Times that were given in milliseconds where seconds are asked for are a thousand times too far away."""
    mended = ms // 1000
    is_thousandfold = (mended >= limits.oldest) & (mended <= limits.now + FUTURE_MS)
    reasons[is_thousandfold] = Reason.MILLISECOND_TIME
    return np.where(is_thousandfold, mended, ms), reasons
