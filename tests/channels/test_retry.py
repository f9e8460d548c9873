"""What a failed call means for its delivery: decisions without clock, chance or database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.delivery.circuit import Signal
from channels.delivery.doubt import MAX_LOOKUPS, Evidence, lookup_delay, settle
from channels.delivery.retry import CAP_SECONDS, Outcome, backoff, judge
from channels.delivery.states import sources_of
from channels.errors import ChannelError, ErrorReason
from channels.models import DeliveryState, Semantics

DAY = 86_400.0
SERVER_ERROR = ErrorReason.SERVER_ERROR


def verdict(error, *, attempts=1, seconds_left=DAY, idempotent=False, draw=0.5):
    return judge(error, attempts=attempts, seconds_left=seconds_left, idempotent=idempotent, draw=draw)


@pytest.mark.parametrize(
    ("attempts", "longest"), [(1, 2), (2, 4), (3, 8), (8, 256), (9, 512), (10, 600), (10_000, 600)]
)
def test_the_longest_wait_doubles_up_to_ten_minutes(attempts, longest):
    assert backoff(attempts, 1.0) == longest
    assert backoff(attempts, 0.0) == 0


@given(attempts=st.integers(0, 10**6), draw=st.floats(0, 1, exclude_max=True))
def test_every_wait_lies_within_the_bounds(attempts, draw):
    assert 0 <= backoff(attempts, draw) <= CAP_SECONDS


def test_the_wait_is_never_shorter_than_asked_for():
    assert verdict(ChannelError(SERVER_ERROR, retry_after=90.0), draw=0.1).delay == 90.0
    assert verdict(ChannelError(SERVER_ERROR, retry_after=1.0), attempts=9, draw=0.9).delay == pytest.approx(460.8)


def test_a_throttling_provider_is_obeyed_to_the_second():
    found = verdict(ChannelError(ErrorReason.RATE_LIMITED, retry_after=37.0), attempts=9, draw=0.99)
    assert (found.state, found.delay, found.signal) == (DeliveryState.PENDING, 37.0, Signal.THROTTLED)
    assert found.outcome is Outcome.RATE_LIMITED


def test_a_throttling_provider_that_names_no_time_gets_at_least_a_second():
    assert verdict(ChannelError(ErrorReason.RATE_LIMITED), draw=0.0).delay == 1.0


def test_an_absurd_retry_after_is_cut_to_an_hour():
    assert verdict(ChannelError(ErrorReason.RATE_LIMITED, retry_after=1e9)).delay == 3600.0


def test_a_permanent_error_is_dead_and_does_not_blame_the_destination():
    found = verdict(ChannelError(ErrorReason.CLIENT_ERROR, "HTTP 400", permanent=True))
    assert (found.state, found.signal) == (DeliveryState.DEAD, Signal.REFUSED)
    assert "HTTP 400" in found.reason


def test_an_ambiguous_send_is_in_doubt_unless_the_receiver_drops_repeats():
    error = ChannelError(ErrorReason.TIMEOUT, ambiguous=True)
    assert verdict(error).state is DeliveryState.UNCERTAIN
    assert verdict(error, idempotent=True).state is DeliveryState.PENDING


def test_a_retry_past_the_horizon_is_given_up():
    assert verdict(ChannelError(SERVER_ERROR), seconds_left=0.5).state is DeliveryState.DEAD
    assert verdict(ChannelError(SERVER_ERROR), seconds_left=1.5).state is DeliveryState.PENDING


def fate(evidence, *, idempotent=False, semantics=Semantics.AT_LEAST_ONCE, resends=0, is_late=False):
    return settle(
        evidence,
        idempotent=idempotent,
        semantics=semantics,
        resends=resends,
        lookups=0,
        is_late=is_late,
        draw=0.5,
    )


@pytest.mark.parametrize("evidence", [Evidence.FOUND, Evidence.ACCEPTED])
@pytest.mark.parametrize("semantics", list(Semantics))
def test_what_the_provider_has_is_delivered(evidence, semantics):
    assert fate(evidence, semantics=semantics, resends=1).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("evidence", [Evidence.NOT_FOUND, Evidence.NOT_ASKED])
def test_in_doubt_it_is_sent_again_only_where_that_is_wanted(evidence):
    assert fate(evidence).state is DeliveryState.PENDING
    assert fate(evidence).is_resend
    assert fate(evidence, semantics=Semantics.AT_MOST_ONCE).state is DeliveryState.DEAD


def test_unasked_it_is_sent_again_once_and_what_is_surely_not_there_more_often_and_slower():
    assert fate(Evidence.NOT_ASKED, resends=1).state is DeliveryState.DEAD
    waits = [fate(Evidence.NOT_FOUND, resends=resends).delay for resends in range(30)]
    assert waits[0] == 0
    assert waits == sorted(waits)
    assert waits[-1] == 300


def test_a_receiver_that_drops_repeats_gets_it_as_often_as_needed():
    assert fate(Evidence.NOT_ASKED, idempotent=True, resends=7).state is DeliveryState.PENDING


def test_a_doubt_that_outlives_its_delivery_is_dead_unless_it_arrived():
    assert fate(Evidence.NOT_FOUND, is_late=True).state is DeliveryState.DEAD
    assert fate(Evidence.NOT_ASKED, is_late=True, idempotent=True).state is DeliveryState.DEAD
    assert fate(Evidence.FOUND, is_late=True).state is DeliveryState.DELIVERED


def test_a_provider_that_cannot_be_asked_yet_leaves_the_doubt():
    found = fate(Evidence.TRY_LATER)
    assert found.state is DeliveryState.UNCERTAIN
    assert found.delay > 0


@given(lookups=st.integers(0, MAX_LOOKUPS * 100), draw=st.floats(0, 1, exclude_max=True))
def test_lookups_are_spaced_within_bounds(lookups, draw):
    assert 2.5 <= lookup_delay(lookups, draw) <= 120.0


def test_the_sources_of_a_state_are_those_the_table_names():
    assert set(sources_of(DeliveryState.DEAD)) == {"leased", "uncertain"}
    assert set(sources_of(DeliveryState.CANCELLED)) == {"pending", "dead"}
