"""Flapping: hysteresis, told once, ended by time, and never oscillating inside the band."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.flapping import STEADY, Flapping, FlappingError, Thresholds, Turn, advance, ends_at

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMITS = Thresholds(window=30 * MINUTE, enter=6, leave=2)


def run(minutes: list[float], thresholds: Thresholds = LIMITS) -> tuple[Flapping, list[Turn]]:
    state, turns = STEADY, []
    for minute in minutes:
        at = NOON + minute * MINUTE
        state, turn = advance(state, at, thresholds, [at])
        turns.append(turn)
    return state, turns


def test_the_sixth_change_within_the_window_starts_it_once():
    state, turns = run([0, 1, 2, 3, 4, 5, 6, 7])
    assert turns == [Turn.NONE] * 5 + [Turn.STARTED] + [Turn.NONE] * 2
    assert state.count == 8


def test_slow_changes_are_not_flapping():
    state, turns = run([0, 10, 20, 30, 40, 50, 60, 70])
    assert set(turns) == {Turn.NONE}
    assert not state.is_flapping


def test_quiet_ends_it_at_the_time_foretold():
    state, _turns = run([0, 1, 2, 3, 4, 5])
    end = ends_at(state, LIMITS)
    assert end == NOON + 33 * MINUTE  # the fourth change leaves the window, two remain
    assert advance(state, end - timedelta(microseconds=1), LIMITS)[1] is Turn.NONE
    steady, turn = advance(state, end, LIMITS)
    assert turn is Turn.STOPPED
    assert ends_at(steady, LIMITS) is None


def test_changes_may_come_late_and_out_of_order():
    late = [NOON - number * MINUTE for number in range(6)]
    assert advance(STEADY, NOON, LIMITS, late)[1] is Turn.STARTED
    assert advance(STEADY, NOON, LIMITS, [NOON + MINUTE] * 9)[0].count == 0


@pytest.mark.parametrize(
    ("thresholds", "field"),
    [
        (Thresholds(window=timedelta(seconds=1)), "window"),
        (Thresholds(enter=1), "enter"),
        (Thresholds(enter=33), "enter"),
        (Thresholds(enter=6, leave=5), "leave"),
        (Thresholds(leave=-1), "leave"),
    ],
)
def test_thresholds_without_a_band_are_refused(thresholds, field):
    with pytest.raises(FlappingError) as refused:
        thresholds.check()
    assert refused.value.field == field


steps = st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=60)
limits_of = st.integers(3, 20).flatmap(
    lambda enter: st.builds(Thresholds, st.just(30 * MINUTE), st.just(enter), st.integers(0, enter - 2))
)


@given(steps, limits_of)
def test_the_state_turns_only_at_the_thresholds(gaps, thresholds):
    thresholds.check()
    state, now, told = STEADY, NOON, []
    for gap, changes in gaps:
        now += gap * MINUTE
        before = state
        state, turn = advance(state, now, thresholds, [now] if changes else [])
        if thresholds.leave < state.count < thresholds.enter:
            assert state.is_flapping is before.is_flapping
            assert turn is Turn.NONE
        assert (turn is not Turn.NONE) is (state.is_flapping is not before.is_flapping)
        if turn is not Turn.NONE:
            told.append(turn)
    assert told == [Turn.STARTED, Turn.STOPPED] * (len(told) // 2) + [Turn.STARTED] * (len(told) % 2)


@given(st.lists(st.floats(0, 29), min_size=6, max_size=32))
def test_it_always_ends_when_nothing_changes_any_more(minutes):
    now = NOON + 29 * MINUTE
    state, _turn = advance(STEADY, now, LIMITS, [NOON + minute * MINUTE for minute in minutes])
    assert state.is_flapping
    end = ends_at(state, LIMITS)
    assert now < end <= now + LIMITS.window
    assert advance(state, end, LIMITS)[1] is Turn.STOPPED
