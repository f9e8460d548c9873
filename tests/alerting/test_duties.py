"""What a wake-up does: everything that waits for one tenant, and nothing left behind when it goes."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection, connections

from alerting import duties, wakeup
from alerting.exclusive import try_drain
from alerting.models import IntakeQueue, Timer
from channels.models import DeliveryQueue
from tenants.isolation import new_id
from tests.alerting.scenes import Scene, alert


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Keep what is rung for."""
    heard: list[tuple[str, str]] = []
    monkeypatch.setattr(wakeup, "ring", lambda task, tenant_id: heard.append((task, str(tenant_id))))
    return heard


@pytest.fixture
def scene(db: None) -> Scene:
    made = Scene()
    made.group_by("alertname")
    made.route(made.channel())
    # What the changes of configuration have set a timer for.
    made.flush()
    return made


def test_a_drain_takes_all_and_tells_of_what_is_due_at_once(scene: Scene, rung: list) -> None:
    for number in range(3):
        scene.send(alert(f"A{number}"), alert(f"B{number}"))
    rung.clear()
    assert duties.drain_intake(scene.id) == 6
    assert not IntakeQueue.objects.filter(tenant_id=scene.id).exists()
    assert DeliveryQueue.objects.filter(tenant_id=scene.id).count() == 6
    assert (wakeup.DELIVERIES, str(scene.id)) in rung


def test_a_drain_whose_time_is_over_asks_for_another(scene: Scene, rung: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "FAIR_SECONDS", 0.0)
    scene.send(alert())
    rung.clear()
    wakeup.broker().set(wakeup.bell(wakeup.INTAKE, scene.id), 1)
    duties.drain_intake(scene.id)
    assert rung == [(wakeup.INTAKE, str(scene.id))]
    assert not wakeup.broker().exists(wakeup.bell(wakeup.INTAKE, scene.id))


def test_groups_are_flushed_and_deliveries_announced(scene: Scene, rung: list) -> None:
    scene.feed(alert())
    rung.clear()
    assert duties.flush_groups(scene.id) == 1
    assert rung == [(wakeup.DELIVERIES, str(scene.id))]
    rung.clear()
    assert duties.flush_groups(scene.id) == 0
    assert rung == []


def test_deliveries_go_on_until_none_is_due(monkeypatch: pytest.MonkeyPatch, rung: list) -> None:
    # After the bell is down, it looks once more: what comes in between is not left behind.
    answers = iter([20, 0, 3, 0, 0])
    monkeypatch.setattr(duties, "deliver_due", lambda tenant_id: next(answers))
    assert duties.deliver(new_id()) == 23
    assert next(answers, None) is None
    assert rung == []


def test_a_long_delivery_lets_others_in_and_rings_again(monkeypatch: pytest.MonkeyPatch, rung: list) -> None:
    monkeypatch.setattr(duties, "FAIR_SECONDS", 0.05)
    monkeypatch.setattr(duties, "deliver_due", lambda tenant_id: time.sleep(0.01) or 20)
    tenant_id = new_id()
    wakeup.broker().set(wakeup.bell(wakeup.DELIVERIES, tenant_id), 1)
    assert 20 <= duties.deliver(tenant_id) <= 6 * 20
    assert not wakeup.broker().exists(wakeup.bell(wakeup.DELIVERIES, tenant_id))
    assert rung == [(wakeup.DELIVERIES, str(tenant_id))]


def test_waiting_tenants_are_those_whose_work_is_due(scene: Scene) -> None:
    intake, groups, escalations, slack_acts, deliveries = duties.DUTIES
    assert [duties.waiting_tenants(duty) for duty in duties.DUTIES] == [[], [], [], [], []]
    scene.send(alert())
    assert duties.waiting_tenants(intake) == [scene.id]
    assert duties.waiting_tenants(intake, 5) == []
    IntakeQueue.objects.filter(tenant_id=scene.id).update(received_at=_before(6))
    assert duties.waiting_tenants(intake, 5) == [scene.id]
    scene.drain()
    assert duties.waiting_tenants(groups) == [scene.id]
    scene.flush()
    Timer.objects.create(tenant_id=scene.id, kind="escalation", object_id=scene.id, due_at=_before(1))
    assert (duties.waiting_tenants(groups), duties.waiting_tenants(escalations)) == ([], [scene.id])
    Timer.objects.create(tenant_id=scene.id, kind="slack_act", object_id=scene.id, due_at=_before(1))
    assert duties.waiting_tenants(slack_acts) == [scene.id]
    assert duties.waiting_tenants(deliveries) == [scene.id]
    DeliveryQueue.objects.filter(tenant_id=scene.id).update(state="uncertain")
    assert duties.waiting_tenants(deliveries) == []


def test_all_that_waits_is_announced(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    announced = []
    monkeypatch.setattr(wakeup, "announce", lambda task, tenant_id: announced.append((task, tenant_id)) or True)
    scene.feed(alert())
    scene.send(alert())
    duties.announce_waiting()
    assert announced == [(wakeup.INTAKE, scene.id), (wakeup.GROUPS, scene.id)]


def test_rows_put_in_while_drains_end_are_never_left_behind(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rings and drains race: whoever rings gets a worker, or the one at work sees the row. No relay helps here."""
    scene = Scene()
    scene.group_by("alertname")
    workers: list[threading.Thread] = []

    def publish(task: str, tenant_id: object) -> None:
        if task == wakeup.INTAKE:
            workers.append(threading.Thread(target=in_thread(lambda: duties.drain_intake(scene.id))))
            workers[-1].start()

    monkeypatch.setattr(wakeup, "_publisher", lambda: publish)
    # In the caller's thread, so that the ring follows the commit at once.
    monkeypatch.setattr(wakeup, "ring", lambda task, tenant_id: wakeup.announce(task, tenant_id) and None)
    monkeypatch.setattr(duties, "LINGER_SECONDS", 0.002)
    left_behind = 0
    for number in range(60):
        scene.send(alert(f"A{number % 7}"))
        # From nothing to about as long as a drain takes: commits fall into every moment of the last look.
        time.sleep(0.0005 * (number % 20))
        if number % 10 == 9:
            for worker in workers:
                worker.join()
            workers.clear()
            left_behind += IntakeQueue.objects.filter(tenant_id=scene.id).count()
    assert left_behind == 0


def in_thread(work: Callable[[], object]) -> Callable[[], None]:
    """Work as a thread of the service does, and leave no connection behind."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    return run


def test_a_wakeup_that_meets_a_last_look_waits_for_it_and_looks_itself(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other drain has looked and found nothing, the row is committed, and only then does that drain end."""
    scene = Scene()
    has_looked, may_end = threading.Event(), threading.Event()
    monkeypatch.setattr(duties, "LINGER_SECONDS", 0.2)

    def ending_drain() -> None:
        with scene.context():
            assert try_drain(scene.id) is not None
            has_looked.set()
            may_end.wait(5)

    other = threading.Thread(target=in_thread(ending_drain))
    other.start()
    has_looked.wait(5)
    scene.send(alert())
    threading.Timer(0.05, may_end.set).start()
    assert duties.drain_intake(scene.id) == 1
    other.join()


def _before(seconds: float) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now() - %s", [timedelta(seconds=seconds)])
        return cursor.fetchone()[0]
