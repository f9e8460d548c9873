"""Crossings are foretold when they come, and not when they do not."""

import numpy as np
import pytest

from metrics.forecasting import Side, fit_forecast, time_to_breach

MONDAY = 1_700_438_400.0
DAY = 86400.0


def moments(days: float, step: float = 600) -> np.ndarray:
    return MONDAY + np.arange(int(days * DAY / step)) * step


def noise(at: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).normal(size=at.size)


def test_a_disk_that_fills_is_foretold_within_hours() -> None:
    at = moments(14)
    values = 40 + 3 * (at - MONDAY) / DAY + noise(at)  # 82 now, 95 in four days and eight hours

    breach = time_to_breach(fit_forecast(at, values, ahead=7 * DAY), 95, within=7 * DAY)

    truth = MONDAY + 55 / 3 * DAY
    assert breach.is_sure()
    assert breach.at == pytest.approx(truth, abs=6 * 3600)
    assert breach.early is not None
    assert breach.late is not None
    assert breach.early <= truth <= breach.late


def test_a_seasonal_peak_crosses_at_its_hour() -> None:
    at = moments(21)
    values = 50 + 10 * np.sin(2 * np.pi * at / DAY) + 0.3 * noise(at) + (at - MONDAY) / DAY

    breach = time_to_breach(fit_forecast(at, values, ahead=5 * DAY), 82.8, within=5 * DAY)

    assert breach.at is not None
    hour = (breach.at % DAY) / 3600
    assert hour == pytest.approx(6, abs=2), "the sine peaks at six"


def test_what_stays_away_is_not_foretold() -> None:
    at = moments(14)
    forecast = fit_forecast(at, 50 + 10 * np.sin(2 * np.pi * at / DAY) + noise(at), ahead=3 * DAY)

    breach = time_to_breach(forecast, 90, within=3 * DAY)

    assert breach.at is None
    assert breach.probability < 0.05
    assert not breach.is_sure()


def test_falling_below_is_a_breach_too() -> None:
    at = moments(14)
    forecast = fit_forecast(at, 100 - 5 * (at - MONDAY) / DAY + noise(at), ahead=7 * DAY)

    breach = time_to_breach(forecast, 10, side=Side.BELOW, within=7 * DAY)

    assert breach.at == pytest.approx(MONDAY + 18 * DAY, abs=6 * 3600)


def test_what_is_over_the_limit_already_is_told_at_once() -> None:
    at = moments(5)
    breach = time_to_breach(fit_forecast(at, 50 + noise(at), ahead=DAY), 10, within=DAY)

    assert breach.probability == 1
    assert breach.at is not None
    assert breach.at - at[-1] < 1200


def test_a_crossing_beyond_what_the_past_can_tell_is_marked() -> None:
    at = moments(3.1)
    breach = time_to_breach(fit_forecast(at, (at - MONDAY) / DAY, ahead=6 * DAY), 8, within=6 * DAY)

    assert breach.at == pytest.approx(MONDAY + 8 * DAY, abs=3600)
    assert not breach.is_calibrated


def test_no_time_to_look_ahead_is_refused() -> None:
    at = moments(5)
    with pytest.raises(ValueError, match="within"):
        time_to_breach(fit_forecast(at, noise(at), ahead=DAY), 10, within=0)
