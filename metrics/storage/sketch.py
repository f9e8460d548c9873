"""DDSketch: counts of values in bins whose width grows with the value, so that any quantile is within one per cent.

A bin is one whole number, ordered as the values are: zero for zero, positive and negative ones beside it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: A quantile is off by at most this share of its true value.
ACCURACY: Final = 0.01
_GAMMA: Final = (1.0 + ACCURACY) / (1.0 - ACCURACY)
_LOG_GAMMA: Final = np.log(_GAMMA)
# Larger than the logarithm of any float64 in units of gamma, so that signs can stand on either side of zero.
_CENTRE: Final = 40_000
#: More bins than this in one sketch (values over forty powers of e) fold into the lowest of those that stay.
MOST_BINS: Final = 2_048


def bins_of(values: Floats) -> Integers:
    """The bin of each value."""
    size = np.abs(values)
    is_zero = size == 0.0
    exponent = np.ceil(np.log(np.where(is_zero, 1.0, size)) / _LOG_GAMMA).astype(np.int64)
    return np.where(is_zero, 0, np.sign(values).astype(np.int64) * (exponent + _CENTRE))


def values_of(bins: Integers) -> Floats:
    """The value that stands for each bin."""
    exponent = (np.abs(bins) - _CENTRE).astype(np.float64)
    # The exponent is split, since gamma to the largest one alone is no float any more.
    size = np.exp(exponent * _LOG_GAMMA - np.log1p(_GAMMA) + np.log(2.0))
    return np.where(bins == 0, 0.0, np.sign(bins) * size)


def quantile(bins: Integers, weights: Floats, share: float) -> float:
    """The value below which this share of the counted values lies; NaN when nothing was counted."""
    if not len(bins):
        return float("nan")
    order = np.argsort(bins, kind="stable")
    below = np.cumsum(weights[order])
    rank = share * (below[-1] - 1.0)
    place = min(int(np.searchsorted(below, rank, side="right")), len(bins) - 1)
    return float(values_of(bins[order][place : place + 1])[0])


def gather(bucket: Integers, bins: Integers, weights: Floats) -> tuple[Integers, Integers, Floats]:
    """Counts of the same bin of the same bucket added up, sorted by bucket and bin; at most MOST_BINS a bucket."""
    if not len(bins):
        return bucket, bins, weights
    order = np.lexsort((bins, bucket))
    bucket, bins, weights = bucket[order], bins[order], weights[order]
    begins = np.flatnonzero(np.r_[True, (bucket[1:] != bucket[:-1]) | (bins[1:] != bins[:-1])])
    bucket, bins, weights = bucket[begins], bins[begins], np.add.reduceat(weights, begins)
    first, sizes = np.unique(bucket, return_index=True, return_counts=True)[1:]
    if sizes.max() <= MOST_BINS:
        return bucket, bins, weights
    # Position of each bin from the top of its bucket; what lies deeper folds into the lowest that stays.
    lowest = np.repeat(first + np.maximum(sizes - MOST_BINS, 0), sizes)
    return gather(bucket, np.where(np.arange(len(bins)) < lowest, bins[lowest], bins), weights)
