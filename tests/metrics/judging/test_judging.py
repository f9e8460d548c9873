"""Samples come in, findings begin and end, and alerts about them go through the same door as everybody's."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from alerting.decoding.alert import NativeAlert, decode_body
from alerting.models import IntakeRequest
from metrics.ingest import SeriesPoints
from metrics.judging import engine
from metrics.judging.engine import judge
from metrics.models import DetectorState, SeriesDue
from tests.metrics.house import send
from tests.metrics.judging.world import NOW, World, minute

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World()


def alerts(world: World) -> list[NativeAlert]:
    with world.context():
        return [alert for row in IntakeRequest.objects.order_by("id") for alert in decode_body(row.body)]


def test_a_crossing_is_found_told_and_over(world: World) -> None:
    world.threshold(hold=timedelta(minutes=2), severity=40)
    world.feed(1, 11, 12, service="shop")
    assert world.findings() == []
    world.feed(13, start=3, service="shop")
    found = world.finding()
    assert (minute(found.began_at), minute(found.raised_at), found.value, found.limit) == (1, 3, 13, 10)
    world.feed(5, start=4, service="shop")
    assert world.finding().ended_because == "recovered"
    told = alerts(world)
    assert [one.status for one in told] == ["firing", "resolved"]
    assert told[0].labels == told[1].labels
    assert told[0].labels == {
        "alertname": "Load", "threshold": "Load", "metric": "load", "finding_kind": "static", "service": "shop",
    }  # fmt: skip
    assert (told[0].severity, told[0].metric_value, told[0].annotations["threshold"]) == (40, 13, "10")
    assert "load (service=shop) is at 13, above the limit of 10" in told[0].annotations["summary"]


def test_what_is_calm_leaves_nothing_behind(world: World) -> None:
    world.threshold()
    assert world.feed(1, 2, 3) == 1
    with world.context():
        assert not DetectorState.objects.exists()
        assert not SeriesDue.objects.filter(tenant_id=world.tenant.pk).exists()
    assert world.feed() == 0


def test_waits_are_remembered_from_batch_to_batch(world: World) -> None:
    world.threshold(hold=timedelta(minutes=3), recover=timedelta(minutes=2))
    for number, value in enumerate([11, 11, 11, 11, 1, 1, 1]):
        world.feed(value, start=number)
    found = world.finding()
    assert (minute(found.raised_at), minute(found.ended_at)) == (3, 6)
    with world.context():
        assert not DetectorState.objects.exists()


def test_a_late_sample_does_not_tell_twice(world: World) -> None:
    world.threshold()
    world.feed(1, 11, 1, 1)
    world.store(2, start=0.5)
    assert judge(world.tenant.pk) == 1
    assert len(world.findings()) == 1


def test_history_alarms_nobody(world: World) -> None:
    world.threshold()
    world.feed(*([50.0] * 10), start=-6 * 60)
    assert world.findings() == []


def test_only_matching_series_are_judged(world: World) -> None:
    world.threshold(matchers=[{"name": "env", "op": "=", "value": "prod"}])
    world.feed(50, env="test")
    world.feed(50, env="prod")
    assert world.finding().labels == {"env": "prod"}


def test_a_database_that_is_away_costs_no_series_its_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.threshold()
    world.store(1.0, 20.0)

    def away(turn: object) -> int:
        raise OperationalError("away")

    with monkeypatch.context() as patched:
        patched.setattr(engine, "judge_turn", away)
        assert engine.judge_all() == 0
    assert not world.findings()
    assert engine.judge_all() == 1
    assert world.finding().value == 20.0


def test_statements_do_not_grow_with_series(world: World) -> None:
    world.threshold()
    world.threshold("Rate", kind="rate", settings={"above": 1e9, "over": 300})

    def statements(count: int, start: int) -> int:
        at = NOW + np.array([start, start + 1]) * 60.0
        send(
            world.tenant,
            *(SeriesPoints("load", {"n": str(n)}, "", "gauge", at, np.array([1.0, 20.0])) for n in range(count)),
        )
        with CaptureQueriesContext(connection) as captured:
            assert judge(world.tenant.pk) == count
        return len(captured)

    few, many = statements(3, 0), statements(60, 10)
    assert len(world.findings()) == 3 + 60
    # The second round also closes what the first one opened.
    assert many <= few + 8


def test_a_ratio_is_that_of_sums_over_shared_labels(world: World) -> None:
    world.threshold(
        metric="errors", kind="ratio", settings={"above": 0.1, "divide_by": "requests", "on": ["service"], "least": 10}
    )
    for service, errors in (("shop", 3.0), ("mail", 0.1)):
        world.store(20, 20, metric="requests", service=service, node="a")
        world.store(*[errors] * 2, metric="errors", service=service, node="a")
    judge(world.tenant.pk)
    found = world.finding()
    assert (found.labels, found.value, found.unit) == ({"service": "shop"}, 0.15, "ratio")


def test_a_counter_is_judged_by_its_rate(world: World) -> None:
    world.threshold(metric="requests_total", kind="rate", settings={"below": 1.0, "over": 120})
    world.feed(600, 1_200, 1_800, 30, 45, metric="requests_total", kind="counter")
    found = world.finding()
    assert minute(found.raised_at) == 3
    # Within two minutes only the restart is seen: 30 in one minute.
    assert found.value == pytest.approx(30 / 60)


def test_this_week_against_the_last(world: World) -> None:
    world.threshold(kind="comparison", settings={"below": -30.0, "over": 600})
    week = -7 * 24 * 60
    world.store(*[100.0] * 20, start=week)
    world.feed(*[95.0] * 5, start=10)
    assert world.findings() == []
    world.feed(*[5.0] * 10, start=15)
    found = world.finding()
    assert found.unit == "percent"
    assert found.value is not None
    assert found.value < -30


def test_several_conditions_have_to_be_met_together(world: World) -> None:
    parts: list[dict[str, Any]] = [
        {"metric": "latency", "settings": {"above": 2}},
        {"metric": "queue", "settings": {"above": 100}},
    ]
    world.threshold(metric="", kind="composite", settings={"need": "all", "on": ["service"], "parts": parts})
    world.store(3, 3, 3, 3, metric="latency", service="shop")
    judge(world.tenant.pk)
    assert world.findings() == []
    world.store(50, 150, 150, 50, metric="queue", service="shop")
    judge(world.tenant.pk)
    found = world.finding()
    assert (found.labels, minute(found.raised_at), minute(found.ended_at)) == ({"service": "shop"}, 1, 3)


def test_two_tenants_are_strangers() -> None:
    one, other = World(), World()
    one.threshold()
    other.feed(50)
    one.feed(1)
    assert other.findings() == []
    assert one.findings() == []
