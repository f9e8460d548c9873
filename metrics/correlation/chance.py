"""How likely chance is to look like this, for one series and for many at once."""

import math

import numpy as np

from metrics.seasons.points import Floats


def two_sided(score: Floats, freedom: float) -> Floats:
    """The probability of a Student's t with `freedom` degrees beyond +-score (Wallace 1959, good to a few percent)."""
    shrink = (8 * freedom + 1) / (8 * freedom + 3)
    normal = shrink * np.sqrt(freedom * np.log1p(np.square(score) / freedom))
    return np.array([math.erfc(value / math.sqrt(2)) for value in np.atleast_1d(normal)])


def any_of(probability: Floats, tries: float) -> Floats:
    """The probability that the best of so many independent tries is that extreme (Sidak 1967)."""
    total: Floats = -np.expm1(tries * np.log1p(-np.minimum(probability, 1 - 1e-15)))
    return total


def false_discovery_rates(probability: Floats) -> Floats:
    """For each of many tests the share of false ones among all at least as extreme (Benjamini & Hochberg 1995)."""
    count = probability.size
    order = np.argsort(probability)[::-1]
    ratios = probability[order] * count / np.arange(count, 0, -1)
    rates = np.empty(count)
    rates[order] = np.minimum(1.0, np.minimum.accumulate(ratios))
    return rates
