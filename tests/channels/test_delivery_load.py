"""Many deliveries: fair between tenants, a fixed number of statements, limits that put off and never drop."""

import math
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.delivery import deliver_due
from channels.delivery.claiming import LONGEST_DEFERRAL, claim
from channels.models import DeliveryQueue
from tests.channels.deliveries import (
    deliver_all_due,
    failed,
    get,
    health,
    let_pass,
    make_channel,
    put,
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


def statements(act) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        act()
    return [query["sql"] for query in captured]


@pytest.fixture(autouse=True)
def no_observers(settings) -> None:
    """Count what the engine itself costs: those who listen to failures have statements, and tests, of their own."""
    settings.DELIVERY_OBSERVERS = []


ANSWERS = {
    "delivered": lambda: None,
    "retried": failed,
    "throttled": lambda: throttled(60),
    "refused": refused,
    "in doubt": timed_out,
    "switched off": lambda: refused(disable=True),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_batch_of_fifty_costs_as_many_statements_as_one_of_five(tenant, provider, answer):
    counts = []
    put(make_channel(tenant))
    deliver_due(tenant.pk)  # what is read once a process is read here
    provider.reset()
    for size in (5, 50):
        channel = make_channel(tenant)
        put(channel, count=size)
        provider.script.extend(ANSWERS[answer]() for _ in range(size))
        counts.append(len(statements(lambda: deliver_due(tenant.pk, limit=100))))
        assert sum(provider.calls.values()) == size
        provider.reset()
        let_pass(100_000, [tenant])
        deliver_due(tenant.pk, limit=100)  # what is left expires here
    assert counts[0] == counts[1] <= 24


def test_enqueueing_a_thousand_is_one_statement(tenant):
    channel = make_channel(tenant)
    ran = statements(lambda: put(channel, count=1000))
    assert len([sql for sql in ran if "INSERT INTO delivery" in sql]) == 1
    assert len(ran) <= 5


def test_sweeping_and_reconciling_cost_the_same_for_many(tenant, provider):
    counts = []
    for size in (2, 20):
        put(make_channel(tenant), count=size)
        claim(tenant.pk, 100)
        let_pass(31, [tenant])
        swept = statements(sweep_leases)
        let_pass(10, [tenant])
        counts.append((len(swept), len(statements(reconcile_due))))
    assert counts[0] == counts[1]


def test_a_tenant_with_thousands_waiting_does_not_delay_another(tenant, provider):
    for _ in range(5):
        put(make_channel(tenant), count=1000)
    quiet = make_channel(make_tenant())
    put(quiet)
    for tenant_id in (tenant.pk, quiet.tenant_id):
        deliver_due(tenant_id)
    assert states(quiet) == {"delivered": 1}


def test_a_blocked_destination_does_not_hold_up_its_neighbour(tenant, provider):
    blocked, well = make_channel(tenant), make_channel(tenant)
    put(blocked, priority=10)
    provider.script.append(throttled(600))
    deliver_due(tenant.pk)
    put(blocked, count=500, priority=10)
    [delivery_id] = put(well)
    deliver_due(tenant.pk)
    assert get(well, delivery_id).state == "delivered"
    # What is blocked is due no more, so nobody turns in circles over it.
    waiting = DeliveryQueue.objects.filter(channel_id=blocked.pk).values_list("pk", flat=True)
    assert min(map(wait_seconds, waiting)) > 580


def test_five_failures_open_the_circuit_and_one_probe_closes_it(tenant, provider):
    channel = make_channel(tenant)
    put(channel, count=30)
    provider.script.extend(failed() for _ in range(5))
    assert deliver_due(tenant.pk, limit=5) == 5
    assert health(channel).circuit == "open"
    assert deliver_due(tenant.pk) == 0
    let_pass(31, [tenant])
    provider.script.append(failed())
    assert deliver_due(tenant.pk) == 1
    assert 59 < (health(channel).blocked_until - health(channel).updated_at).total_seconds() <= 60.1
    let_pass(40, [tenant])
    assert deliver_due(tenant.pk) == 0
    let_pass(25, [tenant])
    assert deliver_due(tenant.pk) == 1
    assert health(channel).circuit == "closed"
    let_pass(700, [tenant])
    deliver_all_due(tenant.pk)
    assert states(channel) == {"delivered": 30}


def test_while_a_probe_is_out_no_other_call_is_made(tenant, provider):
    channel = make_channel(tenant)
    put(channel, count=10)
    provider.script.extend(failed() for _ in range(5))
    deliver_due(tenant.pk, limit=5)
    let_pass(31, [tenant])
    assert len(claim(tenant.pk, 20).parcels) == 1
    assert health(channel).circuit == "half_open"
    assert claim(tenant.pk, 20).parcels == []


def test_a_slow_channel_takes_its_burst_and_then_its_rate_and_loses_nothing(tenant, provider):
    channel = make_channel(tenant, rate_per_minute=60)
    ids = put(channel, count=200)
    began = time.monotonic()
    assert deliver_due(tenant.pk, limit=100) == 10
    assert deliver_due(tenant.pk, limit=100) == 0
    waits = sorted(wait_seconds(one) for one in ids if get(channel, one).state == "pending")
    assert 0 < waits[0] <= 1
    assert waits[-1] <= LONGEST_DEFERRAL + 1
    let_pass(5, [tenant])
    sent = deliver_due(tenant.pk, limit=100)
    # One a second, also for the seconds that this test itself took.
    assert 5 <= sent <= 5 + math.ceil(time.monotonic() - began)
    for _ in range(20):
        let_pass(61, [tenant])
        deliver_all_due(tenant.pk)
    assert states(channel) == {"delivered": 200}
