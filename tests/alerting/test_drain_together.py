"""Several drains and flushes of one tenant at the same time, with real commits."""

import random
import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection

from alerting.exclusive import take_turn, try_drain
from alerting.notifying import flush_due
from alerting.pipeline.drain import drain
from tenants.context import tenant_context
from tests.alerting.scenes import Scene, alert

pytestmark = pytest.mark.usefixtures("committed_db")


def together(*works: Callable[[], None]) -> None:
    """Run each in a thread of its own; an error in one is an error of the test."""
    errors: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=guarded, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert errors == []


def test_each_request_is_taken_once() -> None:
    scene = Scene()
    for number in range(40):
        scene.send(*[alert("Down", host=str(number * 5 + one)) for one in range(5)])
    new: list[int] = []

    def work() -> None:
        while True:
            result = drain(scene.id, 20)
            new.append(result.new)
            if not result.is_busy_elsewhere and not result.alerts:
                return

    together(work, work, work)
    assert sum(new) == len(scene.alerts()) == 200
    assert scene.group().firing_count == scene.group().alert_count == 200


def hold(scene: Scene, take: Callable[[UUID], object], *, release: threading.Event, held: threading.Event) -> None:
    with tenant_context(scene.id):
        take(scene.id)
        held.set()
        assert release.wait(20)


def test_a_drain_goes_away_for_another_drain() -> None:
    scene = Scene()
    scene.send(alert())
    release, held = threading.Event(), threading.Event()

    def look() -> None:
        assert held.wait(20)
        try:
            assert drain(scene.id).is_busy_elsewhere
        finally:
            release.set()

    together(lambda: hold(scene, try_drain, release=release, held=held), look)
    assert drain(scene.id).new == 1


def test_a_drain_waits_for_a_flush() -> None:
    """Nobody would come back for what it left."""
    scene = Scene()
    scene.send(alert())
    release, held = threading.Event(), threading.Event()

    def look() -> None:
        assert held.wait(20)
        threading.Timer(0.3, release.set).start()
        assert drain(scene.id).new == 1
        assert release.is_set()

    together(lambda: hold(scene, take_turn, release=release, held=held), look)


def test_drains_flushes_and_people_do_not_deadlock() -> None:
    scene = Scene()
    scene.route(scene.channel())
    scene.group_by("rack")
    for number in range(60):
        status = "resolved" if number % 3 == 2 else "firing"
        scene.send(*[alert("Down", status, host=str(one), rack=str(one % 7)) for one in random.sample(range(50), 20)])

    def drains() -> None:
        while (result := drain(scene.id, 60)).alerts or result.is_busy_elsewhere:
            pass

    def flushes() -> None:
        for _ in range(20):
            scene.hurry()
            flush_due(scene.id)

    together(drains, drains, flushes, flushes)
    scene.run()
    firing = [one for one in scene.alerts() if one.status == "firing"]
    groups = [group for group in scene.groups() if group.status != "resolved"]
    assert sum(group.firing_count for group in groups) == len(firing)
    for group in groups:
        assert group.firing_count == sum(1 for one in firing if one.group_id == group.pk)
