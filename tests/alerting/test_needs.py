"""The decision to tell: Alertmanager's rules, an exact repeat, severity, acknowledgement and flapping."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.needs import NotReason, Outcome, Reason, Situation, Told, decide

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOLD = Told(firing={1, 2}, resolved=set(), severity=20, told_at=NOON)


def group(firing=(), resolved=(), **more) -> Situation:
    more = {"severity": 20, "repeat_interval": 4 * HOUR} | more
    return Situation(firing=set(firing), resolved=set(resolved), **more)


def told(**more) -> Told:
    return Told(**({"firing": {1, 2}, "severity": 20, "told_at": NOON} | more))


@pytest.mark.parametrize(
    ("previous", "now", "reason"),
    [
        (None, group({1}), Reason.FIRST),
        (None, group({1}, is_flapping=True), Reason.FIRST),
        (None, group({1}, is_acknowledged=True), Reason.FIRST),
        (told(), group({1, 2, 3}), Reason.NEW_ALERTS),
        (told(), group({1, 3}), Reason.NEW_ALERTS),
        (told(firing=set()), group({3}), Reason.NEW_ALERTS),
        (told(firing=set()), group({3}, severity=40), Reason.NEW_ALERTS),
        (told(), group({1, 2, 3}, is_acknowledged=True), Reason.NEW_ALERTS),
        (told(), group({1, 2}, severity=40), Reason.SEVERITY_RAISED),
        (told(), group({1, 2, 3}, severity=40, is_flapping=True), Reason.SEVERITY_RAISED),
        (told(), group({1}, {2}), Reason.RESOLVED),
        (told(), group((), {1, 2}), Reason.ALL_RESOLVED),
        (told(), group((), {1, 2}, is_acknowledged=True), Reason.ALL_RESOLVED),
        (told(), group((), {1}, muted_count=1), Reason.RESOLVED),
        (told(), group({3}, {1}, is_flapping=True, flapping={3, 1}), Reason.FLAPPING),
        (told(was_flapping=True), group({1}), Reason.STOPPED_FLAPPING),
        (told(was_flapping=True), group((), {1, 2}), Reason.STOPPED_FLAPPING),
        (told(was_flapping=True), group({1, 9}, is_flapping=True, flapping={1}), Reason.NEW_ALERTS),
    ],
)
def test_reasons_to_tell(previous, now, reason):
    assert decide(previous, now, NOON + HOUR) == Outcome(reason)


@pytest.mark.parametrize(
    ("previous", "now", "not_reason"),
    [
        (None, group((), {1}), NotReason.NOTHING_FIRING),
        (None, group(muted_count=1), NotReason.MUTED),
        (told(), group(muted_count=2), NotReason.MUTED),
        (told(firing=set(), resolved={1, 2}), group((), {1, 2}), NotReason.ALREADY_TOLD),
        (told(), group((), {1, 2}, send_resolved=False), NotReason.RESOLVED_NOT_WANTED),
        (told(), group({1, 2}, is_acknowledged=True), NotReason.ACKNOWLEDGED),
        (told(), group({1, 2}, repeat_interval=None), NotReason.ALREADY_TOLD),
        (told(was_flapping=True), group((), {3}, is_flapping=True, flapping={3}), NotReason.STILL_FLAPPING),
    ],
)
def test_reasons_not_to_tell(previous, now, not_reason):
    assert decide(previous, now, NOON + 100 * HOUR) == Outcome(None, not_reason)


def test_a_repeat_is_exact():
    same = group({1, 2})
    just_before = NOON + 4 * HOUR - timedelta(microseconds=1)
    assert decide(TOLD, same, just_before) == Outcome(None, NotReason.REPEAT_NOT_DUE, NOON + 4 * HOUR)
    assert decide(TOLD, same, NOON + 4 * HOUR).reason is Reason.REPEAT


def test_flapping_alerts_are_quiet_but_repeated():
    flapping = group({3}, {1}, is_flapping=True, flapping={1, 3})
    before = told(was_flapping=True)
    assert decide(before, flapping, NOON + HOUR) == Outcome(None, NotReason.STILL_FLAPPING, NOON + 4 * HOUR)
    assert decide(before, flapping, NOON + 4 * HOUR).reason is Reason.REPEAT


def test_a_destination_without_resolved_hears_of_neither_one_nor_all():
    assert decide(TOLD, group({1}, {2}, send_resolved=False), NOON).reason is None
    assert decide(told(was_flapping=True), group((), {1, 2}, send_resolved=False), NOON).reason is None


sets = st.frozensets(st.integers(1, 5))
situations = st.builds(
    Situation,
    firing=sets,
    resolved=sets,
    flapping=sets,
    severity=st.sampled_from([10, 20, 30, 40]),
    is_flapping=st.booleans(),
    is_acknowledged=st.booleans(),
    muted_count=st.integers(0, 1),
    send_resolved=st.booleans(),
    repeat_interval=st.sampled_from([None, HOUR]),
)


@given(st.lists(situations, min_size=1, max_size=8))
def test_what_was_just_told_is_not_told_again(history):
    previous = None
    for now in history:
        if decide(previous, now, NOON).reason is not None:
            previous = Told(
                firing=now.firing,
                resolved=now.resolved,
                severity=now.severity,
                was_flapping=now.is_flapping,
                told_at=NOON,
            )
            assert decide(previous, now, NOON).reason is None


@given(st.none() | st.builds(Told, firing=sets, resolved=sets, severity=st.just(20), told_at=st.just(NOON)), situations)
def test_there_is_always_exactly_one_answer(previous, now):
    outcome = decide(previous, now, NOON + HOUR)
    assert (outcome.reason is None) is (outcome.not_reason is not None)
    if previous is None:
        assert (outcome.reason is Reason.FIRST) is bool(now.firing)
    elif now.firing - previous.firing - now.flapping:
        assert outcome.reason is not None


@given(sets, sets, sets, sets, st.booleans(), st.integers(0, 120))
def test_without_our_additions_it_equals_alertmanager(old_firing, old_resolved, firing, resolved, send, minutes):
    now = NOON + timedelta(minutes=minutes)
    before = told(firing=old_firing, resolved=old_resolved)
    if not firing <= old_firing:
        expected = True
    elif not firing:
        expected = bool(old_firing) and send  # Alertmanager decides yes here, and then sends nothing
    else:
        expected = (send and not resolved <= old_resolved) or now >= NOON + HOUR
    current = group(firing, resolved, send_resolved=send, repeat_interval=HOUR)
    assert (decide(before, current, now).reason is not None) is expected
