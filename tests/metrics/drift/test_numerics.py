"""Drift by histograms, against what is known of the distributions."""

import numpy as np
import pytest
from scipy import stats

from metrics.drift.numerics import Histogram, aligned, compare, ks, ks_probability, merged, psi, psi_noise

EDGES = np.array([-np.inf, -2, -1, -0.5, 0, 0.5, 1, 2, np.inf])


def histogram(values: np.ndarray, edges: np.ndarray = EDGES) -> Histogram:
    inner = np.clip(edges, -1e9, 1e9)
    return Histogram(edges, np.histogram(values, inner)[0].astype(float))


def normal(seed: int, count: int, mean: float = 0.0, spread: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, spread, count)


def test_the_index_of_two_known_distributions() -> None:
    p, q = np.array([0.2, 0.3, 0.5]) * 1e9, np.array([0.1, 0.3, 0.6]) * 1e9
    by_hand = (0.1 - 0.2) * np.log(0.1 / 0.2) + (0.6 - 0.5) * np.log(0.6 / 0.5)
    assert psi(p, q) == pytest.approx(by_hand, rel=1e-6)
    assert psi(p, p) == 0.0
    assert psi(p, q) == pytest.approx(psi(q, p), rel=1e-6)


def test_an_empty_bin_is_no_endless_drift() -> None:
    assert np.isfinite(psi(np.array([100.0, 0.0]), np.array([0.0, 100.0])))


def test_chance_alone_gives_about_the_noise_and_no_alarm() -> None:
    found = [compare(histogram(normal(seed, 2000)), histogram(normal(seed + 500, 1000))) for seed in range(200)]
    measured = np.array([one.psi for one in found if one])
    assert np.mean(measured) == pytest.approx(psi_noise(8, 2000, 1000), rel=0.2)
    assert np.max(measured) < 0.1
    chances = np.array([one.ks_probability for one in found if one])
    # The chance is what it says: small ones are as rare as that (binned distances make it a little too large).
    assert np.mean(chances < 0.05) <= 0.08


def test_a_shift_is_seen_by_both() -> None:
    drift = compare(histogram(normal(1, 5000)), histogram(normal(2, 5000, mean=0.7)))
    assert drift is not None
    assert drift.psi > 0.25
    assert drift.ks == pytest.approx(2 * stats.norm.cdf(0.35) - 1, abs=0.04)
    assert drift.ks_probability < 1e-6


def test_the_distance_is_that_of_the_distributions_at_the_edges() -> None:
    first, second = np.array([10.0, 20.0, 70.0]), np.array([40.0, 20.0, 40.0])
    assert ks(first, second) == pytest.approx(0.3)


@pytest.mark.parametrize("distance", [0.02, 0.05, 0.1])
def test_the_chance_agrees_with_the_exact_one(distance: float) -> None:
    exact = stats.kstwo.sf(distance, round(1000 * 1500 / 2500))
    assert ks_probability(distance, 1000, 1500) == pytest.approx(exact, abs=0.02)


def test_few_observations_say_nothing() -> None:
    assert compare(histogram(normal(1, 100)), histogram(normal(2, 5000))) is None


def test_finer_edges_are_put_together() -> None:
    fine = np.sort(np.unique(np.concatenate([EDGES, [-1.5, 0.25, 1.5]])))
    values = normal(3, 4000)
    first, second = aligned(histogram(values), histogram(values, fine))
    assert np.array_equal(first, second)


def test_other_edges_are_laid_over_the_bins_of_the_reference() -> None:
    other = np.array([-np.inf, -2.5, -1.3, -0.4, 0.1, 0.7, 1.4, 2.6, np.inf])
    first, second = aligned(histogram(normal(4, 20_000)), histogram(normal(5, 20_000), other))
    assert second.sum() == pytest.approx(20_000)
    assert ks(first, second) < 0.06


def test_bins_that_are_nearly_empty_are_put_together() -> None:
    first, second = merged(np.array([1.0, 0, 1, 500, 400, 1, 0]), np.array([0.0, 1, 0, 450, 450, 0, 1]))
    assert len(first) == len(second) < 7
    assert (first.sum(), second.sum()) == (903.0, 902.0)
    assert min(np.maximum(first / first.sum(), second / second.sum())) >= 0.001


@pytest.mark.parametrize(
    ("edges", "counts"), [([0, 1], [1, 2]), ([1, 0], [1]), ([0, 1], [-1]), ([0, 1], [np.nan]), ([0, 0], [1])]
)
def test_what_is_no_histogram_is_refused(edges: list[float], counts: list[float]) -> None:
    with pytest.raises(ValueError, match=r"histogram|counts"):
        Histogram(np.array(edges, dtype=float), np.array(counts, dtype=float))
