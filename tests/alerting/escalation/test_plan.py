"""The arithmetic of steps: waits, rounds, and what happens after downtime."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from alerting.escalation.plan import Firing, Level, Plan, PlanError, Target, check_levels, due_steps

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WHO = Target("member", UUID(int=1))


def plan(*waits: int, **more: int) -> Plan:
    """Levels that wait so many minutes."""
    return Plan("ops", [Level(wait * 60, [WHO]) for wait in waits], **more)


def fire(one: Plan, step: int, minutes: float) -> Firing:
    """What fires so many minutes after the step was due at noon."""
    return due_steps(one, step, NOON, NOON + minutes * MINUTE)


def test_the_first_level_then_the_wait_of_the_second() -> None:
    found = fire(plan(0, 5, 10), 0, 0.1)
    assert (found.fires, found.superseded, found.step, found.due_at) == ((0,), (), 1, NOON + 5 * MINUTE)
    assert not found.late_by


def test_nothing_before_its_time() -> None:
    found = fire(plan(0, 5), 0, -1)
    assert (found.fires, found.step, found.due_at) == ((), 0, NOON)


def test_levels_without_a_wait_fire_together() -> None:
    found = fire(plan(0, 0, 5), 0, 0)
    assert (found.fires, found.step, found.due_at) == ((0, 1), 2, NOON + 5 * MINUTE)


def test_after_downtime_only_the_highest_fires_and_the_next_waits_in_full() -> None:
    found = fire(plan(0, 5, 10, 60), 0, 20)
    assert (found.fires, found.superseded, found.step) == ((2,), (0, 1), 3)
    assert (found.late_by, found.due_at) == (5 * MINUTE, NOON + 80 * MINUTE)


def test_after_downtime_those_of_the_same_moment_fire_with_the_highest() -> None:
    found = fire(plan(0, 5, 0), 0, 20)
    assert (found.fires, found.superseded, found.due_at) == ((1, 2), (0,), None)


def test_a_round_more_waits_before_it_begins() -> None:
    one = plan(1, 5, repeat_count=1, repeat_wait=600)
    assert one.count == 4
    assert [one.wait(step) / MINUTE for step in range(4)] == [1, 5, 11, 5]
    assert fire(one, 1, 0).due_at == NOON + 11 * MINUTE
    assert fire(one, 3, 0).due_at is None


@pytest.mark.parametrize(
    "levels",
    [
        [],
        [{"wait": -1, "targets": [{"kind": "member", "id": str(UUID(int=1))}]}],
        [{"wait": 0, "targets": []}],
        [{"wait": 0, "targets": [{"kind": "god", "id": str(UUID(int=1))}]}],
        [{"wait": 0, "targets": [{"kind": "member", "id": "x"}]}],
        [{"wait": 0, "targets": [{"kind": "member", "id": str(UUID(int=1))}], "colour": "red"}],
        "levels",
    ],
)
def test_levels_that_cannot_be_used_are_refused(levels: object) -> None:
    with pytest.raises(PlanError):
        check_levels(levels)
