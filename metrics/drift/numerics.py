"""How far two histograms are apart: population stability index and Kolmogorov-Smirnov, without any framework."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: A share of nothing would make the logarithm endless; so much is put into each bin instead.
SMOOTHING: Final = 0.5
#: Bins that hold less than this share in both histograms are put together with their neighbours.
SMALLEST_BIN: Final = 0.005
#: With fewer observations on either side differences are mostly chance.
LEAST_OBSERVATIONS: Final = 200


@dataclass(frozen=True)
class Histogram:
    """Counts between edges: `counts[i]` lie above `edges[i]` and up to `edges[i + 1]`; outer edges may be infinite."""

    edges: Floats
    counts: Floats

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.counts) + 1 or np.any(np.diff(self.edges) <= 0):
            raise ValueError("a histogram has one edge more than counts, in ascending order")
        if np.any(self.counts < 0) or not np.all(np.isfinite(self.counts)):
            raise ValueError("counts are finite and not negative")

    @property
    def total(self) -> float:
        """How many observations there are."""
        return float(self.counts.sum())


@dataclass(frozen=True)
class Drift:
    """How far the present is from the reference. `psi_noise` is what chance alone would give."""

    psi: float
    psi_noise: float
    ks: float
    ks_probability: float
    reference: float
    current: float


def compare(reference: Histogram, current: Histogram) -> Drift | None:
    """Return how far two histograms are apart; None where one has too few observations to say."""
    if min(reference.total, current.total) < LEAST_OBSERVATIONS:
        return None
    first, second = aligned(reference, current)
    distance = ks(first, second)
    bins = merged(first, second)
    return Drift(
        psi=psi(*bins),
        psi_noise=psi_noise(len(bins[0]), reference.total, current.total),
        ks=distance,
        ks_probability=ks_probability(distance, reference.total, current.total),
        reference=reference.total,
        current=current.total,
    )


def aligned(reference: Histogram, current: Histogram) -> tuple[Floats, Floats]:
    """Return the counts of both over the same bins.

    Edges that both have are taken as they are. Where they share too few, the present is laid over the bins of the
    reference, its observations spread evenly within their own.
    """
    if np.array_equal(reference.edges, current.edges):
        return reference.counts, current.counts
    common = np.intersect1d(reference.edges, current.edges)
    if len(common) >= max(4, len(reference.edges) // 2):
        return _over(reference, common), _over(current, common)
    return reference.counts, _over(current, reference.edges)


def _over(histogram: Histogram, edges: Floats) -> Floats:
    """Return counts over other edges; what lies outside them goes to the outermost bins."""
    finite = np.isfinite(histogram.edges)
    below = np.concatenate([[0.0], np.cumsum(histogram.counts)])
    inner = np.interp(np.clip(edges[1:-1], -1e300, 1e300), histogram.edges[finite], below[finite])
    return np.diff(np.concatenate([[0.0], inner, [histogram.total]]))


def merged(reference: Floats, current: Floats) -> tuple[Floats, Floats]:
    """Put bins together that are nearly empty in both, so that a handful of observations decides nothing."""
    shares = np.maximum(reference / max(reference.sum(), 1.0), current / max(current.sum(), 1.0))
    group, groups, held = 0, np.zeros(len(shares), dtype=np.int64), 0.0
    for index, share in enumerate(shares):
        groups[index] = group
        held += share
        if held >= SMALLEST_BIN:
            group, held = group + 1, 0.0
    if held and group:
        groups[groups == group] = group - 1
    size = int(groups.max()) + 1
    first: Floats = np.bincount(groups, reference, size).astype(np.float64)
    second: Floats = np.bincount(groups, current, size).astype(np.float64)
    return first, second


def psi(reference: Floats, current: Floats) -> float:
    """Return the population stability index of two histograms over the same bins.

    By custom below 0.1 nothing happened, up to 0.25 something is moving, above it is another population.
    """
    p = (reference + SMOOTHING) / (reference.sum() + SMOOTHING * len(reference))
    q = (current + SMOOTHING) / (current.sum() + SMOOTHING * len(current))
    return float(np.sum((q - p) * np.log(q / p)))


def psi_noise(bins: int, reference: float, current: float) -> float:
    """Return the index that two samples of one population have on average (chi-squared with bins - 1 degrees)."""
    return (bins - 1) * (1.0 / reference + 1.0 / current)


def ks(reference: Floats, current: Floats) -> float:
    """Return the greatest distance between two distributions at the edges of their bins.

    Between edges it may be greater; so this is what is surely there.
    """
    first, second = np.cumsum(reference) / reference.sum(), np.cumsum(current) / current.sum()
    return float(np.max(np.abs(first - second)))


def ks_probability(distance: float, reference: float, current: float) -> float:
    """Return the chance of so great a distance between two samples of one population (Kolmogorov's series)."""
    size = math.sqrt(reference * current / (reference + current))
    scaled = (size + 0.12 + 0.11 / size) * distance
    if scaled < 0.2:
        return 1.0
    terms = np.arange(1, 101)
    total = 2.0 * np.sum((-1.0) ** (terms - 1) * np.exp(-2.0 * (terms * scaled) ** 2))
    return float(min(max(total, 0.0), 1.0))
