"""Seasons are found where they are, and nowhere else."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from metrics.seasons import Calendar, Cells, Kind, Season, cells_of, learn_season, points_of

MONDAY = 1_700_438_400.0  # 20 November 2023, 00:00 UTC
HOUR = 3600.0


def hours(count: int) -> np.ndarray:
    return MONDAY + np.arange(count) * HOUR


def cells(values: np.ndarray, at: np.ndarray | None = None) -> Cells:
    return cells_of(points_of(hours(values.size) if at is None else at, values), HOUR)


def daily(at: np.ndarray) -> np.ndarray:
    return 3 * np.sin(2 * np.pi * at / 86400)


def weekend(at: np.ndarray) -> np.ndarray:
    return ((at // 86400 + 3) % 7 >= 5).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_a_random_walk_have_none(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(size=28 * 24)

    assert learn_season(cells(noise)).kind is Kind.NONE
    assert learn_season(cells(np.cumsum(noise)[: 7 * 24])).kind is Kind.NONE


def test_a_day_is_found_under_a_trend_and_gaps() -> None:
    at = hours(14 * 24)
    values = daily(at) + 0.05 * np.arange(at.size) + np.random.default_rng(1).normal(size=at.size) * 0.5
    kept = np.random.default_rng(2).random(at.size) > 0.3

    season = learn_season(cells(values[kept], at[kept]))

    assert season.kind is Kind.DAILY
    assert np.abs(season.at(at + 1800) - daily(at + 1800)).mean() < 0.5
    assert 0.3 < season.strength <= 1


def test_a_weekend_is_found_in_three_weeks() -> None:
    at = hours(21 * 24)
    values = (10 + daily(at)) * (1 - 0.5 * weekend(at)) + np.random.default_rng(1).normal(size=at.size) * 0.3

    season = learn_season(cells(values))

    assert season.kind is Kind.WEEKLY
    saturday_noon, monday_noon = MONDAY + (5 * 24 + 12) * HOUR, MONDAY + 12 * HOUR
    away = season.at(np.array([saturday_noon])) - season.at(np.array([monday_noon]))
    assert away[0] == pytest.approx(-5, abs=1)


def test_less_than_two_days_and_constants_have_none() -> None:
    assert learn_season(cells(daily(hours(30)))).kind is Kind.NONE
    assert learn_season(cells(np.full(500, 7.0))).kind is Kind.NONE


def test_local_time_follows_the_change_of_clocks() -> None:
    calendar = Calendar(ZoneInfo("Europe/Berlin"))
    summer, winter = 1_729_900_800.0, 1_730_073_600.0  # 26 and 28 October 2024, 00:00 UTC

    _, _, seconds = calendar.place(np.array([summer, winter]))

    assert seconds.tolist() == [2 * HOUR, HOUR]


def test_a_holiday_is_a_sunday() -> None:
    calendar = Calendar(holidays=frozenset({date(2023, 11, 22)}))

    _, weekdays, _ = calendar.place(MONDAY + np.arange(4) * 86400.0)

    assert weekdays.tolist() == [0, 1, 6, 3]


def test_the_profile_is_joined_over_the_end_of_the_week() -> None:
    season = Season(Kind.WEEKLY, np.arange(7.0)[:, None])

    assert season.at(np.array([MONDAY]))[0] == pytest.approx(3.0), "midnight lies between Sunday's 6 and Monday's 0"
