"""The work that waits: partitions kept, pushes taken in whatever one of them holds, lost wake-ups made good."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from metrics import draining, duties
from metrics.decoding.push import Decoded
from metrics.intake import TAKE_IN, accept
from metrics.models import MetricQueue, MetricRequest, RollupDue, SamplesAside, SeriesDue
from metrics.points import pack
from metrics.storage import partitions, rollups, rows
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.principal import system
from tests.factories import make_tenant
from tests.metrics.house import only_series, points, send

pytestmark = pytest.mark.django_db
BEGIN = int(time.time()) // 3600 * 3600 - 7_200


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def push(tenant: Tenant, *pairs: tuple[float, float]) -> None:
    accept(system(tenant.pk), "push", Decoded(pack([points(pairs)]), [], 0))


def test_partitions_are_made_ahead_and_dropped_when_their_time_is_over(settings: Any) -> None:
    partitions.forget()
    partitions.make_ahead()
    tomorrow = datetime.now(UTC) + timedelta(days=2)
    found = rows.fetch("SELECT to_regclass(%s) IS NOT NULL", [f"sample_chunk_{tomorrow:%Y%m%d}"])
    assert found == [(True,)]
    old = datetime.now(UTC) - timedelta(days=60)
    partitions.ensure(partitions.SAMPLES, [old])
    partitions.ensure(partitions.MINUTES, [old])
    assert partitions.drop_old() == 1
    settings.METRICS_KEEP_MINUTES_DAYS = 30
    assert partitions.drop_old() == 1
    assert partitions.drop_old() == 0


def test_many_pushes_are_taken_in_together_and_in_their_order(tenant: Tenant) -> None:
    push(tenant, (BEGIN, 1.0))
    push(tenant, (BEGIN, 2.0), (BEGIN + 60, 2.0))
    assert draining.drain(tenant.pk) == 3
    assert draining.drain(tenant.pk) == 0
    with tenant_context(tenant.pk), connection.cursor() as cursor:
        cursor.execute("SELECT reason, samples FROM sample_flaw")
        assert cursor.fetchall() == [("conflict", 1)]


def test_a_push_that_cannot_be_taken_in_is_set_aside_and_the_others_are_not(tenant: Tenant) -> None:
    push(tenant, (BEGIN, 1.0))
    with tenant_context(tenant.pk):
        MetricRequest.objects.update(body=b"\xc1 is no MessagePack")
    push(tenant, (BEGIN + 60, 2.0))
    while draining.drain(tenant.pk):
        pass
    assert only_series(tenant).last_value == 2.0
    assert not MetricQueue.objects.exists()
    with tenant_context(tenant.pk):
        assert not MetricRequest.objects.exists()
        assert SamplesAside.objects.get().state == "waiting"


def test_what_waits_is_announced_again(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    push(tenant, (BEGIN, 1.0))
    send(make_tenant(), points([(BEGIN, 1.0), (BEGIN + 3_600, 1.0)]))
    heard: list[tuple[str, Any]] = []
    monkeypatch.setattr("alerting.wakeup.announce", lambda *call: heard.append(call))
    duties.announce_waiting()
    assert (TAKE_IN, tenant.pk) in heard
    assert duties.ROLL in {task for task, _tenant in heard}


def test_new_samples_leave_their_series_to_be_judged_from_the_oldest_on(tenant: Tenant) -> None:
    send(tenant, points([(BEGIN + 60, 1.0)]))
    send(tenant, points([(BEGIN, 1.0), (BEGIN + 120, 1.0)]))
    due = SeriesDue.objects.get(tenant_id=tenant.pk)
    assert (due.number, due.from_at.timestamp()) == (only_series(tenant).number, BEGIN)


def test_only_hours_that_are_over_or_were_changed_are_rolled_up(tenant: Tenant) -> None:
    send(tenant, points([(BEGIN, 1.0), (BEGIN + 60, 1.0)]))
    assert not RollupDue.objects.exists()
    send(tenant, points([(BEGIN + 3_600, 1.0)]))
    assert [due.hour_at.timestamp() for due in RollupDue.objects.all()] == [BEGIN]
    assert duties.roll(tenant.pk) == 1
    send(tenant, points([(BEGIN, 1.0)]))
    assert not RollupDue.objects.exists()
    send(tenant, points([(BEGIN + 30, 1.0)]))
    assert rollups.roll(tenant.pk) == 1
