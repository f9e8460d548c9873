"""The circuit breaker and the rate limit of a destination, and the choice of what goes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.delivery import limits
from channels.delivery.choosing import Candidate, charge, choose, open_gate
from channels.delivery.circuit import (
    LONGEST_PAUSE,
    OPEN_AFTER,
    Circuit,
    Health,
    Signal,
    blocked_until,
    record,
    start_probe,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FRESH = Health(uuid4())


def after(health: Health, *signals: Signal, now: datetime = NOW, **options) -> Health:
    for signal in signals:
        health = record(health, signal, now, **options)
    return health


def opened(times: int = 1) -> Health:
    health = after(FRESH, *[Signal.FAILURE] * OPEN_AFTER)
    for _ in range(times - 1):
        health = after(start_probe(health, NOW), Signal.FAILURE)
    return health


def test_five_failures_in_a_row_open_it_for_thirty_seconds():
    assert after(FRESH, *[Signal.FAILURE] * 4).circuit == Circuit.CLOSED
    health = opened()
    assert health.circuit == Circuit.OPEN
    assert health.blocked_until == NOW + timedelta(seconds=30)


def test_a_success_in_between_starts_the_count_anew():
    health = after(FRESH, *[Signal.FAILURE] * 4, Signal.SUCCESS, *[Signal.FAILURE] * 4)
    assert health.circuit == Circuit.CLOSED


def test_half_of_the_last_twenty_failing_opens_it():
    pairs = [Signal.FAILURE, Signal.SUCCESS] * 9
    assert after(FRESH, *pairs).circuit == Circuit.CLOSED
    assert after(FRESH, *pairs, Signal.SUCCESS, Signal.FAILURE).circuit == Circuit.OPEN
    assert after(FRESH, *pairs, Signal.SUCCESS, Signal.SUCCESS).circuit == Circuit.CLOSED


@pytest.mark.parametrize(("times", "seconds"), [(1, 30), (2, 60), (3, 120), (5, 480), (6, 900), (50, 900)])
def test_each_failed_probe_doubles_the_pause_up_to_a_quarter_of_an_hour(times, seconds):
    assert opened(times).blocked_until == NOW + timedelta(seconds=seconds)


def test_one_probe_goes_and_the_others_wait_for_its_answer():
    health, later = opened(), NOW + timedelta(seconds=31)
    gate = open_gate(health, 600, later)
    assert gate.allowed == 1
    probing = charge(gate, 1, later)
    assert probing.circuit == Circuit.HALF_OPEN
    assert open_gate(probing, 600, later).allowed == 0
    assert blocked_until(probing, later) == later + timedelta(seconds=1)


def test_a_probe_whose_sender_died_is_followed_by_another():
    health = start_probe(opened(), NOW)
    assert open_gate(health, 600, NOW + timedelta(seconds=31)).allowed == 1


@pytest.mark.parametrize("signal", [Signal.SUCCESS, Signal.REFUSED])
def test_a_probe_that_is_answered_closes_it_with_a_clean_record(signal):
    health = after(start_probe(opened(3), NOW), signal)
    assert health == replace(FRESH, tokens=health.tokens, tokens_at=health.tokens_at)


def test_results_of_calls_made_before_it_opened_change_nothing():
    health = opened()
    assert after(health, Signal.FAILURE).blocked_until == health.blocked_until
    assert after(health, Signal.SUCCESS).circuit == Circuit.OPEN


def test_throttling_blocks_to_the_second_and_is_no_failure():
    health = after(FRESH, *[Signal.THROTTLED] * 30, wait=17.0)
    assert health.circuit == Circuit.CLOSED
    assert health.consecutive_failures == 0
    assert open_gate(health, 60, NOW + timedelta(seconds=16.9)).allowed == 0
    assert open_gate(health, 60, NOW + timedelta(seconds=18.1)).allowed == 1


def test_a_shorter_retry_after_does_not_cut_a_longer_one():
    health = after(after(FRESH, Signal.THROTTLED, wait=60.0), Signal.THROTTLED, wait=5.0)
    assert health.blocked_until == NOW + timedelta(seconds=60)


@given(st.lists(st.sampled_from(list(Signal)), max_size=120))
def test_whatever_happens_a_destination_is_asked_again_in_time(signals):
    health = FRESH
    for signal in signals:
        health = record(health, signal, NOW, wait=5.0)
        assert 0 <= health.recent < 2**20
        assert health.recent_count <= 20
        assert health.blocked_until is None or health.blocked_until <= NOW + LONGEST_PAUSE
    assert open_gate(health, 60, NOW + LONGEST_PAUSE + timedelta(seconds=2)).allowed >= 1


@pytest.mark.parametrize(("rate", "burst"), [(60, 10), (6, 1), (1, 1), (0, 1), (600, 100)])
def test_a_quiet_channel_may_send_ten_seconds_worth_at_once(rate, burst):
    assert limits.allowance(limits.refill(0.0, None, rate, NOW)) == burst


@given(
    rate=st.integers(1, 6000),
    waits=st.lists(st.floats(0, 30), min_size=1, max_size=40),
)
def test_no_pattern_of_claims_gets_more_than_the_rate_and_one_burst(rate, waits):
    health, now, sent = FRESH, NOW, 0
    for wait in waits:
        now += timedelta(seconds=wait)
        gate = open_gate(health, rate, now)
        sent += gate.allowed
        health = charge(gate, gate.allowed, now)
    seconds = (now - NOW).total_seconds()
    assert sent <= limits.capacity(rate) + seconds * rate / 60 + 1e-6


def test_the_rest_asks_again_when_the_next_is_paid_for():
    gate = open_gate(replace(FRESH, tokens=0.25, tokens_at=NOW), 60, NOW)
    assert gate.allowed == 0
    assert gate.again_at == NOW + timedelta(seconds=0.75)
    assert gate.step == 1.0


def test_each_channel_gets_what_its_gate_lets_through_in_order():
    slow, fast = replace(FRESH, tokens=1.0, tokens_at=NOW), Health(uuid4())
    gates = {health.channel_id: open_gate(health, 60, NOW) for health in (slow, fast)}
    rows = [Candidate(uuid4(), health.channel_id, 0, False) for health in (slow, slow, fast, slow, fast)]
    assert choose(rows, gates, 20) == [rows[0], rows[2], rows[4]]
    assert choose(rows, gates, 2) == [rows[0], rows[2]]


def test_what_crashed_its_sender_goes_alone():
    gates = {FRESH.channel_id: open_gate(FRESH, 600, NOW)}
    sound, crashed = (Candidate(uuid4(), FRESH.channel_id, crashes, False) for crashes in (0, 1))
    assert choose([crashed, sound], gates, 20) == [crashed]
    assert choose([sound, crashed, sound], gates, 20) == [sound, sound]


def test_expired_rows_and_unknown_channels_are_passed_over():
    gates = {FRESH.channel_id: open_gate(FRESH, 600, NOW)}
    assert (
        choose([Candidate(uuid4(), FRESH.channel_id, 0, True), Candidate(uuid4(), uuid4(), 0, False)], gates, 9) == []
    )
