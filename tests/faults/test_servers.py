"""Valkey dies, hangs or forgets, PostgreSQL restarts: nothing accepted is lost, and people are still told."""

import signal
import time
from collections.abc import Iterator

import pytest
import redis

from tests.faults.ground import Crowd, Ground
from tests.stack import wait_for

pytestmark = [pytest.mark.processes, pytest.mark.slow]


@pytest.fixture
def valkey(ground: Ground, crowd: Crowd) -> Iterator[None]:
    """Valkey is there again afterwards, empty; before `crowd` starts the workers, which wait for it."""
    yield
    if ground.valkey.process is None:
        ground.valkey.start()


@pytest.mark.usefixtures("valkey")
def test_people_are_told_with_valkey_dead_and_no_worker(ground: Ground, crowd: Crowd) -> None:
    crowd.post(1)
    crowd.settle()
    ground.valkey.process.kill()
    ground.valkey.process.wait()
    ground.valkey.process = None
    ground.stack.kill_workers()
    crowd.sink.first_at = 0.0
    began = time.monotonic()
    crowd.post(1)
    assert time.monotonic() - began < 2, "the door waited for a broker"
    wait_for(lambda: crowd.sink.first_at, 20)
    assert crowd.sink.first_at - began < 6, "the promise is about five seconds"
    with crowd.posting(batch=5):
        wait_for(lambda: len(crowd.sink.sends) > 60, 40)
    crowd.settle()
    crowd.judge(most_sends=1)
    assert set(crowd.ledger.statuses) == {202}


@pytest.mark.usefixtures("valkey")
def test_a_valkey_that_hangs_delays_nobody(ground: Ground, crowd: Crowd) -> None:
    """Connections are taken and never answered: worse than refused."""
    ground.stack.kill_workers()
    ground.valkey.process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(10):
            crowd.post(2)
        assert time.monotonic() - began < 10 * 0.5
        wait_for(lambda: crowd.sink.first_at, 20)
        assert crowd.sink.first_at - began < 9
        crowd.settle()
    finally:
        ground.valkey.process.send_signal(signal.SIGCONT)
    crowd.judge(most_sends=1)


def test_a_flushed_valkey_loses_nothing(ground: Ground, crowd: Crowd) -> None:
    client = redis.Redis.from_url(ground.valkey.address())
    with crowd.posting(senders=3, batch=3):
        for _ in range(15):
            time.sleep(0.2)
            client.flushall()
    client.close()
    crowd.settle()
    crowd.judge(most_sends=1)
    assert set(crowd.ledger.statuses) == {202}


def test_postgres_restarts_in_the_middle(ground: Ground, crowd: Crowd) -> None:
    parts = (ground.stack.web, ground.stack.relay, ground.stack.worker, ground.stack.notifier)
    pids = [part.process.pid for part in parts]
    with crowd.posting(senders=3):
        wait_for(lambda: len(crowd.sink.sends) > 20)
        process = ground.postgres.process
        process.send_signal(signal.SIGQUIT)  # "immediate": every session is cut off, nothing is written
        process.wait(10)
        refused = crowd.ledger.statuses[503]
        wait_for(lambda: crowd.ledger.statuses[503] > refused + 3, 10, "503 while the database is away")
        assert ground.stack.request("GET", "/health/ready")[0] == 503
        assert ground.stack.request("GET", "/health/live")[0] == 200
        ground.postgres.start()
        already = len(crowd.ledger.acked)
        wait_for(lambda: len(crowd.ledger.acked) > already + 20, 5, "accepting again within five seconds")
    wait_for(lambda: crowd.waiting()[:2] == (0, 0), 30)
    # What was out when the database went could not be written down: its lease runs out.
    wait_for(lambda: not pending(ground, crowd), 20)
    ground.let_leases_end()
    wait_for(lambda: hurried(ground, crowd), 30)
    crowd.judge()
    assert set(crowd.ledger.statuses) <= {0, 202, 503}
    assert crowd.ledger.refused_without_a_time == 0
    assert crowd.known() == crowd.ledger.tried
    # Nobody had to start them again.
    assert [part.process.pid for part in parts] == pids
    assert all(part.process.poll() is None for part in parts)


def pending(ground: Ground, crowd: Crowd) -> int:
    """How many deliveries wait to be leased."""
    (row,) = ground.sql(
        "SELECT count(*) FROM delivery_queue WHERE tenant_id = %s AND state = 'pending'", crowd.tenant.pk
    )
    return int(row[0])


def hurried(ground: Ground, crowd: Crowd) -> bool:
    ground.hurry()
    time.sleep(0.2)
    return not any(crowd.waiting())
