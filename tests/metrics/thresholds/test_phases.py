"""From flags to alerts: waits, hysteresis, silences, and that the shortcut over long runs changes nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.thresholds.phases import Patience, Phase, Standing, advance

CALM, AT_ONCE = Standing(), Patience()


def run(flags: str, patience: Patience = AT_ONCE, step: float = 60.0) -> list[tuple[float, str]]:
    """One letter a minute: `x` beyond, `.` back, `-` between; what happened at which minute."""
    at = np.arange(1, len(flags) + 1) * step
    entered = np.array([flag == "x" for flag in flags])
    left = np.array([flag == "." for flag in flags])
    _standing, changes = advance(CALM, at, entered, left, patience)
    return [(change.at / step, "raised" if change.is_raised else "ended") for change in changes]


def test_without_waits_it_fires_and_ends_at_once() -> None:
    assert run("..xx..") == [(3, "raised"), (5, "ended")]


def test_it_fires_once_it_lasted() -> None:
    assert run("..xx.xxxx..", Patience(hold=120)) == [(8, "raised"), (10, "ended")]


def test_between_the_limits_nothing_changes() -> None:
    assert run(".x-x-x-.") == [(2, "raised"), (8, "ended")]
    assert run("-----") == []


def test_it_ends_once_it_has_been_back_for_a_while() -> None:
    assert run("x.x..x...", Patience(keep=120)) == [(1, "raised"), (9, "ended")]


def test_a_silence_starts_the_wait_anew() -> None:
    at = np.array([0.0, 60.0, 5_000.0, 5_060.0, 5_120.0])
    yes, no = np.ones(5, dtype=bool), np.zeros(5, dtype=bool)
    _standing, changes = advance(CALM, at, yes, no, Patience(hold=120, gap=600))
    assert [change.at for change in changes] == [5_120.0]


def test_the_change_tells_when_the_crossing_began() -> None:
    at = np.arange(10) * 60.0
    standing, changes = advance(CALM, at, at >= 180, at < 180, Patience(hold=120))
    assert (changes[0].since, changes[0].at) == (180.0, 300.0)
    assert standing.phase is Phase.FIRING


flags = st.lists(st.sampled_from("x.-"), min_size=1, max_size=120)
steps = st.lists(st.sampled_from([1.0, 60.0, 61.0, 1_000.0]), min_size=120, max_size=120)
waits = st.sampled_from([0.0, 60.0, 150.0, 700.0])


@settings(max_examples=400, deadline=None)
@given(flags, steps, waits, waits, st.integers(1, 40))
def test_pieces_of_any_size_give_the_same_alerts(
    letters: list[str], gaps: list[float], hold: float, keep: float, size: int
) -> None:
    at = np.cumsum(gaps[: len(letters)])
    entered = np.array([one == "x" for one in letters])
    left = np.array([one == "." for one in letters])
    patience = Patience(hold=hold, keep=keep, gap=500.0)
    by_piece = []
    for length in (1, size, len(letters)):
        standing, found = CALM, []
        for first in range(0, len(letters), length):
            part = slice(first, first + length)
            standing, changes = advance(standing, at[part], entered[part], left[part], patience)
            found += [(change.at, change.since, change.is_raised) for change in changes]
        by_piece.append((standing, found))
    assert by_piece[0] == by_piece[1] == by_piece[2]


def test_a_month_of_minutes_is_cheap() -> None:
    at = np.arange(43_200) * 60.0
    entered = np.zeros(43_200, dtype=bool)
    entered[20_000:20_100] = True
    standing, changes = advance(CALM, at, entered, ~entered, Patience(hold=300))
    assert [change.index for change in changes] == [20_005, 20_100]
    assert standing.phase is Phase.CALM


@pytest.mark.parametrize("phase", list(Phase))
def test_nothing_new_leaves_the_standing(phase: Phase) -> None:
    empty, none = np.empty(0), np.empty(0, dtype=bool)
    standing = Standing(phase, 5.0, 6.0)
    assert advance(standing, empty, none, none, Patience()) == (standing, [])
