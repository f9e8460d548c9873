"""Forecasts follow trend and season, and their intervals hold what they promise."""

from statistics import NormalDist

import numpy as np
import pytest

from alerting.scoring.numerics.packing import BadModel
from metrics.forecasting import Forecast, Steering, fit_forecast
from metrics.forecasting.widths import independent_of, rising, widths_of
from metrics.seasons import BadSeries, Kind

MONDAY = 1_700_438_400.0
DAY = 86400.0


def moments(days: float, step: float = 600) -> np.ndarray:
    return MONDAY + np.arange(int(days * DAY / step)) * step


def test_trend_and_season_go_on() -> None:
    at = moments(17)
    truth = 50 + 2 * (at - MONDAY) / DAY + 8 * np.sin(2 * np.pi * at / DAY)
    past = at < MONDAY + 14 * DAY
    values = truth + np.random.default_rng(0).normal(size=at.size)

    forecast = fit_forecast(at[past], values[past], ahead=3 * DAY)

    assert forecast.season.kind is Kind.DAILY
    assert np.abs(forecast.expected(at[~past]) - truth[~past]).mean() < 1


def test_intervals_hold_what_they_promise() -> None:
    """Forty series of three kinds, one day ahead: 95 % of the samples, give or take what forty series allow."""
    at, held = moments(15), []
    past = at < MONDAY + 14 * DAY
    for seed in range(40):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=at.size)
        if seed % 3 == 1:
            values += 5 * np.sin(2 * np.pi * at / DAY)
        if seed % 3 == 2:
            values = np.cumsum(values)
        told = fit_forecast(at[past], values[past], ahead=DAY).predict(at[~past])
        held.append(float(((values[~past] >= told.low) & (values[~past] <= told.high)).mean()))

    assert 0.92 < np.mean(held) < 0.99


def test_more_coverage_is_wider_and_the_far_is_no_surer_than_the_near() -> None:
    at = moments(10)
    forecast = fit_forecast(at, np.cumsum(np.random.default_rng(0).normal(size=at.size)), ahead=5 * DAY)
    later = forecast.end + np.arange(1, 20) * DAY / 2

    narrow, wide = (forecast.predict(later, coverage) for coverage in (0.8, 0.95))

    assert ((wide.high - wide.low) > (narrow.high - narrow.low)).all()
    assert (np.diff(wide.high - wide.low) >= 0).all()
    assert forecast.end < forecast.calibrated_until < later[-1], "a third of it is beyond what the past can tell"


def test_bounds_are_kept() -> None:
    at = moments(5)
    forecast = fit_forecast(at, np.linspace(60, 99, at.size), ahead=5 * DAY, floor=0, ceiling=100)

    told = forecast.predict(at[-1] + np.arange(1, 6) * DAY)

    assert told.high.max() <= 100
    assert told.expected[-1] == 100


def test_gaps_spikes_and_disorder_do_no_harm() -> None:
    at = moments(14)
    rng = np.random.default_rng(3)
    values = 100 + 10 * np.sin(2 * np.pi * at / DAY) + rng.normal(size=at.size)
    values[rng.random(at.size) < 0.3] = np.nan
    values[::97] = 1e5
    order = rng.permutation(at.size)

    forecast = fit_forecast(at[order], values[order], ahead=DAY)

    truth = 100 + 10 * np.sin(2 * np.pi * (at[-144:] + DAY) / DAY)
    assert np.abs(forecast.expected(at[-144:] + DAY) - truth).mean() < 2


def test_a_constant_stays() -> None:
    at = moments(3)
    told = fit_forecast(at, np.full(at.size, 5.0), ahead=DAY).predict(at[-1] + np.array([600.0, 86400.0]))

    np.testing.assert_allclose(told.expected, 5)
    np.testing.assert_allclose(told.high - told.low, 0, atol=1e-9)


@pytest.mark.parametrize(
    ("count", "ahead", "words"), [(5, 60, "5 usable"), (100, 1e9, "twice the past"), (100, 0, "ahead")]
)
def test_what_cannot_be_forecast_is_refused_with_a_reason(count: int, ahead: float, words: str) -> None:
    with pytest.raises(BadSeries, match=words):
        fit_forecast(moments(5)[:count], np.arange(count, dtype=float), ahead=ahead)


def test_a_coverage_that_is_none_is_refused() -> None:
    at = moments(3)
    with pytest.raises(ValueError, match="coverage"):
        fit_forecast(at, np.arange(at.size, dtype=float), ahead=DAY).predict(at, 1.0)


def test_state_comes_back_and_nothing_else_is_read() -> None:
    at = moments(14)
    forecast = fit_forecast(at, np.sin(2 * np.pi * at / DAY), ahead=DAY)
    data = forecast.dump()
    later = at[-1] + np.arange(1, 100) * 600

    again = Forecast.load(data)

    assert len(data) < 100_000
    np.testing.assert_allclose(again.predict(later).high, forecast.predict(later).high, atol=1e-6)
    with pytest.raises(BadModel):
        Forecast.load(data[:-4])


def test_widths_never_fall_and_pool_by_weight() -> None:
    np.testing.assert_allclose(rising(np.array([1.0, 3.0, 1.0, 5.0]), np.array([1.0, 1.0, 3.0, 1.0])), [1, 1.5, 1.5, 5])


def test_widths_are_infinite_when_the_past_tells_nothing() -> None:
    assert np.isinf(widths_of(np.full((3, 2), np.nan), np.array([1.0, 2.0]), reach=3, coverage=0.9)).all()


def test_errors_that_cling_count_for_fewer() -> None:
    noise = np.random.default_rng(0).normal(size=400)

    assert independent_of(noise) > 250
    assert independent_of(np.repeat(noise[:40], 10)) < 80
    assert independent_of(np.ones(400)) < 5


def test_steering_holds_the_wanted_share_of_a_series_that_changed() -> None:
    """The forecast's intervals are seven tenths as wide as they should be."""
    steering, rng, hits = Steering(), np.random.default_rng(0), []

    for _ in range(4000):
        width = NormalDist(0, 0.7).inv_cdf(0.5 + steering.asked / 2)
        hits.append(abs(rng.normal()) <= width)
        steering.learn(hits[-1])

    assert np.mean(hits[:50]) < 0.93
    assert 0.93 < np.mean(hits[-3000:]) < 0.97
