"""The relay: announces what waits, does itself what nobody takes, and is stopped by no fault but its own end."""

import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from django.db import DatabaseError, InterfaceError, connection

from alerting import relay as relaying
from alerting import wakeup
from alerting.duties import DUTIES, Duty
from alerting.models import Heartbeat
from channels.delivery import engine
from tenants.isolation import new_id
from tests.alerting.scenes import Scene, alert

ONE, OTHER = new_id(), new_id()
INTAKE, GROUPS, ESCALATIONS, SLACK_ACTS, DELIVERIES = DUTIES


class Waiting:
    """What the queue tables say: whose work waits, and whose has waited too long."""

    def __init__(self) -> None:
        self.due: dict[str, list[UUID]] = {}
        self.overdue: dict[str, list[UUID]] = {}

    def __call__(self, duty: Duty, overdue_by: float = 0) -> list[UUID]:
        return list((self.overdue if overdue_by else self.due).get(duty.name, ()))


class Broker:
    """Answers announcements as told and remembers them."""

    def __init__(self) -> None:
        self.is_up = True
        self.asked: list[tuple[str, UUID]] = []

    def __call__(self, task: str, tenant_id: UUID) -> bool:
        self.asked.append((task, tenant_id))
        return self.is_up


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    made = Waiting()
    monkeypatch.setattr(relaying, "waiting_tenants", made)
    return made


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()
    monkeypatch.setattr(wakeup, "announce", made)
    return made


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[relaying.Relay]:
    monkeypatch.setattr(relaying.Relay, "_sweep", lambda self: None)
    made = relaying.Relay()
    yield made
    finish(made)


@pytest.fixture(autouse=True)
def _may_send() -> Iterator[None]:
    """Undo what the end of a relay means for its process."""
    yield
    engine._is_stopping.clear()


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, UUID]]:
    """Replace the work of every duty; what was done here is in the list."""
    did: list[tuple[str, UUID]] = []

    def work(name: str, tenant_id: UUID) -> int:
        did.append((name, tenant_id))
        return 0

    monkeypatch.setattr(relaying, "DUTIES", with_work({duty.name: partial(work, duty.name) for duty in DUTIES}))
    return did


def with_work(works: dict[str, Any]) -> tuple[Duty, ...]:
    return tuple(
        Duty(duty.name, duty.task, duty.table, duty.due_column, duty.condition, works.get(duty.name, duty.work))
        for duty in DUTIES
    )


def finish(relay: relaying.Relay) -> None:
    """Wait for all that was handed to the pools."""
    for pool in (relay._pool, relay._senders):
        pool.shutdown(wait=True)


def test_with_a_broker_the_work_is_announced_and_left_to_workers(
    relay: relaying.Relay, waiting: Waiting, broker: Broker, done: list
) -> None:
    waiting.due = {"intake": [ONE, OTHER], "deliveries": [ONE]}
    relay.round()
    finish(relay)
    assert broker.asked == [(INTAKE.task, ONE), (INTAKE.task, OTHER), (DELIVERIES.task, ONE)]
    assert done == []


def test_without_a_broker_the_work_is_done_here_and_the_broker_asked_once(
    relay: relaying.Relay, waiting: Waiting, broker: Broker, done: list
) -> None:
    broker.is_up = False
    waiting.due = {"intake": [ONE, OTHER], "groups": [ONE], "deliveries": [OTHER]}
    relay.round()
    finish(relay)
    assert len(broker.asked) == 1
    assert sorted(done) == sorted([("intake", ONE), ("intake", OTHER), ("groups", ONE), ("deliveries", OTHER)])


def test_overdue_work_is_done_here_although_the_broker_answers(
    relay: relaying.Relay, waiting: Waiting, broker: Broker, done: list
) -> None:
    waiting.due, waiting.overdue = {"groups": [ONE, OTHER]}, {"groups": [ONE]}
    relay.round()
    finish(relay)
    assert done == [("groups", ONE)]
    assert broker.asked == [(GROUPS.task, OTHER)]


def test_what_follows_from_overdue_work_does_not_wait_again(
    relay: relaying.Relay, waiting: Waiting, broker: Broker, done: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting.due = waiting.overdue = {"intake": [ONE]}
    relay.round()
    waiting.due, waiting.overdue = {"deliveries": [ONE, OTHER]}, {}
    relay.round()
    later = time.monotonic() + relaying.OWN_SECONDS + 1
    monkeypatch.setattr(relaying.time, "monotonic", lambda: later)
    relay.round()
    finish(relay)
    assert sorted(done) == sorted([("intake", ONE), ("deliveries", ONE)])
    assert broker.asked == [(DELIVERIES.task, OTHER), (DELIVERIES.task, ONE), (DELIVERIES.task, OTHER)]


def test_work_in_hand_is_not_begun_twice(relay: relaying.Relay, waiting: Waiting, broker: Broker, monkeypatch) -> None:
    may_end, begun = threading.Event(), []

    def work(tenant_id: UUID) -> int:
        begun.append(tenant_id)
        may_end.wait(5)
        return 0

    monkeypatch.setattr(relaying, "DUTIES", with_work({"groups": work}))
    broker.is_up = False
    waiting.due = {"groups": [ONE]}
    for _ in range(3):
        relay.round()
    may_end.set()
    finish(relay)
    assert begun == [ONE]


def test_a_poisonous_tenant_stops_no_other_and_is_tried_again(
    relay: relaying.Relay, waiting: Waiting, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[UUID] = []

    def work(tenant_id: UUID) -> int:
        tried.append(tenant_id)
        if tenant_id == ONE:
            raise RuntimeError("poison")
        return 0

    monkeypatch.setattr(relaying, "DUTIES", with_work({"intake": work}))
    broker.is_up = False
    waiting.due = {"intake": [ONE, OTHER]}
    for rounds in (1, 2):
        relay.round()
        wait_for(lambda count=2 * rounds: len(tried) == count and not relay._busy)
    assert sorted(tried) == sorted([ONE, OTHER] * 2)


def test_slow_providers_do_not_hold_up_the_database_s_work(
    relay: relaying.Relay, waiting: Waiting, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    drained, may_end = threading.Event(), threading.Event()

    def deliver(tenant_id: UUID) -> int:
        may_end.wait(5)
        return 0

    def drain(tenant_id: UUID) -> int:
        drained.set()
        return 1

    monkeypatch.setattr(relaying, "DUTIES", with_work({"deliveries": deliver, "intake": drain}))
    broker.is_up = False
    waiting.due = {"deliveries": [new_id() for _ in range(3 * relaying.SENDERS)]}
    relay.round()
    waiting.due = {"intake": [ONE]}
    relay.round()
    assert drained.wait(2)
    may_end.set()


def wait_for(is_true: Any, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Running:
    """A relay in a thread of its own."""

    def __init__(self) -> None:
        self.relay = relaying.Relay()
        self.rounds = 0
        self.thread = threading.Thread(target=self.relay.run)

    def __enter__(self) -> "Running":
        look = self.relay.round

        def counted() -> None:
            look()
            self.rounds += 1

        self.relay.round = counted  # type: ignore[method-assign]
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.relay.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def sees_more(self, seconds: float = 5) -> None:
        """Wait until it has looked again, from now on."""
        now = self.rounds
        wait_for(lambda: self.rounds > now + 1, seconds)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(relaying, "PAUSE_AFTER_FAULT", 0.05)


@pytest.mark.usefixtures("committed_db", "quick")
@pytest.mark.parametrize(
    "fault",
    [
        DatabaseError("the server closed the connection"),
        InterfaceError("connection already closed"),
        psycopg2.OperationalError("terminating connection"),
        ValueError("file descriptor cannot be a negative integer"),
        KeyError("a fault of our own"),
    ],
    ids=lambda fault: type(fault).__module__ + "." + type(fault).__name__,
)
def test_no_fault_ends_the_loop(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [fault, fault]

    def wait(self: relaying.Relay) -> None:
        if faults:
            raise faults.pop()
        time.sleep(0.01)

    monkeypatch.setattr(relaying.Relay, "_wait", wait)
    with Running() as running:
        wait_for(lambda: not faults)
        running.sees_more()


@pytest.mark.usefixtures("committed_db", "quick")
def test_cut_connections_are_made_anew_and_none_is_left_at_the_end(
    broker: Broker, waiting: Waiting, done: list
) -> None:
    others = (
        "SELECT {} FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    broker.is_up = False
    waiting.due = {"intake": [ONE], "groups": [OTHER], "deliveries": [ONE, OTHER]}
    with Running() as running:
        running.sees_more()
        with connection.cursor() as cursor:
            for _ in range(3):
                cursor.execute(others.format("pg_terminate_backend(pid)"))
                running.sees_more()
            cursor.execute(others.format("count(*)"))
            assert 1 <= cursor.fetchone()[0] <= 1 + relaying.THREADS + relaying.SENDERS
        assert Heartbeat.objects.filter(component="relay").exists()
    with connection.cursor() as cursor:
        wait_for(lambda: cursor.execute(others.format("count(*)")) or cursor.fetchone()[0] == 0)


@pytest.mark.usefixtures("committed_db", "broker")
def test_a_ring_is_heard_at_once(monkeypatch: pytest.MonkeyPatch, waiting: Waiting) -> None:
    monkeypatch.setattr(relaying, "POLL_SECONDS", 30.0)
    with Running() as running:
        wait_for(lambda: running.rounds == 1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [wakeup.NOTIFY_CHANNEL])
        wait_for(lambda: running.rounds == 2, 2)


@pytest.mark.usefixtures("committed_db", "broker")
def test_a_ring_in_the_middle_of_a_round_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes along with the answer to a statement, so that the socket never becomes readable for it."""
    monkeypatch.setattr(relaying, "POLL_SECONDS", 30.0)
    rings = iter([True])

    def look_and_be_rung(duty: Duty, overdue_by: float = 0) -> list[UUID]:
        with connection.cursor() as cursor:
            if next(rings, False):
                cursor.execute("SELECT pg_notify(%s, '')", [wakeup.NOTIFY_CHANNEL])
            cursor.execute("SELECT 1")
        return []

    monkeypatch.setattr(relaying, "waiting_tenants", look_and_be_rung)
    with Running() as running:
        wait_for(lambda: running.rounds == 2, 2)


@pytest.mark.usefixtures("committed_db", "broker")
def test_one_tenant_whose_leases_cannot_be_swept_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, waiting: Waiting
) -> None:
    swept: list[UUID] = []

    def sweep(tenant_id: UUID) -> int:
        if tenant_id == ONE:
            raise RuntimeError("poison")
        swept.append(tenant_id)
        return 1

    monkeypatch.setattr(relaying.leases, "tenants_with_late", lambda: [ONE, OTHER])
    monkeypatch.setattr(relaying.leases, "sweep_tenant", sweep)
    monkeypatch.setattr(relaying.reconcile, "tenants_in_doubt", lambda: [ONE, OTHER])
    monkeypatch.setattr(relaying.reconcile, "reconcile_tenant", sweep)
    with Running():
        wait_for(lambda: swept == [OTHER, OTHER])


@pytest.mark.usefixtures("committed_db", "broker")
def test_the_command_ends_at_a_signal(monkeypatch: pytest.MonkeyPatch, waiting: Waiting) -> None:
    from django.core.management import call_command

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    threading.Timer(0.2, signal.raise_signal, [signal.SIGTERM]).start()
    try:
        call_command("relay")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert engine._is_stopping.is_set()


@pytest.mark.usefixtures("committed_db", "quick")
def test_work_that_no_worker_takes_is_done_here_once_it_is_overdue(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "OVERDUE_SECONDS", 2.0)
    # Nobody is told of what follows: the relay itself has to see it.
    monkeypatch.setattr(wakeup, "ring", lambda task, tenant_id: None)
    scene = Scene()
    scene.route(scene.channel())
    began = time.monotonic()
    scene.send(alert())
    with Running():
        wait_for(lambda: any(delivery.attempts for delivery in scene.deliveries()))
    # One wait for all three stages, not one for each.
    assert 1.9 < time.monotonic() - began < 3 * 2.0
    assert (INTAKE.task, scene.id) in broker.asked
