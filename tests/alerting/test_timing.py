"""When a group is looked at: over a controlled clock, compared with Alertmanager's ticks."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from alerting.routing import Timers
from alerting.timing import after_change, first_flush

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
TIMERS = Timers(group_wait=30 * SECOND, group_interval=5 * MINUTE, repeat_interval=4 * HOUR)


def test_a_new_group_waits_for_companions_unless_it_is_late_already():
    assert first_flush(NOON, NOON, TIMERS) == NOON + 30 * SECOND
    assert first_flush(NOON, NOON - 30 * SECOND, TIMERS) == NOON + 30 * SECOND
    assert first_flush(NOON, NOON - 31 * SECOND, TIMERS) == NOON
    assert first_flush(NOON, NOON, Timers(group_wait=timedelta(0))) == NOON


def test_a_change_soon_after_a_look_waits_for_the_interval():
    assert after_change(NOON + SECOND, NOON, TIMERS) == NOON + 5 * MINUTE
    assert after_change(NOON + 5 * MINUTE, NOON, TIMERS) == NOON + 5 * MINUTE


def test_a_change_long_after_a_look_waits_for_companions_only():
    assert after_change(NOON + 6 * MINUTE, NOON, TIMERS) == NOON + 6 * MINUTE + 30 * SECOND
    assert after_change(NOON + 10 * MINUTE - SECOND, NOON, TIMERS) == NOON + 10 * MINUTE


def test_a_timer_that_is_due_sooner_stays():
    assert after_change(NOON + SECOND, NOON, TIMERS, NOON + MINUTE) == NOON + MINUTE
    assert after_change(NOON + SECOND, NOON, TIMERS, NOON + HOUR) == NOON + 5 * MINUTE


seconds = st.integers(0, 5_000).map(lambda number: number * SECOND)


@given(seconds, st.integers(1, 900).map(lambda number: number * SECOND), seconds)
def test_a_change_is_told_no_later_than_at_alertmanagers_tick(wait, interval, later):
    timers = Timers(wait, interval, HOUR)
    changed = NOON + later
    tick = NOON + interval
    while tick < changed:
        tick += interval
    due = after_change(changed, NOON, timers)
    assert max(changed, NOON + interval) <= due <= tick


def walk(changes: list[timedelta], timers: Timers, until: timedelta) -> list[datetime]:
    """Play a group that fires all the time: every look tells, every change sets the timer."""
    due = first_flush(NOON, NOON, timers)
    looks: list[datetime] = []
    waiting = sorted(NOON + change for change in changes)
    while due <= NOON + until:
        if waiting and waiting[0] <= due:
            change = waiting.pop(0)
            if looks:
                due = after_change(change, looks[-1], timers, due)
            continue
        looks.append(due)
        due += timers.repeat_interval
    return looks


@given(st.lists(seconds, max_size=40), seconds.map(lambda wait: wait / 10), st.integers(1, 900))
def test_looks_keep_the_interval_and_leave_no_change_waiting(changes, wait, interval):
    timers = Timers(wait, interval * SECOND, 4 * HOUR)
    looks = walk(changes, timers, 6 * HOUR)
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert all(gap >= timers.group_interval for gap in gaps)
    for change in changes:
        wait_most = max(timers.group_wait, timers.group_interval)
        assert any(NOON + change <= look <= NOON + change + wait_most for look in looks)
