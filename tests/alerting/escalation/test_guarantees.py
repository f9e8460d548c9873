"""What must hold whatever happens: steps are taken once, nothing is lost, and the auditor sees it when something is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from alerting import lifecycle
from alerting.auditor import audit
from alerting.escalation.stepping import step_due
from alerting.models import Escalation, Timer
from alerting.retention import clean_up
from channels.delivery import ending
from channels.models import Delivery, DeliveryState
from tests.alerting.escalation.scenes import Call, level, member_target
from tests.alerting.scenes import alert, at

WORKERS = 4


def test_many_workers_take_each_step_once(committed_db: None) -> None:
    call = Call()
    call.group_by("alertname")
    call.routed(level(0, member_target(call.person("ann"))), level(30, member_target(call.person("bob"))))
    call.feed(*(alert(f"Down{number}", severity="critical") for number in range(40)))
    call.flush()
    gate = Barrier(WORKERS)

    def work(_number: int) -> int:
        gate.wait()
        try:
            return sum(iter(lambda: step_due(call.id, 7), 0))
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        done = sum(pool.map(work, range(WORKERS)))
    assert done == 40
    assert call.called() == ["ann"] * 40
    assert len({one.source_id for one in call.deliveries()}) == 40


def test_acknowledging_failing_and_stepping_at_once_never_lock_each_other(committed_db: None) -> None:
    call = Call()
    call.group_by("alertname")
    call.routed(level(0, member_target(call.person("ann"))), *[level(0, member_target(call.person("bob")))] * 5)
    call.feed(*(alert(f"Down{number}", severity="critical") for number in range(12)))
    call.flush()
    call.step()
    Timer.objects.filter(tenant_id=call.id, kind="escalation").update(due_at=at(-1))
    groups, deliveries = [one.pk for one in call.groups()], [one.pk for one in call.deliveries()]
    gate = Barrier(3)

    def run(deed: object) -> None:
        gate.wait()
        try:
            deed()  # type: ignore[operator]
        finally:
            connection.close()

    def acknowledge() -> None:
        for group in groups:
            lifecycle.acknowledge(call.principal, group)

    def fail() -> None:
        for delivery in deliveries:
            with call.context(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM delivery_queue WHERE delivery_id = %s FOR UPDATE", [delivery])
                ending.end([delivery], DeliveryState.EXPIRED, "too late")

    def step() -> None:
        for _round in range(10):
            step_due(call.id, 3)

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(run, deed) for deed in (acknowledge, fail, step)]:
            done.result(timeout=60)
    call.step()
    with call.context():
        assert set(Escalation.objects.values_list("state", flat=True)) == {"acknowledged"}
    assert not Timer.objects.filter(tenant_id=call.id, kind="escalation").exists()


@pytest.mark.django_db
def test_the_auditor_finds_a_lost_timer_and_a_lost_call() -> None:
    call = Call()
    call.routed(level(0, member_target(call.person("ann"))), level(30, member_target(call.person("bob"))))
    call.feed(alert(severity="critical"))
    call.flush()
    call.step()
    names = {"escalations_without_timer", "calls_without_delivery"}

    def found() -> set[str]:
        return {one.name for one in audit(call.id) if one.count} & names

    assert found() == set()
    Timer.objects.filter(tenant_id=call.id, kind="escalation").delete()
    with call.context():
        Delivery.objects.all().delete()
    assert found() == names


@pytest.mark.django_db
def test_what_ended_long_ago_goes_with_its_notices() -> None:
    call = Call()
    call.routed(level(0, member_target(call.person("ann"))))
    call.feed(alert(severity="critical"))
    call.flush()
    call.step()
    lifecycle.resolve(call.principal, call.group().pk)
    clean_up()
    assert call.escalation().state == "ended"
    with call.context():
        Escalation.objects.update(ended_at=at(0) - timedelta(days=91))
    clean_up()
    assert call.notices() == []
    with call.context():
        assert not Escalation.objects.exists()
