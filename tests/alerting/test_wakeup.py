"""Wake-ups: many rings are one message, a broker that is away costs next to nothing, and no ring is lost."""

import os
import socket
import time
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
import redis
from django.db import connections

from alerting import wakeup
from tests import servers

TENANT = UUID("0192c0de-0000-7000-8000-000000000001")


class Publisher:
    """Stands where Celery stands; remembers what was published and fails when told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.is_away = False

    def __call__(self, task: str, *ids: str) -> None:
        if self.is_away:
            raise ConnectionRefusedError("nobody listens")
        self.sent.append((task, ids[0]))


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Publisher:
    made = Publisher()
    monkeypatch.setattr(wakeup, "_publisher", lambda: made)
    return made


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put nobody where Redis was."""
    client = redis.Redis(port=servers.free_port(), socket_connect_timeout=0.2, socket_timeout=0.3, retry=None)
    monkeypatch.setattr(wakeup, "broker", lambda: client)


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch, settings) -> Iterator[None]:
    """Put one where Redis was who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.REDIS_URL = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        wakeup.broker.cache_clear()
        yield
    wakeup.broker.cache_clear()


def test_many_rings_are_one_message(publisher: Publisher) -> None:
    assert [wakeup.announce(wakeup.INTAKE, TENANT) for _ in range(5)] == [True] * 5
    assert publisher.sent == [(wakeup.INTAKE, str(TENANT))]


def test_each_duty_and_each_tenant_has_its_bell(publisher: Publisher) -> None:
    other = uuid4()
    wakeup.announce(wakeup.INTAKE, TENANT)
    wakeup.announce(wakeup.DELIVERIES, TENANT)
    wakeup.announce(wakeup.INTAKE, other)
    assert publisher.sent == [
        (wakeup.INTAKE, str(TENANT)),
        (wakeup.DELIVERIES, str(TENANT)),
        (wakeup.INTAKE, str(other)),
    ]


def test_the_next_ring_is_heard_once_the_bell_is_down(publisher: Publisher) -> None:
    wakeup.announce(wakeup.INTAKE, TENANT)
    wakeup.take_bell_down(wakeup.INTAKE, TENANT)
    wakeup.announce(wakeup.INTAKE, TENANT)
    assert len(publisher.sent) == 2


def test_a_bell_nobody_takes_down_falls_by_itself(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeup, "BELL_MILLISECONDS", 30)
    wakeup.announce(wakeup.INTAKE, TENANT)
    time.sleep(0.08)
    wakeup.announce(wakeup.INTAKE, TENANT)
    assert len(publisher.sent) == 2


@pytest.mark.usefixtures("away")
def test_a_broker_that_is_away_is_said_so_and_raises_nothing(publisher: Publisher) -> None:
    assert wakeup.announce(wakeup.INTAKE, TENANT) is False
    wakeup.take_bell_down(wakeup.INTAKE, TENANT)
    assert publisher.sent == []


@pytest.mark.usefixtures("deaf")
def test_a_deaf_broker_is_not_waited_for(publisher: Publisher) -> None:
    began = time.monotonic()
    assert wakeup.announce(wakeup.INTAKE, TENANT) is False
    # The time limit is half a second, without it this lasts for ever; the rest is for machines that are busy.
    assert time.monotonic() - began < 5


def test_a_message_that_could_not_be_sent_leaves_no_bell(publisher: Publisher) -> None:
    publisher.is_away = True
    assert wakeup.announce(wakeup.INTAKE, TENANT) is False
    publisher.is_away = False
    assert wakeup.announce(wakeup.INTAKE, TENANT) is True
    assert publisher.sent == [(wakeup.INTAKE, str(TENANT))]


def wait_for(is_true, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_ringer_announces_once_for_many_rings(publisher: Publisher) -> None:
    ringer, tenants = wakeup.Ringer(), [uuid4() for _ in range(3)]
    for _ in range(1000):
        for tenant_id in tenants:
            ringer.ring(wakeup.INTAKE, tenant_id)
    wait_for(lambda: len(publisher.sent) == 3)
    time.sleep(0.05)
    assert sorted(publisher.sent) == sorted((wakeup.INTAKE, str(one)) for one in tenants)


@pytest.mark.usefixtures("committed_db", "away")
def test_the_relay_is_told_when_the_broker_is_away(publisher: Publisher) -> None:
    listener = connections.create_connection("default")
    with listener.cursor() as cursor:
        cursor.execute(f"LISTEN {wakeup.NOTIFY_CHANNEL}")
    wakeup.Ringer().ring(wakeup.INTAKE, TENANT)

    def is_told() -> bool:
        listener.connection.poll()
        return bool(listener.connection.notifies)

    wait_for(is_told)
    listener.close()


def test_a_forked_child_has_a_ringer_of_its_own(publisher: Publisher) -> None:
    """The parent's thread does not come along, and may have held the lock in the moment of the fork."""
    ringer = wakeup._ringer
    ringer.ring(wakeup.INTAKE, TENANT)
    wait_for(lambda: len(publisher.sent) == 1)
    publisher.sent.clear()
    with ringer._signal:
        child = os.fork()
        if not child:
            wakeup.ring(wakeup.GROUPS, TENANT)
            deadline = time.monotonic() + 5
            while not publisher.sent and time.monotonic() < deadline:
                time.sleep(0.005)
            os._exit(0 if publisher.sent == [(wakeup.GROUPS, str(TENANT))] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
