"""Changes in a stored series are found, placed and named; noise has none."""

import numpy as np
import pytest

from metrics.changes import Kind, find_changes
from metrics.changes.chance import long_run_scale, without_spikes
from metrics.seasons import BadSeries, cells_of, learn_season, points_of

START = 1_700_438_400.0
COUNT = 1000


def minutes(count: int = COUNT) -> np.ndarray:
    return START + np.arange(count) * 60.0


def noise(seed: int = 0, count: int = COUNT) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count)


def clinging(seed: int, memory: float) -> np.ndarray:
    values = noise(seed, 4000)
    for place in range(1, values.size):
        values[place] += memory * values[place - 1]
    return values


SINCE = np.arange(COUNT) - 600.0


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_changes_even_when_it_clings(seed: int) -> None:
    assert find_changes(minutes(), noise(seed)) == []
    assert find_changes(minutes(4000), clinging(seed, 0.8)) == []


@pytest.mark.parametrize(
    ("values", "kind", "size"),
    [
        (noise() + 2 * (SINCE >= 0), Kind.LEVEL, 2.0),
        (noise() - 4 * (SINCE >= 0), Kind.LEVEL, -4.0),
        (noise() + 4 * (SINCE >= 0) + 0.01 * SINCE, Kind.LEVEL, 4.0),
        (noise() + 0.06 * np.maximum(SINCE, 0), Kind.TREND, 0.001),
        (noise() * np.where(SINCE >= 0, 3, 1), Kind.VARIANCE, 2.0),
    ],
    ids=["up", "down", "on a line", "bend", "deviation"],
)
def test_one_change_is_found_placed_and_measured(values: np.ndarray, kind: Kind, size: float) -> None:
    (change,) = find_changes(minutes(), values)

    assert change.kind is kind
    assert change.at == pytest.approx(START + 600 * 60, abs=20 * 60)
    assert change.size == pytest.approx(size, rel=0.2)
    assert change.score > 3


def test_a_step_and_more_noise_are_two_changes_and_no_more() -> None:
    values = noise() * np.where(SINCE >= 0, 3, 1) + 10 * (SINCE >= 0)

    assert {change.kind for change in find_changes(minutes(), values)} == {Kind.LEVEL, Kind.VARIANCE}
    assert len(find_changes(minutes(), values)) == 2


def test_several_steps_are_all_found() -> None:
    levels = np.repeat([0.0, 5, 1, 8, 2], 200)

    changes = find_changes(minutes(), noise() + levels)

    assert [round((change.at - START) / 60) for change in changes] == pytest.approx([200, 400, 600, 800], abs=3)


def test_only_the_kinds_asked_for_are_told() -> None:
    values = noise() * np.where(SINCE >= 0, 3, 1) + 10 * (SINCE >= 0)

    assert [change.kind for change in find_changes(minutes(), values, kinds={Kind.VARIANCE})] == [Kind.VARIANCE]
    assert [change.kind for change in find_changes(minutes(), values, kinds={Kind.LEVEL})] == [Kind.LEVEL]


def test_a_season_is_no_row_of_changes_once_it_is_taken_off() -> None:
    at = START + np.arange(14 * 288) * 300.0
    values = 10 * np.sin(2 * np.pi * at / 86400) + noise(0, at.size) + 5 * (at > START + 10 * 86400)
    season = learn_season(cells_of(points_of(at, values), 3600))

    (change,) = find_changes(at, values, season=season)

    assert change.at == pytest.approx(START + 10 * 86400, abs=3600)


def test_spikes_gaps_and_disorder_make_no_changes() -> None:
    values = noise()
    values[::100] = 1000
    values[300:330] = np.nan
    order = np.random.default_rng(1).permutation(COUNT)

    assert find_changes(minutes()[order], values[order]) == []


def test_a_constant_has_none_and_its_step_is_one() -> None:
    assert find_changes(minutes(), np.full(COUNT, 3.0)) == []
    (change,) = find_changes(minutes(), 3.0 + 2 * (SINCE >= 0))
    assert (change.before, change.after) == (3.0, 5.0)


def test_too_little_is_refused() -> None:
    with pytest.raises(BadSeries, match="at least 20"):
        find_changes(minutes()[:10], noise()[:10])


def test_the_long_run_scale_knows_clinging_and_ignores_steps() -> None:
    assert long_run_scale(noise(0, 4000)) == pytest.approx(1, rel=0.25)
    assert long_run_scale(clinging(0, 0.8)) == pytest.approx(5, rel=0.35), "1 / (1 - 0.8)"
    assert long_run_scale(noise(0, 4000) + 50 * (np.arange(4000) > 2000)) == pytest.approx(1, rel=0.25)


def test_a_lasting_step_stays_sharp_when_spikes_go() -> None:
    values = np.where(np.arange(40) >= 20, 10.0, 0.0) + 0.1 * noise(0, 40)
    calm = without_spikes(np.where(np.arange(40) == 5, 99.0, values))

    assert calm[5] < 1
    assert calm[19] < 1 < 9 < calm[20]
