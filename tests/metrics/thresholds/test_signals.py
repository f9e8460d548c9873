"""Signals of many series at once say what a plain loop over each series says."""

import numpy as np
import pytest

from metrics.thresholds.batch import Batch
from metrics.thresholds.conditions import (
    Adaptive,
    Comparison,
    Composite,
    ConditionError,
    Rate,
    Ratio,
    Static,
    lookback,
    metrics_of,
    read_condition,
)
from metrics.thresholds.crossing import crossed
from metrics.thresholds.signals import ratio, signal

START = 1_790_000_000.0


def some_series(seed: int, count: int = 5) -> Batch:
    """Series of unlike sizes, lengths and gaps; one is empty."""
    draw = np.random.default_rng(seed)
    series = []
    for number in range(count):
        length = 0 if number == 2 else int(draw.integers(1, 200))
        at = START + np.cumsum(draw.choice([15.0, 60.0, 61.5, 700.0], length))
        series.append((at, draw.normal(10.0**number, 10.0 ** (number - 2), length)))
    return Batch.of(series)


@pytest.mark.parametrize("take", ["mean", "min", "max", "sum", "count"])
def test_windows_of_many_series_are_those_of_each(take: str) -> None:
    batch, over = some_series(1), 300
    found = signal(Static(above=1.0, take=take, over=over), batch)  # type: ignore[arg-type]
    plain = {"mean": np.mean, "min": np.min, "max": np.max, "sum": np.sum, "count": len}[take]
    for index in range(len(batch)):
        part = batch.part(index)
        at, value = batch.at[part], batch.value[part]
        expected = [plain(value[(at > now - over) & (at <= now)]) for now in at]
        np.testing.assert_allclose(found[part], expected, rtol=1e-9)


def test_a_huge_series_does_not_blur_a_tiny_one() -> None:
    at = START + np.arange(50) * 60.0
    batch = Batch.of([(at, np.full(50, 1e15) + np.arange(50)), (at, np.full(50, 1e-6))])
    found = signal(Static(above=1.0, take="mean", over=600), batch)
    np.testing.assert_allclose(found[50:], 1e-6, rtol=1e-12)


def test_the_rate_of_a_counter_survives_its_reset() -> None:
    at = START + np.arange(6) * 60.0
    batch = Batch.of([(at, np.array([100.0, 160.0, 220.0, 30.0, 90.0, 150.0]))])
    found = signal(Rate(above=1.0, over=200), batch, is_counter=True)
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:3], 1.0)
    np.testing.assert_allclose(found[3], (60 + 60 + 30) / 180)
    falling = signal(Rate(below=-1.0, over=200), batch)
    assert falling[3] == pytest.approx((60 + 60 - 190) / 180)


def test_this_week_is_compared_with_the_last() -> None:
    week = 7 * 86_400
    at = np.concatenate([START - week + np.arange(60) * 60.0, START + np.arange(60) * 60.0])
    batch = Batch.of([(at, np.concatenate([np.full(60, 100.0), np.full(60, 130.0)]))])
    found = signal(Comparison(above=20.0, over=600), batch)
    assert np.isnan(found[:60]).all()
    np.testing.assert_allclose(found[60:], 30.0)


def test_a_ratio_needs_enough_below() -> None:
    at = START + np.arange(10) * 60.0
    errors, requests = Batch.of([(at, np.full(10, 3.0))]), Batch.of([(at, np.arange(10) * 10.0)])
    found = ratio(errors, requests, requests, over=120.0, least=25.0)
    assert np.isnan(found[:2]).all()
    assert found[3] == pytest.approx(6 / 50)


def test_limits_have_their_own_way_back() -> None:
    entered, left = crossed(Static(above=10, clear_above=8, below=1), np.array([11.0, 9.0, 8.0, 0.5, np.nan]))
    assert entered.tolist() == [True, False, False, True, False]
    assert left.tolist() == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("static", {}),
        ("static", {"above": "much"}),
        ("static", {"above": 1, "clear_above": 2}),
        ("static", {"above": 1, "below": 2}),
        ("static", {"above": 1, "take": "mean"}),
        ("static", {"above": 1, "abov": 2}),
        ("adaptive", {"sensitivity": 0.9}),
        ("composite", {"parts": []}),
        ("composite", {"parts": [{"metric": "a", "settings": {}}]}),
        ("composite", {"parts": [{"metric": "a", "kind": "composite"}]}),
        ("ratio", {"above": 1}),
        ("magic", {}),
        ("static", []),
    ],
)
def test_settings_that_mean_nothing_are_refused(kind: str, given: object) -> None:
    with pytest.raises(ConditionError):
        read_condition(kind, given)


def test_settings_become_conditions() -> None:
    assert read_condition("adaptive", {}) == Adaptive()
    both = read_condition(
        "composite",
        {
            "parts": [
                {"metric": "a", "settings": {"above": 1}},
                {"metric": "b", "kind": "rate", "settings": {"above": 1, "over": 900}},
            ]
        },
    )
    assert isinstance(both, Composite)
    assert (lookback(both), metrics_of("a", both)) == (900, ["a", "b"])
    errors = read_condition("ratio", {"above": 0.05, "divide_by": "requests"})
    assert isinstance(errors, Ratio)
    assert metrics_of("errors", errors) == ["errors", "requests"]
