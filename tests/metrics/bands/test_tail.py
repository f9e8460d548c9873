"""Tails say how rare a height is."""

import numpy as np
import pytest

from metrics.bands.tail import tail_of


def test_quantile_and_probability_undo_each_other() -> None:
    tail = tail_of(np.random.default_rng(0).exponential(size=500))

    for risk in (0.1, 0.01, 1e-4):
        assert tail.probability(tail.quantile(risk)) == pytest.approx(risk)


def test_an_exponential_is_recognised_with_a_little_room() -> None:
    found = [tail_of(np.random.default_rng(seed).exponential(size=672)).quantile(1e-3) for seed in range(20)]

    assert -np.log(1e-3) < np.median(found) < -np.log(1e-3) * 1.35


@pytest.mark.parametrize("peaks", [np.zeros(100), np.zeros(3), np.full(100, 2.0), -np.ones(5)])
def test_peaks_without_a_tail_give_a_finite_edge(peaks: np.ndarray) -> None:
    tail = tail_of(peaks)

    assert np.isfinite(tail.quantile(1e-4))
    assert tail.probability(100.0) < 1e-3
