"""Holidays count as Sundays: those of the tenant's country, or of the one that a threshold names."""

from datetime import UTC, datetime

import numpy as np
import pytest

from metrics.judging.calendars import calendar_of, calendar_with
from metrics.judging.changing import season_of
from metrics.judging.learned import open_model
from metrics.models import MetricsPolicy
from metrics.seasons import Calendar, Points
from metrics.thresholds.conditions import Adaptive, Changes
from tests.metrics.judging.world import World

pytestmark = pytest.mark.django_db
#: A holiday in France, not in Germany nor in America; a Tuesday.
YEAR = 2026
BASTILLE = datetime(YEAR, 7, 14, 12, tzinfo=UTC)
SUNDAY = 6


def weekday(calendar: Calendar, at: datetime) -> int:
    return int(calendar.place(np.array([at.timestamp()]))[1][0])


def test_the_tenant_chooses_its_country() -> None:
    world = World()
    with world.context():
        assert weekday(calendar_of().calendar, BASTILLE) == BASTILLE.weekday()
        MetricsPolicy.objects.create(holidays="FR")
        assert weekday(calendar_of().calendar, BASTILLE) == SUNDAY
        assert calendar_of().country == "FR"


def test_a_threshold_names_another_country() -> None:
    world = World()
    with world.context():
        MetricsPolicy.objects.create(holidays="FR")
        place = calendar_of()
        own = open_model(Changes(holidays="US"), 0.0, None, calendar=place.calendar, country=place.country)
        tenants = open_model(Changes(), 0.0, None, calendar=place.calendar, country=place.country)
        fused = open_model(Adaptive(holidays="US"), 0.0, None, calendar=place.calendar, country=place.country)
        band = open_model(
            Adaptive(method="band", holidays="US"), 0.0, None, calendar=place.calendar, country=place.country
        )
    labour_day = datetime(YEAR, 9, 7, 12, tzinfo=UTC)
    for calendar in (own.calendar, band.bands.config.calendar):
        assert weekday(calendar, labour_day) == SUNDAY
        assert weekday(calendar, BASTILLE) == BASTILLE.weekday()
    assert weekday(tenants.calendar, BASTILLE) == SUNDAY
    assert fused.detector.config.country == "US"


def test_a_season_expects_a_sunday_on_a_holiday_of_the_country_only() -> None:
    """Six weeks in which nobody works on Sundays; the seventh has a holiday in its middle."""
    begin = datetime(YEAR, 5, 25, tzinfo=UTC).timestamp()
    at = begin + np.arange(7 * 7 * 24) * 3_600.0
    hours = np.arange(len(at)) % 24
    is_sunday = np.arange(len(at)) // 24 % 7 == SUNDAY
    values = np.where(is_sunday, 10.0, 100 + 30 * np.sin(hours / 24 * 2 * np.pi))
    values = values + np.random.default_rng(2).normal(0, 1, len(at))
    french, german = (calendar_with(Calendar(), country) for country in ("FR", "DE"))
    noon = np.array([BASTILLE.timestamp()])

    expected = [float(season_of(Points(at, values), calendar).at(noon)[0]) for calendar in (french, german)]

    sunday = float(season_of(Points(at, values), french).at(noon - 2 * 86_400)[0])
    assert expected[0] == pytest.approx(sunday, abs=3)
    assert expected[1] > expected[0] + 50
