"""Uncertain deliveries: what a time-out after acceptance costs with each kind of channel."""

import pytest

from channels.delivery import deliver_due
from channels.delivery.doubt import MAX_LOOKUPS
from channels.errors import ChannelError, ErrorReason
from channels.models import Semantics
from tests.channels.deliveries import (
    get,
    let_pass,
    make_channel,
    outcomes,
    put,
    reconcile_due,
    refused,
    states,
    throttled,
    timed_out,
    wait_seconds,
)
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


def settle(tenant, rounds=3):
    """Let the engine and the reconciler work until nothing changes any more."""
    for _ in range(rounds):
        let_pass(130, [tenant])
        reconcile_due()
        let_pass(10, [tenant])
        deliver_due(tenant.pk)


def test_a_message_the_provider_took_is_found_and_not_sent_again(tenant, provider):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    provider.script.append(timed_out())
    deliver_due(tenant.pk)
    assert get(channel, delivery_id).state == "uncertain"
    assert reconcile_due() == 0  # the provider gets a moment before it is asked
    let_pass(5, [tenant])
    assert reconcile_due() == 1
    delivery = get(channel, delivery_id)
    assert (delivery.state, delivery.provider_id) == ("delivered", "found")
    assert provider.taken[str(delivery_id)] == 1
    assert outcomes(channel, delivery_id) == ["ambiguous", "found"]


def test_a_message_that_is_not_there_is_sent_again_once(tenant, provider):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    provider.script.append(timed_out(lost=True))
    deliver_due(tenant.pk)
    settle(tenant)
    delivery = get(channel, delivery_id)
    assert (delivery.state, delivery.ambiguous_resends) == ("delivered", 1)
    assert provider.taken[str(delivery_id)] == 1
    assert outcomes(channel, delivery_id) == ["ambiguous", "not_found", "ok"]


def test_after_two_unknown_outcomes_it_is_dead_where_nobody_can_be_asked(tenant, provider):
    channel = make_channel(tenant, "blind")
    [delivery_id] = put(channel)
    provider.script.extend([timed_out(lost=True), timed_out(lost=True)])
    deliver_due(tenant.pk)
    settle(tenant)
    assert get(channel, delivery_id).state == "dead"
    assert provider.calls[str(delivery_id)] == 2


def test_what_the_provider_surely_does_not_have_is_sent_until_it_has_it(tenant, provider):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    provider.script.extend(timed_out(lost=True) for _ in range(4))
    deliver_due(tenant.pk)
    settle(tenant, rounds=5)
    assert get(channel, delivery_id).state == "delivered"
    assert provider.calls[str(delivery_id)] == 5
    assert provider.taken[str(delivery_id)] == 1


def test_a_provider_that_is_down_for_long_loses_nothing(tenant, provider):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    provider.script.extend([timed_out(lost=True), timed_out()])
    provider.lookup_error = ChannelError(ErrorReason.SERVER_ERROR, "HTTP 503")
    deliver_due(tenant.pk)
    settle(tenant, rounds=20)
    assert get(channel, delivery_id).state == "uncertain", "sent again once unasked, and asked about ever since"
    provider.lookup_error = None
    settle(tenant)
    assert get(channel, delivery_id).state == "delivered"
    assert provider.calls[str(delivery_id)] == 2
    assert provider.taken[str(delivery_id)] == 1


def test_a_lookup_that_is_asked_to_wait_waits(tenant, provider):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    provider.script.append(timed_out())
    provider.lookup_error = throttled(900)
    deliver_due(tenant.pk)
    let_pass(10, [tenant])
    reconcile_due()
    assert wait_seconds(delivery_id) > 600


def test_at_most_once_is_never_sent_again(tenant, provider):
    channel = make_channel(tenant, "blind", semantics=Semantics.AT_MOST_ONCE)
    [delivery_id] = put(channel)
    provider.script.append(timed_out(lost=True))
    deliver_due(tenant.pk)
    settle(tenant)
    delivery = get(channel, delivery_id)
    assert delivery.state == "dead"
    assert "never send twice" in delivery.state_reason
    assert provider.calls[str(delivery_id)] == 1


def test_a_receiver_that_drops_repeats_is_just_told_again(tenant, provider):
    channel = make_channel(tenant, "idempotent")
    [delivery_id] = put(channel)
    provider.script.extend([timed_out(), timed_out(), timed_out()])
    deliver_due(tenant.pk)
    assert get(channel, delivery_id).state == "pending"
    settle(tenant)
    assert get(channel, delivery_id).state == "delivered"


def test_a_provider_that_cannot_be_asked_is_asked_again_then_given_up_on(tenant, provider):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    provider.script.append(timed_out())
    provider.lookup_error = ChannelError(ErrorReason.SERVER_ERROR, "HTTP 503")
    deliver_due(tenant.pk)
    for _ in range(MAX_LOOKUPS - 1):
        let_pass(130, [tenant])
        assert reconcile_due() == 0
    assert get(channel, delivery_id).state == "uncertain"
    let_pass(130, [tenant])
    assert reconcile_due() == 1
    assert provider.lookups[str(delivery_id)] == MAX_LOOKUPS
    assert get(channel, delivery_id).state == "pending"


def test_a_lookup_that_is_forbidden_is_not_repeated(tenant, provider):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    provider.script.append(timed_out())
    provider.lookup_error = refused()
    deliver_due(tenant.pk)
    let_pass(10, [tenant])
    assert reconcile_due() == 1
    assert get(channel, delivery_id).state == "pending"


def test_doubts_of_many_tenants_are_cleared_in_one_go(tenant, provider):
    channels = [make_channel(one) for one in (tenant, make_tenant(), make_tenant())]
    provider.script.extend(timed_out() for _ in range(6))
    for channel in channels:
        put(channel, count=2)
        deliver_due(channel.tenant_id)
    let_pass(10, [])
    assert reconcile_due() == 6
    assert [states(channel) for channel in channels] == [{"delivered": 2}] * 3
