"""Changes are found as they come, soon and seldom in vain."""

import itertools

import numpy as np
import pytest

from alerting.scoring.numerics.packing import BadModel
from metrics.changes import Change, ChangeConfig, ChangeDetector, Kind
from metrics.seasons import Kind as SeasonKind
from metrics.seasons import Season

START = 1_700_438_400.0


def minutes(count: int) -> np.ndarray:
    return START + np.arange(count) * 60.0


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count)


def scan(values: np.ndarray) -> list[Change]:
    return list(ChangeDetector().scan(minutes(values.size), values))


def test_noise_raises_less_than_one_alarm_in_ten_thousand_points() -> None:
    assert sum(len(scan(noise(4000, seed))) for seed in range(5)) < 2


@pytest.mark.parametrize(("size", "most"), [(5.0, 5), (-5.0, 5), (2.0, 25), (1.0, 100)])
def test_a_step_is_found_the_sooner_the_higher_it_is(size: float, most: int) -> None:
    values = noise(800) + size * (np.arange(800) >= 500)

    change = scan(values)[0]

    assert change.kind is Kind.LEVEL
    assert 500 <= (change.found_at - START) / 60 <= 500 + most
    assert change.at == pytest.approx(START + 500 * 60, abs=30 * 60)
    assert change.size == pytest.approx(size, rel=0.4)


def test_more_noise_is_a_change_of_variance() -> None:
    changes = scan(noise(800) * np.where(np.arange(800) >= 500, 3, 1))

    assert [change.kind for change in changes] == [Kind.VARIANCE]
    assert changes[0].after > 2 * changes[0].before


def test_a_drift_is_found_and_named_a_trend_in_the_end() -> None:
    changes = scan(noise(900) + 0.05 * np.maximum(np.arange(900) - 500.0, 0))

    assert (changes[0].found_at - START) / 60 < 560
    assert Kind.TREND in {change.kind for change in changes}


def test_after_a_step_the_new_level_is_usual() -> None:
    values = noise(1500) + 8 * (np.arange(1500) >= 500)

    assert len(scan(values)) == 1


def test_one_spike_is_no_change() -> None:
    values = noise(800)
    values[500] = 1000

    assert scan(values) == []


def test_a_constant_that_changes_is_told_after_four_points() -> None:
    (change,) = scan(np.where(np.arange(100) >= 60, 2.0, 1.0))

    assert (change.at, change.found_at) == (START + 60 * 60, START + 63 * 60)
    assert (change.before, change.after) == (1.0, 2.0)


def test_the_season_is_taken_off() -> None:
    at = START + np.arange(2000) * 600.0
    profile = np.tile(10 * np.sin(2 * np.pi * (np.arange(24) + 0.5) / 24), (7, 1))
    values = 10 * np.sin(2 * np.pi * at / 86400) + noise(2000) + 4 * (np.arange(2000) >= 1500)

    (change,) = ChangeDetector(ChangeConfig(season=Season(SeasonKind.DAILY, profile))).scan(at, values)

    assert 1500 <= (change.found_at - START) / 600 < 1510
    assert not any(c.found_at < START + 1510 * 600 for c in ChangeDetector().scan(at, values)), (
        "it drowns in the season"
    )


def test_late_and_missing_values_are_passed_over() -> None:
    detector = ChangeDetector()
    for moment, value in zip(minutes(100), noise(100), strict=True):
        detector.update(float(moment), float(value))
    state = detector.dump()

    assert detector.update(START, 1e9) is None
    assert detector.update(START + 1e6, float("nan")) is None
    assert detector.dump() == state


def test_it_goes_on_where_it_was_put_down() -> None:
    at, values = minutes(900), noise(900) + 3 * (np.arange(900) >= 500) + 0.05 * np.maximum(np.arange(900) - 700.0, 0)
    detector, found = ChangeDetector(), []

    for number, (moment, value) in enumerate(zip(at, values, strict=True)):
        if number % 50 == 49:
            detector = ChangeDetector.load(detector.dump())
        change = detector.update(float(moment), float(value))
        found += [change] if change else []

    assert found == scan(values)
    assert len(detector.dump()) < 20_000


def test_foreign_bytes_are_refused() -> None:
    data = ChangeDetector().dump()
    for broken in (b"", data[:-1], b"BAND" + data[4:]):
        with pytest.raises(BadModel):
            ChangeDetector.load(broken)


def test_changes_come_in_the_order_of_time() -> None:
    levels = np.repeat([0.0, 6, -3, 9], 250)
    times = [change.found_at for change in scan(noise(1000) + levels)]

    assert len(times) >= 3
    assert all(first < second for first, second in itertools.pairwise(times))


def test_a_short_steep_ramp_is_not_followed_for_ever() -> None:
    for length in (8, 12, 20, 40):
        course = 10 + 0.8 * np.clip(np.arange(2500) - 500.0, 0, length)
        values = course + noise(2500, seed=length) + 6 * (np.arange(2500) >= 2200)
        changes = scan(values)

        last = changes[-1]
        assert last.kind is Kind.LEVEL
        assert last.at == pytest.approx(START + 2200 * 60, abs=600)
        assert last.before == pytest.approx(10 + 0.8 * length, abs=1.5)
