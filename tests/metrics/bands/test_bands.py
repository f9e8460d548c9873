"""Bands follow a series, keep their promise about chance, and obey the person who set them."""

import numpy as np
import pytest

from alerting.scoring.numerics.packing import BadModel
from metrics.bands import Answer, BandConfig, Bands, Feedback, Limits
from metrics.seasons import BadSeries, Kind

MONDAY = 1_700_438_400.0


def minutes(days: int, step: int = 60) -> np.ndarray:
    return MONDAY + np.arange(days * 86400 // step) * float(step)


def wave(at: np.ndarray, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=at.size)
    return 100 + 10 * np.sin(2 * np.pi * at / 86400) + noise


def test_the_season_is_followed_and_an_outage_stands_out() -> None:
    at = minutes(14)
    values = wave(at)
    values[-60:] -= 12  # still within the range of the day, but not at this hour

    history = (bands := Bands()).follow(at, values)

    assert bands.model.season.kind is Kind.DAILY
    assert history.outside[-60:].mean() > 0.9
    assert history.outside[7 * 1440 : -60].mean() < 0.001
    assert (history.score[-60:] < 0).all(), "below is negative"


@pytest.mark.parametrize(("sensitivity", "most"), [(0.25, 1.5), (0.5, 2.5), (0.75, 11)])
def test_chance_leaves_the_band_about_as_often_as_asked(sensitivity: float, most: float) -> None:
    """Asked are 0.18, 1 and 5.5 stretches in 30 days; five series of 23 judged days each."""
    at, found = minutes(30, step=300), 0
    judged = at > MONDAY + 7 * 86400
    for seed in range(5):
        values = np.random.default_rng(seed).normal(size=at.size)
        history = Bands(BandConfig(sensitivity=sensitivity)).follow(at, values)
        found += np.unique(at[history.outside & judged] // 3600).size

    assert found / 5 * 30 / 23 <= most


def test_more_sensitive_bands_are_narrower() -> None:
    at = minutes(7)
    widths = []
    for sensitivity in (0.0, 0.5, 1.0):
        history = Bands(BandConfig(sensitivity=sensitivity)).follow(at, wave(at))
        widths.append(float(np.nanmean(history.high - history.low)))

    assert widths[0] > widths[1] > widths[2]


def test_one_by_one_gives_what_all_at_once_gives_also_over_a_restart() -> None:
    at = minutes(4, step=300)
    values = wave(at)
    whole = Bands().follow(at, values)
    bands, scores = Bands(), []

    for number, (moment, value) in enumerate(zip(at, values, strict=True)):
        if number % 250 == 249:
            bands = Bands.load(bands.dump())
        scores.append(bands.update(float(moment), float(value)).score)

    np.testing.assert_array_equal(np.nan_to_num(scores, nan=-9.0), np.nan_to_num(whole.score, nan=-9.0))


def test_state_stays_small() -> None:
    at = minutes(30, step=300)
    bands = Bands()
    bands.follow(at, wave(at))

    assert len(bands.dump()) < 64 * 1024


def test_what_lasts_becomes_normal() -> None:
    at = minutes(14, step=300)
    values = np.random.default_rng(0).normal(size=at.size)
    values[at >= MONDAY + 10 * 86400] += 30

    history = Bands().follow(at, values)

    first = (at >= MONDAY + 10 * 86400) & (at < MONDAY + 10.5 * 86400)
    assert history.outside[first].all(), "half a day of it is an incident"
    assert not history.outside[at > MONDAY + 12.5 * 86400].any(), "two days of it are the new normal"


def test_there_is_no_band_before_a_day_is_known() -> None:
    bands = Bands()

    assert np.isnan(bands.follow(minutes(1), wave(minutes(1))).high).all()
    assert not bands.is_ready
    assert not bands.update(MONDAY + 1, 1e9).is_outside


def test_a_constant_is_not_judged_by_its_rounding() -> None:
    at = minutes(3, step=300)
    bands = Bands()
    bands.follow(at, np.full(at.size, 50.0))

    assert not bands.update(at[-1] + 300, 50.01).is_outside
    assert bands.update(at[-1] + 600, 55.0).is_outside


def test_gaps_late_points_and_values_that_are_none_do_no_harm() -> None:
    at = minutes(10, step=300)
    kept = np.random.default_rng(1).random(at.size) > 0.5
    kept[500:900] = False
    bands = Bands()
    history = bands.follow(at[kept], wave(at)[kept])

    assert history.outside[-500:].mean() < 0.01
    state = bands.dump()
    bands.update(MONDAY, 1e9)
    assert np.isnan(bands.update(at[-1] + 300, float("nan")).score)
    assert bands.dump() == state, "neither is learned from"


def test_a_year_without_data_does_not_stop_it() -> None:
    at = np.concatenate((minutes(5, step=300), minutes(5, step=300) + 365 * 86400))
    bands = Bands()
    history = bands.follow(at, wave(at))

    assert np.isfinite(history.high[-1])
    assert bands.memory.cells(3600).values.size <= 4096


def test_empty_input_is_empty_and_wrong_shapes_are_refused() -> None:
    assert Bands().follow([], []).score.size == 0
    with pytest.raises(BadSeries):
        Bands().follow([1.0], [1.0, 2.0])


def test_noise_widens_one_side_until_the_same_stays_inside() -> None:
    at = minutes(7, step=300)
    bands = Bands()
    bands.follow(at, np.random.default_rng(0).normal(size=at.size))
    moment = at[-1] + 300
    found = bands.update(moment, 8.0)
    before = bands.edges(np.array([moment]))
    assert found.is_outside

    for _ in range(4):
        bands.learn_from(Feedback(Answer.NOISE, found.score))

    after = bands.edges(np.array([moment]))
    assert after[2][0] > 8.0
    assert after[1][0] == before[1][0], "the lower side was not spoken of"


def test_feedback_stays_within_what_a_person_set() -> None:
    bands = Bands(BandConfig(limits=Limits(factor_least=0.8, factor_most=1.2)))
    for _ in range(50):
        bands.learn_from(Feedback(Answer.NOISE, 3.0))
        bands.learn_from(Feedback(Answer.MISSED, -0.5))
        bands.learn_from(Feedback(Answer.USEFUL, -2.0))

    assert bands.factors.tolist() == [0.8, 1.2]
    bands.learn_from(Feedback(Answer.USEFUL, 2.0))
    assert bands.factors[1] == pytest.approx(1.2 * 0.97)


def test_edges_keep_to_absolute_bounds() -> None:
    at = minutes(7, step=300)
    limits = Limits(low_most=-20.0, high_least=80.0, high_most=90.0)
    bands = Bands(BandConfig(limits=limits))
    bands.follow(at, np.random.default_rng(0).normal(size=at.size))

    history = bands.follow([at[-1] + 300, at[-1] + 301, at[-1] + 302], [79.0, 81.0, -21.0])

    assert history.high.tolist() == [80.0] * 3
    assert history.low.tolist() == [-20.0] * 3
    assert history.outside.tolist() == [False, True, True]


@pytest.mark.parametrize(
    "wrong",
    [{"sensitivity": 1.1}, {"cell_seconds": 0.0}, {"warm_cells": 1}, {"warm_cells": 700}],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        BandConfig(**wrong)  # type: ignore[arg-type]


def test_limits_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ValueError):
        Limits(factor_least=1.5)
    with pytest.raises(ValueError):
        Limits(high_least=2.0, high_most=1.0)


def test_foreign_bytes_and_other_cells_are_refused() -> None:
    data = Bands().dump()

    with pytest.raises(BadModel):
        Bands.load(b"no state at all")
    with pytest.raises(BadModel, match="length"):
        Bands.load(data, BandConfig(cell_seconds=600))
