"""What moved with a finding or before it is told from what only looks like it."""

import numpy as np
import pytest

from metrics.correlation import Frame, Relation, find_movers, frame_of, group_series
from metrics.correlation.chance import any_of, false_discovery_rates, two_sided
from metrics.seasons import BadSeries

MONDAY = 1_700_438_400.0
DAY = 86400.0
MINUTES = 3 * 1440 + 40
EVENT = 3 * 1440
AT = MONDAY + np.arange(MINUTES) * 60.0
Scene = dict[str, tuple[np.ndarray, np.ndarray]]


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=MINUTES)


def step(lag: int = 0) -> np.ndarray:
    return (np.arange(MINUTES) >= EVENT - lag).astype(float)


def scene(**more: np.ndarray) -> Scene:
    """A finding, and twenty series that share nothing but their season."""
    season = 5 * np.sin(2 * np.pi * AT / DAY)
    others = {f"other-{seed}": noise(seed) + season for seed in range(20)}
    return {key: (AT, values) for key, values in {"finding": noise(99) + season + 6 * step(), **others, **more}.items()}


def frame(series: Scene) -> Frame:
    return frame_of(series, start=AT[EVENT], end=AT[-1] + 60, history=3 * DAY)


def test_movers_are_found_with_their_lag_and_direction() -> None:
    series = scene(cause=noise(50) * 2 + 15 * step(lag=10), twin=noise(51) - 5 * step())

    movers = find_movers(frame(series), "finding", longest_lag=1200)

    assert [mover.key for mover in movers] == ["cause", "twin"]
    cause, twin = movers
    assert cause.relation is Relation.BEFORE
    assert cause.lag == pytest.approx(600, abs=120)
    assert cause.correlation > 0.7
    assert twin.relation is Relation.WITH
    assert twin.correlation < -0.7
    assert twin.deviation < -3
    assert cause.rate < 0.01


def test_a_shared_season_is_no_cause() -> None:
    assert find_movers(frame(scene()), "finding") == []


def test_two_hundred_unrelated_series_are_no_cause_at_any_lag() -> None:
    """At 5 % of false ones accepted, one finding in twenty may list one; each of 6 is compared at 33 lags."""
    listed, by_chance = 0, 0
    for seed in range(6):
        draw = np.random.default_rng(seed)
        courses = np.convolve(draw.normal(size=201 * MINUTES), 0.8 ** np.arange(20), "same").reshape(201, MINUTES)
        others: Scene = {f"other-{number}": (AT, row) for number, row in enumerate(courses[1:])}
        found = find_movers(frame({"finding": (AT, courses[0] + 12 * step()), **others}), "finding", rate=1.0)
        listed += sum(mover.rate <= 0.05 for mover in found)
        by_chance += sum(mover.probability <= 0.05 for mover in found)
    assert listed <= 1
    assert by_chance > 12, "each by itself, many would pass"


def test_a_series_that_always_jumps_has_to_show_more() -> None:
    """It jumps by as much twenty times a day, so one more jump says little; the same jump of a calm one says much."""
    levels = np.repeat(np.random.default_rng(5).choice([-6.0, 6.0], size=MINUTES // 40 + 1), 40)[:MINUTES]
    levels[EVENT - 40 : EVENT], levels[EVENT:] = -6, 6
    series = scene(jumpy=noise(52) + levels, calm=noise(53) + 12 * step())

    assert [mover.key for mover in find_movers(frame(series), "finding")] == ["calm"]


def test_gaps_do_not_hide_a_mover_and_constants_are_left_out() -> None:
    values = noise(50) + 6 * step(lag=5)
    values[np.random.default_rng(0).random(MINUTES) < 0.4] = np.nan
    built = frame(scene(gappy=values, still=np.full(MINUTES, 4.0), empty=np.full(MINUTES, np.nan)))

    assert [mover.key for mover in find_movers(built, "finding")] == ["gappy"]
    assert "still" not in built.keys
    assert "empty" not in built.keys


def test_what_never_moved_before_and_now_does_is_a_mover() -> None:
    movers = find_movers(frame(scene(errors=7 * step())), "finding")

    assert [mover.key for mover in movers] == ["errors"]


def test_series_of_other_spacings_are_brought_together() -> None:
    series = scene()
    series["slow"] = AT[::5], (noise(50) + 6 * step())[::5]
    series["fast"] = np.repeat(AT, 2) + np.tile([0.0, 30.0], MINUTES), np.repeat(noise(51) + 6 * step(), 2)

    assert {mover.key for mover in find_movers(frame(series), "finding")} == {"slow", "fast"}


def test_series_that_move_together_are_one_group_led_by_the_first() -> None:
    ramp, spike = step(), np.where((np.arange(MINUTES) >= EVENT + 25) & (np.arange(MINUTES) < EVENT + 32), 1.0, 0.0)
    series = scene(
        a=noise(60) + 8 * ramp, b=noise(61) - 9 * step(lag=8), c=noise(62) + 12 * spike, d=noise(63) - 11 * spike
    )

    groups = group_series(frame(series), longest_lag=1200)

    assert [set(group.keys) for group in groups[:2]] == [{"finding", "a", "b"}, {"c", "d"}]
    assert groups[0].lead == "b"
    assert groups[0].lags[-1] == pytest.approx(480, abs=120)
    assert 0.6 <= groups[1].cohesion <= 1


def test_what_did_not_move_is_in_no_group() -> None:
    calm: Scene = {f"other-{seed}": (AT, noise(seed)) for seed in range(5)}

    assert group_series(frame(calm)) == []


@pytest.mark.parametrize(
    ("start", "end", "history", "words"),
    [
        (AT[-1], AT[0], DAY, "before end"),
        (AT[EVENT], AT[-1], 0.0, "past before"),
        (AT[-1] + DAY, AT[-1] + 2 * DAY, 60.0, "no series has points"),
    ],
)
def test_times_without_sense_are_refused(start: float, end: float, history: float, words: str) -> None:
    with pytest.raises(BadSeries, match=words):
        frame_of(scene(), start=start, end=end, history=history)


def test_what_cannot_be_answered_is_refused_with_a_reason() -> None:
    series = scene()
    with pytest.raises(BadSeries, match="not among"):
        find_movers(frame(series), "unknown")
    with pytest.raises(BadSeries, match="too short"):
        find_movers(frame_of(series, start=AT[EVENT], end=AT[-1], history=3600), "finding")
    with pytest.raises(BadSeries, match="at least 3"):
        find_movers(frame_of(series, start=AT[EVENT], end=AT[EVENT] + 100, history=DAY), "finding")
    with pytest.raises(BadSeries, match="no series moves"):
        frame_of({"still": (AT, np.ones(MINUTES))}, start=AT[EVENT], end=AT[-1], history=DAY)


def test_probabilities_are_those_of_the_tables() -> None:
    assert two_sided(np.array([1.96]), 1e6)[0] == pytest.approx(0.05, rel=0.01)
    assert two_sided(np.array([2.228]), 10)[0] == pytest.approx(0.05, rel=0.02)
    assert any_of(np.array([0.01]), 10)[0] == pytest.approx(1 - 0.99**10)


def test_rates_of_false_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    rates = false_discovery_rates(np.array([0.04, 0.001, 0.9, 0.02]))

    np.testing.assert_allclose(rates, [0.16 / 3, 0.004, 0.9, 0.04])
