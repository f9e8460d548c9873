"""The parts of the detectors, each against a plain and slow way to say the same."""

import datetime

import numpy as np
import pytest

from metrics.detection.alarm import Alarms
from metrics.detection.calendar import Calendar, feasts
from metrics.detection.config import Config
from metrics.detection.gap import Gap
from metrics.detection.profile import Profile
from metrics.detection.tail import BLOCK, Tail, pareto_depth
from metrics.detection.windows import KEPT, Recent, sums
from tests.metrics.detection.series import MONDAY


def test_sums_over_windows_are_those_of_a_loop() -> None:
    values = np.random.default_rng(0).normal(size=400)

    for length in (1, 6, 24, 60, 72, 150):
        expected = [values[end - length : end].sum() for end in range(200, 401)]
        assert np.allclose(sums(values, length, 201), expected)


def test_windows_hold_the_last_points() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, 300)
    recent = Recent()
    recent.push(values)

    assert recent.mean(24)[-1] + recent.anchor == pytest.approx(values[-24:].mean())
    assert recent.spread(72)[-1] == pytest.approx(values[-72:].std())
    before = values[-30:-6]
    assert recent.spread(24, back=6)[-1] == pytest.approx(before.std())
    rise = (values[-6:].mean() - values[-66:-6].mean()) / values[-66:-6].std()
    assert recent.shift(6, 60)[-1] == pytest.approx(rise, rel=1e-6)
    assert np.isnan(recent.shift(24, 150)[:173]).all()
    assert len(recent.kept) == KEPT


def test_the_spread_of_a_flat_stretch_is_nothing() -> None:
    recent = Recent()
    recent.push(np.concatenate([np.full(100, 3.0), np.full(100, 0.1)]))

    assert recent.spread(72)[-1] == 0.0


def test_a_gap_is_the_distance_to_the_nearest_by_the_range() -> None:
    values = np.random.default_rng(2).normal(size=300)
    gaps = Gap(memory=100, warmup=20).run(values.tolist())

    for place in (50, 150, 299):
        past = values[max(0, place - 100) : place]
        expected = np.abs(past - values[place]).min() / (past.max() - past.min())
        assert gaps[place] == pytest.approx(min(1.0, expected), rel=1e-4, abs=1e-6)
    assert gaps[:20] == [0.0] * 20


def test_one_great_spike_does_not_blind_for_ever() -> None:
    values = np.random.default_rng(3).normal(size=500)
    values[50] = 1e6
    values[480] = 12.0

    assert Gap(memory=200, warmup=20).run(values.tolist())[480] > 0.3


def test_a_tail_ranks_among_the_past() -> None:
    tail = Tail(memory=20_000, warmup=30)
    tail.run(list(range(1, 100)))

    assert tail.one(90.0) == pytest.approx(-np.log10((10 + 1) / (99 + 1)))
    assert tail.one(0.0) == 0.0
    assert tail.one(1000.0) > 2.0


def test_blocks_closed_long_ago_still_rank_nearly_exactly() -> None:
    values = np.random.default_rng(4).exponential(size=8 * BLOCK + 500)
    tail = Tail(memory=20_000, warmup=30)
    tail.run(values.tolist())

    for share in (0.5, 0.1, 0.01, 0.001):
        level = float(np.quantile(values, 1.0 - share))
        assert tail.depth(level) == pytest.approx(-np.log10(share), abs=0.1)


def test_beyond_the_past_the_tail_of_an_exponential_is_continued() -> None:
    values = np.random.default_rng(5).exponential(size=5000)
    tail = Tail(memory=20_000, warmup=30)
    tail.run(values.tolist())

    assert tail.depth(14.0) == pytest.approx(14.0 / np.log(10.0), rel=0.25)


def test_a_tail_forgets_what_is_older_than_its_memory() -> None:
    tail = Tail(memory=2 * BLOCK, warmup=30)
    tail.run([100.0] * BLOCK + [1.0] * (3 * BLOCK))

    assert len(tail) == 2 * BLOCK
    assert tail.depth(50.0) > 3.0


def test_a_tail_without_spread_is_not_continued() -> None:
    assert pareto_depth(5.0, np.full(10, 2.0), np.ones(10), 0.02, 1.0) == 0.0
    assert pareto_depth(5.0, np.full(10, 1.0), np.ones(10), 0.02, 1.0) == 0.0


def test_an_anomaly_is_raised_once_per_level() -> None:
    config = Config(levels=(2.0, 3.0), alarm=2.0)
    alarms = Alarms(config)
    alarms.run([0.1] * 4000)

    score = np.array(alarms.run([2.5, 2.6, 5.0, 5.1, 2.4, 0.1]))

    assert (score >= 1.0).tolist() == [True, False, True, False, False, False]
    assert score[0] == pytest.approx(1.25)
    assert (score[[1, 3, 4, 5]] < 0.5).all()


def test_a_resting_level_wakes_when_things_get_several_times_worse() -> None:
    alarms = Alarms(Config(levels=(2.0,), alarm=2.0, growth=4.0))
    alarms.run([0.1] * 4000)

    assert (np.array(alarms.run([2.5, 9.0, 40.0])) >= 1.0).tolist() == [True, False, True]


def test_a_level_rests_no_longer_than_it_should() -> None:
    alarms = Alarms(Config(levels=(2.0,), alarm=2.0, rest_most=10))
    alarms.run([0.1] * 4000)

    score = np.array(alarms.run([2.5] + [0.1] * 10 + [2.5]))

    assert np.flatnonzero(score >= 1.0).tolist() == [0, 11]


def test_the_calendar_knows_hours_weekdays_and_zones() -> None:
    assert Calendar().place(MONDAY + 3600.0 * 13.5) == (13.5 / 24.0, 13)
    assert Calendar("Asia/Tokyo").place(MONDAY) == (9.0 / 24.0, 9)
    share, hour = Calendar("Europe/Berlin").place(MONDAY - 1800.0)
    assert (share, hour) == (pytest.approx(0.5 / 24.0), 0)


def test_holidays_of_a_country_count_as_sundays() -> None:
    bastille = datetime.datetime(2025, 7, 14, 10, tzinfo=datetime.UTC).timestamp()

    assert Calendar("UTC", "FR").place(bastille)[1] == 6 * 24 + 10
    assert Calendar("UTC", "DE").place(bastille)[1] == 10
    assert feasts("XX", 2025) == frozenset()


def test_a_profile_keeps_what_it_learned_in_wider_buckets() -> None:
    profile = Profile(288, rate=0.05, neighbours=0.0)
    for bucket in range(288):
        profile.learn(bucket, float(bucket), 1.0)

    wider = profile.resampled(24)

    assert wider.mean[12] == pytest.approx(150.0)
    assert wider.size == 24
