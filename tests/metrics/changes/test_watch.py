"""A watch says which changes count, how long they stand and by what they are over."""

import numpy as np
import pytest

from alerting.scoring.numerics.packing import BadModel
from metrics.changes import Change, ChangeDetector, ChangeWatch, Ended, Kind, Wanted, chance_of
from metrics.changes.chance import score_of
from metrics.seasons import Kind as SeasonKind
from metrics.seasons import Season

START = 1_700_438_400.0


def minutes(count: int) -> np.ndarray:
    return START + np.arange(count) * 60.0


def course(*levels: float, each: int = 100, seed: int = 0) -> np.ndarray:
    return np.repeat(levels, each) + np.random.default_rng(seed).normal(size=len(levels) * each)


def test_a_level_that_comes_back_is_seen_within_minutes() -> None:
    values = np.concatenate([course(0, 0, 0), course(8, each=10, seed=1), course(0, 0, seed=2)])
    found = ChangeWatch(Wanted()).follow(minutes(len(values)), values)

    (_, change), (ended, why) = found.begun[0], found.ended[0]
    assert (change.kind, why) == (Kind.LEVEL, Ended.RETURNED)
    assert 313 <= ended <= 318
    assert len(found.begun) == 1
    assert not found.going_on[ended:].any()


def test_a_small_change_takes_longer_to_be_undone_and_chance_undoes_none() -> None:
    values = np.concatenate([course(0, 0, 0, 0), course(2, 2, 2, 2, seed=3)])
    found = ChangeWatch(Wanted(settled=1e6)).follow(minutes(len(values)), values)

    assert [change.kind for _, change in found.begun] == [Kind.LEVEL]
    assert found.ended == []
    assert found.going_on[-1]


def test_unrest_that_ceases_is_over() -> None:
    rng = np.random.default_rng(4)
    values = np.concatenate([rng.normal(size=400), 5 * rng.normal(size=60), rng.normal(size=100)])
    found = ChangeWatch(Wanted()).follow(minutes(len(values)), values)

    assert [change.kind for _, change in found.begun] == [Kind.VARIANCE]
    assert [why for _, why in found.ended] == [Ended.RETURNED]
    assert found.ended[0][0] < 500


def test_many_batches_say_what_one_says() -> None:
    values = np.concatenate([course(0, 0, 0, 6, 0), 0.2 * np.arange(80) + course(0, each=80, seed=5)])
    at, wanted = minutes(len(values)), Wanted(settled=3_600)
    whole = ChangeWatch(wanted).follow(at, values)

    watch, going_on = ChangeWatch(wanted), []
    for first in range(0, len(at), 7):
        going_on += watch.follow(at[first : first + 7], values[first : first + 7]).going_on.tolist()
        watch = ChangeWatch.load(watch.dump(), wanted)

    assert going_on == whole.going_on.tolist()
    assert len(watch.dump()) < 24_000


def test_what_is_not_wanted_any_more_does_not_stand_any_more() -> None:
    values = course(0, 0, 0, 6)
    watch = ChangeWatch(Wanted())
    watch.follow(minutes(len(values)), values)
    assert watch.standing is not None

    assert ChangeWatch.load(watch.dump(), Wanted(side="down")).standing is None
    with pytest.raises(BadModel):
        ChangeWatch.load(watch.detector.dump(), Wanted())


@pytest.mark.parametrize(
    ("wanted", "is_taken"),
    [
        (Wanted(least=20), True),
        (Wanted(least=21), False),
        (Wanted(least_percent=20), True),
        (Wanted(least_percent=21), False),
        (Wanted(side="up"), True),
        (Wanted(side="down"), False),
        (Wanted(kinds=frozenset({Kind.TREND})), False),
    ],
)
def test_size_side_and_kind_decide_what_counts(wanted: Wanted, is_taken: bool) -> None:
    assert wanted.takes(Change(Kind.LEVEL, 0, 0, 100, 120, 9, 100)) is is_taken


def test_a_trend_is_as_large_as_what_it_adds_in_its_time() -> None:
    rising = Change(Kind.TREND, 0, 0, 0.0, 0.01, 9, level=100)
    assert Wanted(least=36).takes(rising)
    assert not Wanted(least=37).takes(rising)
    assert Wanted(least_percent=36).takes(rising)
    assert not Wanted(least_percent=37, per=3_600).takes(rising)


def test_another_season_makes_no_change() -> None:
    at = minutes(600)
    profile = np.tile(20 * np.sin(2 * np.pi * (np.arange(24) + 0.5) / 24), (7, 1))
    season = Season(SeasonKind.DAILY, profile)
    values = season.at(at) + np.random.default_rng(6).normal(size=600)
    watch = ChangeWatch(Wanted())
    watch.follow(at[:300], values[:300])
    watch.forget()

    watch.renew(season)

    assert not watch.follow(at[300:], values[300:]).going_on.any()


def test_the_first_points_of_a_ramp_are_no_step() -> None:
    named = 0
    for seed in range(12):
        values = np.random.default_rng(seed).normal(size=700) + 0.1 * np.maximum(np.arange(700) - 500.0, 0)
        named += next(iter(ChangeDetector().scan(minutes(700), values))).kind is Kind.TREND
    assert named >= 8


@pytest.mark.parametrize("kind", list(Kind))
def test_chance_and_score_are_two_names_of_one_thing(kind: Kind) -> None:
    assert chance_of(kind, score_of(kind, 1e-5)) == pytest.approx(1e-5)
    assert chance_of(kind, 6.0) < chance_of(kind, 5.0) < chance_of(kind, 4.0)
    assert chance_of(kind, -10) == 1.0
    assert chance_of(kind, float("inf")) == 0.0
