"""The delivery engine against real PostgreSQL: what becomes of a delivery after each kind of answer."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from channels.delivery import NewDelivery, deliver_due, enqueue
from channels.delivery.claiming import claim
from channels.delivery.engine import send_all
from channels.delivery.finishing import finish
from channels.delivery.states import STEPS
from channels.models import Delivery, DeliveryQueue, DeliveryState
from tenants.context import NoTenantContext, tenant_context
from tenants.models import Tenant
from tests.channels.deliveries import (
    PROVIDER,
    failed,
    get,
    health,
    let_pass,
    make_channel,
    message,
    outcomes,
    put,
    queued,
    reconcile_due,
    refused,
    states,
    sweep_leases,
    throttled,
    timed_out,
    wait_seconds,
)
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db
told: list[tuple[object, list[object], str]] = []


def observe(tenant_id, delivery_ids, state):
    told.append((tenant_id, delivery_ids, state))


def observe_badly(tenant_id, delivery_ids, state):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1/0")


@pytest.fixture(autouse=True)
def _observed(provider, settings):
    settings.DELIVERY_OBSERVERS = [f"{__name__}.observe"]
    told.clear()


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def test_a_message_is_delivered_once_and_leaves_the_queue(tenant):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    assert deliver_due(tenant.pk) == 1
    delivery = get(channel, delivery_id)
    assert (delivery.state, delivery.attempts, delivery.provider_id) == ("delivered", 1, f"p-{delivery_id}")
    assert delivery.finished_at is not None
    assert outcomes(channel, delivery_id) == ["ok"]
    assert queued(delivery_id) is None
    assert deliver_due(tenant.pk) == 0


def test_the_same_dedup_key_makes_one_delivery(tenant):
    channel = make_channel(tenant)
    first = put(channel, dedup_key=b"once")
    assert put(channel, dedup_key=b"once") == []
    assert put(channel, count=3, dedup_key=b"thrice")[1:] == []
    deliver_due(tenant.pk)
    assert PROVIDER.calls[str(first[0])] == 1
    assert len(PROVIDER.calls) == 2


def test_enqueueing_needs_a_tenant(tenant):
    channel = make_channel(tenant)
    item = NewDelivery(channel_id=channel.pk, recipient="r", dedup_key=b"k", message=message())
    with pytest.raises(NoTenantContext):
        enqueue([item])
    assert enqueue([]) == []


def test_a_channel_of_another_tenant_is_refused(tenant):
    stranger = make_channel(make_tenant())
    item = NewDelivery(channel_id=stranger.pk, recipient="r", dedup_key=b"k", message=message())
    with tenant_context(tenant.pk), pytest.raises(IntegrityError), transaction.atomic():
        enqueue([item])


def test_what_is_not_before_its_time_waits(tenant):
    channel = make_channel(tenant)
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now = cursor.fetchone()[0]
    [delivery_id] = put(channel, not_before=now + timedelta(seconds=30))
    assert deliver_due(tenant.pk) == 0
    assert 25 < wait_seconds(delivery_id) <= 30
    let_pass(31, [tenant])
    assert deliver_due(tenant.pk) == 1
    assert queued(delivery_id) is None


def test_urgent_messages_go_first(tenant):
    channel = make_channel(tenant)
    put(channel, message=message("later"), priority=50)
    put(channel, message=message("now"), priority=10)
    deliver_due(tenant.pk, limit=1)
    deliver_due(tenant.pk, limit=1)
    assert PROVIDER.order == ["now", "later"]


def test_a_server_error_is_tried_again_later(tenant):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    PROVIDER.script.append(failed())
    deliver_due(tenant.pk)
    delivery = get(channel, delivery_id)
    assert (delivery.state, delivery.state_reason) == ("pending", "HTTP 500")
    assert 0 <= wait_seconds(delivery_id) + 0.1 <= 2.1
    let_pass(3, [tenant])
    deliver_due(tenant.pk)
    assert outcomes(channel, delivery_id) == ["retryable", "ok"]
    assert get(channel, delivery_id).state == "delivered"


def test_a_throttled_send_waits_exactly_as_long_as_asked(tenant):
    channel = make_channel(tenant)
    first, second = put(channel, priority=10)[0], put(channel)[0]
    PROVIDER.script.append(throttled(40))
    deliver_due(tenant.pk, limit=1)
    assert 39 < wait_seconds(first) <= 40
    assert health(channel).consecutive_failures == 0
    # The other message for the same destination waits too, and is not counted as tried.
    assert deliver_due(tenant.pk) == 0
    assert 39 < wait_seconds(second) <= 40
    assert get(channel, second).attempts == 0
    let_pass(38, [tenant])
    assert deliver_due(tenant.pk) == 0
    let_pass(3, [tenant])
    deliver_due(tenant.pk)
    let_pass(3, [tenant])
    deliver_due(tenant.pk)
    assert states(channel) == {"delivered": 2}


def test_a_refused_message_is_dead_and_observers_hear_of_it(tenant):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    PROVIDER.script.append(refused())
    deliver_due(tenant.pk)
    assert get(channel, delivery_id).state == "dead"
    assert told == [(tenant.pk, [delivery_id], "dead")]
    assert queued(delivery_id) is None


def test_an_observer_that_raises_does_not_undo_the_ending(tenant, settings):
    settings.DELIVERY_OBSERVERS = [f"{__name__}.observe_badly", f"{__name__}.observe"]
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    PROVIDER.script.append(refused())
    deliver_due(tenant.pk)
    assert get(channel, delivery_id).state == "dead"
    assert len(told) == 1


def test_a_receiver_that_is_gone_switches_its_channel_off(tenant):
    channel = make_channel(tenant)
    first = put(channel)[0]
    PROVIDER.script.append(refused(disable=True))
    deliver_due(tenant.pk)
    second = put(channel)[0]
    deliver_due(tenant.pk)
    assert get(channel, first).state == "dead"
    assert get(channel, second).state == "cancelled"
    with tenant_context(tenant.pk):
        channel.refresh_from_db()
    assert (channel.is_active, channel.disabled_reason) == (False, "HTTP 400")


def test_a_delivery_expires_unsent(tenant):
    channel = make_channel(tenant)
    [delivery_id] = put(channel, expires_in=timedelta(seconds=10))
    let_pass(11, [tenant])
    assert deliver_due(tenant.pk) == 0
    assert get(channel, delivery_id).state == "expired"
    assert PROVIDER.calls == {}
    assert told == [(tenant.pk, [delivery_id], "expired")]


def test_a_retry_beyond_the_horizon_is_dead_at_once(tenant):
    channel = make_channel(tenant)
    [delivery_id] = put(channel, expires_in=timedelta(seconds=60))
    PROVIDER.script.append(throttled(300))
    deliver_due(tenant.pk)
    assert get(channel, delivery_id).state == "dead"


def test_a_channel_with_broken_settings_kills_the_message_with_the_reason(tenant):
    channel = make_channel(tenant, settings={"nonsense": 1})
    [delivery_id] = put(channel)
    deliver_due(tenant.pk)
    delivery = get(channel, delivery_id)
    assert delivery.state == "dead"
    assert "nonsense" in delivery.state_reason


def test_a_deleted_channel_takes_its_deliveries_out_of_the_queue(tenant):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    with tenant_context(tenant.pk):
        channel.delete()
    assert queued(delivery_id) is None
    assert deliver_due(tenant.pk) == 0


def test_a_sender_that_lost_its_lease_cannot_complete(tenant):
    channel = make_channel(tenant, "idempotent")
    [delivery_id] = put(channel)
    slow = claim(tenant.pk, 20)
    results = send_all(slow)
    let_pass(31, [tenant])
    assert sweep_leases() == 1
    let_pass(6, [tenant])
    quick = claim(tenant.pk, 20)
    assert quick.parcels[0].lease_token == slow.parcels[0].lease_token + 1
    assert finish(tenant.pk, results) == []
    assert get(channel, delivery_id).state == "leased"
    # Its attempt is told as it was, though.
    assert outcomes(channel, delivery_id) == ["ok", "started"]
    assert finish(tenant.pk, send_all(quick)) == [delivery_id]
    assert get(channel, delivery_id).state == "delivered"


def test_what_a_slow_sender_tells_late_settles_the_doubt(tenant):
    channel = make_channel(tenant, "blind")
    [delivery_id] = put(channel)
    results = send_all(claim(tenant.pk, 20))
    let_pass(31, [tenant])
    sweep_leases()
    assert get(channel, delivery_id).state == "uncertain"
    finish(tenant.pk, results)
    let_pass(6, [tenant])
    assert reconcile_due() == 1
    assert get(channel, delivery_id).state == "delivered"
    assert PROVIDER.calls[str(delivery_id)] == 1


def test_a_crash_leaves_its_attempt_and_costs_at_most_one_more_send(tenant):
    channel = make_channel(tenant, "blind")
    [delivery_id] = put(channel)
    for _crash in range(3):
        if (batch := claim(tenant.pk, 20)).parcels:
            send_all(batch)  # and dies before it can finish
        let_pass(31, [tenant])
        sweep_leases()
        let_pass(6, [tenant])
        reconcile_due()
    assert outcomes(channel, delivery_id) == ["crashed", "crashed"]
    assert PROVIDER.taken[str(delivery_id)] == 2
    assert get(channel, delivery_id).state == "dead"


def test_five_crashes_are_poison_and_go_alone_after_the_first(tenant):
    channel = make_channel(tenant, "idempotent")
    poison = put(channel, priority=10)[0]
    others = put(channel, count=5, priority=50)
    assert len(claim(tenant.pk, 20).parcels) == 6
    for _crash in range(4):
        let_pass(31, [tenant])
        sweep_leases()
        let_pass(6, [tenant])
        assert [parcel.delivery_id for parcel in claim(tenant.pk, 20).parcels] == [poison]
    let_pass(31, [tenant])
    sweep_leases()
    assert get(channel, poison).state == "dead"
    assert told == [(tenant.pk, [poison], "dead")]
    let_pass(6, [tenant])
    while deliver_due(tenant.pk):
        pass
    assert {get(channel, other).state for other in others} == {"delivered"}


@pytest.mark.parametrize("old", list(DeliveryState))
@pytest.mark.parametrize("new", list(DeliveryState))
def test_the_database_knows_the_same_steps_as_the_code(tenant, old, new):
    channel = make_channel(tenant)
    with tenant_context(tenant.pk):
        delivery = Delivery(
            channel=channel, recipient="r", kind="test", reason="test", dedup_key=b"x", message=b"{}", state=old
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement_timestamp() + interval '1 hour'")
            delivery.expires_at = cursor.fetchone()[0]
        delivery.save()
        if new == old or new in STEPS[old]:
            Delivery.objects.filter(pk=delivery.pk).update(state=new)
            return
        with pytest.raises(IntegrityError, match="cannot go from"), transaction.atomic():
            Delivery.objects.filter(pk=delivery.pk).update(state=new)


def test_leases_too_short_for_a_call_are_given_back_uncounted(tenant, monkeypatch):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    batch = claim(tenant.pk, 20)
    monkeypatch.setattr(type(batch), "seconds_of_lease_left", lambda self: 6.0)
    finish(tenant.pk, send_all(batch))
    delivery = get(channel, delivery_id)
    assert (delivery.state, delivery.attempts) == ("pending", 0)
    assert outcomes(channel, delivery_id) == ["released"]
    assert PROVIDER.calls == {}


def test_an_unforeseen_error_of_an_adapter_is_in_doubt_not_lost(tenant):
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    PROVIDER.script.append(ZeroDivisionError("bug"))
    deliver_due(tenant.pk)
    assert get(channel, delivery_id).state == "uncertain"


def test_a_nul_in_the_providers_answer_does_not_stop_the_batch(tenant):
    channel = make_channel(tenant)
    put(channel, count=2)
    error = timed_out()
    error.detail = "a\x00b"
    PROVIDER.script.append(error)
    deliver_due(tenant.pk)
    assert DeliveryQueue.objects.filter(state="leased").count() == 0
