"""A random walk through the life of deliveries: whatever happens, each invariant holds after every step."""

from collections import Counter

import pytest
from django.conf import settings as service
from django.db import connection, transaction
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from channels.delivery import IllegalStep, deliver_due, ending, replay
from channels.delivery.claiming import claim
from channels.delivery.engine import send_all
from channels.delivery.finishing import finish
from channels.models import OPEN_STATES, Delivery, DeliveryAttempt, DeliveryQueue, DeliveryState, Semantics
from tenants.context import tenant_context
from tenants.principal import system
from tests.channels.deliveries import (
    ADAPTERS,
    PROVIDER,
    failed,
    let_pass,
    make_channel,
    put,
    reconcile_due,
    refused,
    sweep_leases,
    throttled,
    timed_out,
)
from tests.factories import make_tenant

ANSWERS = {
    "ok": lambda: None,
    "failed": failed,
    "throttled": lambda: throttled(20),
    "refused": refused,
    "taken": timed_out,
    "lost": lambda: timed_out(lost=True),
}
told: Counter[str] = Counter()


def observe(tenant_id, delivery_ids, state):
    told.update(str(one) for one in delivery_ids)


class DeliveryMachine(RuleBasedStateMachine):
    """One tenant, a channel of each kind, and senders that answer, fail, stall and die."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        PROVIDER.reset()
        told.clear()
        self.tenant = make_tenant()
        self.channels = [make_channel(self.tenant, kind) for kind in ("findable", "blind", "idempotent")]
        self.channels.append(make_channel(self.tenant, "blind", semantics=Semantics.AT_MOST_ONCE))
        self.stalled = []
        self.replays: Counter[str] = Counter()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @rule()
    def tell_all(self):
        for channel in self.channels:
            put(channel)

    @rule(answers=st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=4), limit=st.integers(1, 5))
    def deliver(self, answers, limit):
        PROVIDER.script.extend(ANSWERS[answer]() for answer in answers)
        deliver_due(self.tenant.pk, limit)
        PROVIDER.script.clear()

    @rule(answer=st.sampled_from(["ok", "taken", "taken", "lost", "refused"]), crashes=st.booleans())
    def pass_a_while(self, answer, crashes):
        """All that waits gets its turn, and meets the same answer."""
        let_pass(1000, [self.tenant])
        sweep_leases()
        let_pass(10, [self.tenant])
        reconcile_due()
        let_pass(10, [self.tenant])
        PROVIDER.script.extend(ANSWERS[answer]() for _ in range(20))
        if crashes:
            send_all(claim(self.tenant.pk, 20))
        else:
            deliver_due(self.tenant.pk)
        PROVIDER.script.clear()

    @rule(is_called=st.booleans())
    def stall(self, is_called):
        """A sender takes a batch and is not heard of for a while, perhaps for ever."""
        batch = claim(self.tenant.pk, 2)
        if batch.parcels:
            self.stalled.append((batch, send_all(batch) if is_called else None))

    @precondition(lambda self: self.stalled)
    @rule()
    def return_late(self):
        """Its results count only while it holds the leases."""
        batch, results = self.stalled.pop(0)
        held = {
            parcel.delivery_id
            for parcel in batch.parcels
            if DeliveryQueue.objects.filter(
                pk=parcel.delivery_id, state="leased", lease_token=parcel.lease_token
            ).exists()
        }
        if results is not None:
            assert set(finish(self.tenant.pk, results)) == held

    @rule(seconds=st.sampled_from([1, 6, 31]))
    def wait(self, seconds):
        let_pass(seconds, [self.tenant])

    @rule()
    def sweep(self):
        sweep_leases()

    @rule()
    def clear_up(self):
        reconcile_due()

    @rule()
    def cancel_all(self):
        with tenant_context(self.tenant.pk):
            waiting = Delivery.objects.filter(state="pending").values_list("pk", flat=True)
            ending.end(list(waiting), DeliveryState.CANCELLED, "over")

    @rule(place=st.integers(0, 20))
    def handle_letter(self, place):
        rows = self.rows()
        if not rows:
            return
        row = rows[place % len(rows)]
        try:
            replay(system(self.tenant.pk), row.pk)
        except IllegalStep:
            assert row.state != "dead"
        else:
            assert row.state == "dead"
            self.replays[str(row.pk)] += 1

    def rows(self):
        with tenant_context(self.tenant.pk):
            return list(Delivery.objects.select_related("channel").order_by("pk"))

    @invariant()
    def the_queue_holds_the_open_ones_and_no_others(self):
        states = {row.pk: row.state for row in self.rows() if row.state in OPEN_STATES}
        assert dict(DeliveryQueue.objects.values_list("delivery_id", "state")) == states

    @invariant()
    def endings_are_dated_and_told(self):
        for row in self.rows():
            assert (row.finished_at is None) == (row.state in OPEN_STATES)
            assert row.state not in ("dead", "expired") or told[str(row.pk)] >= 1

    @invariant()
    def every_call_has_its_attempt(self):
        with tenant_context(self.tenant.pk):
            attempts = Counter(str(one) for one in DeliveryAttempt.objects.values_list("delivery_id", flat=True))
        assert all(attempts[key] >= calls for key, calls in PROVIDER.calls.items())

    @invariant()
    def readers_see_it_at_most_once_more_than_asked_for(self):
        for row in self.rows():
            if row.channel.kind == "idempotent":
                continue
            extra = 0 if row.channel.semantics == Semantics.AT_MOST_ONCE else 1
            most = (1 + extra) * (1 + self.replays[str(row.pk)])
            assert PROVIDER.taken[str(row.pk)] <= most

    @invariant()
    def what_is_delivered_was_taken(self):
        for row in self.rows():
            if row.state == "delivered":
                assert PROVIDER.taken[str(row.pk)] >= 1


@pytest.mark.django_db
def test_every_walk_keeps_the_invariants():
    paths = [*service.CHANNEL_ADAPTERS, *ADAPTERS]
    with override_settings(CHANNEL_ADAPTERS=paths, DELIVERY_OBSERVERS=[f"{__name__}.observe"]):
        run_state_machine_as_test(
            DeliveryMachine,
            settings=settings(
                max_examples=25,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    assert connection.in_atomic_block
