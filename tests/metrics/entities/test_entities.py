"""Entities from their samples to alerts: fitted in the background, judged with new samples, over by themselves."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from alerting.decoding import decode_body
from alerting.models import IntakeRequest
from metrics.entities import fitting, stored
from metrics.entities.fitting import fit_next, fit_tenant
from metrics.judging import clock
from metrics.judging.engine import judge
from metrics.models import DetectorState, Feedback, MetricsPolicy, Series, Threshold
from metrics.trust import verdicts
from tenants.principal import system
from tests.metrics.judging.world import NOW, World

pytestmark = pytest.mark.django_db
METRICS = ("cpu", "latency", "requests")
PAST = 1_440


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    stored.forget()
    yield
    stored.forget()


def values(count: int, seed: int) -> dict[str, np.ndarray]:
    """CPU takes half of what there is to do; latency is on its own."""
    chance = np.random.default_rng(seed)
    requests = chance.normal(100, 15, count)
    return {
        "cpu": 0.5 * requests + chance.normal(0, 1, count),
        "latency": chance.lognormal(3, 0.3, count),
        "requests": requests,
    }


def feed(world: World, count: int, *, start: int, seed: int = 1, service: str = "shop", **last: float) -> None:
    """Samples of all metrics of one service, judged together; `last` replaces the last values."""
    for metric, course in values(count, seed).items():
        if metric in last:
            course[-1] = last[metric]
        world.store(*course, start=start, metric=metric, service=service, host="a")
    judge(world.tenant.pk)


def world_of(*services: str, **fields: Any) -> World:
    """A tenant with a day of calm past, and a threshold for its services."""
    world = World()
    settings = {"metrics": list(METRICS), "on": ["service"]} | fields.pop("settings", {})
    world.threshold(kind="entity", metric="", settings=settings, **fields)
    for service in services:
        feed(world, PAST, start=-PAST, service=service)
    return world


@pytest.fixture
def world() -> World:
    found = world_of("shop")
    assert fit_tenant(found.tenant.pk) == 1
    return found


def apart(world: World, start: int) -> None:
    """A minute in which CPU is far too busy for what there is to do, then one that lets it be judged."""
    feed(world, 5, start=start, seed=3, cpu=65.0, requests=75.0)
    feed(world, 1, start=start + 5, seed=4, cpu=50.0, requests=100.0)


def test_metrics_that_part_become_a_finding_that_says_which_and_an_alert(world: World) -> None:
    feed(world, 10, start=0, seed=2)
    assert world.findings() == []
    apart(world, 10)
    found = world.finding()
    assert (found.kind, found.series, found.labels) == ("entity", None, {"service": "shop"})
    assert found.metric == "cpu + latency + requests"
    assert found.score is not None
    assert found.score >= 1
    assert found.value is None
    assert {one["metric"] for one in found.why["metrics"][:2]} == {"cpu", "requests"}
    busy = next(one for one in found.why["metrics"] if one["metric"] == "cpu")
    assert busy["value"] == pytest.approx(65.0)
    assert busy["usual"] == pytest.approx(50.0, abs=2)
    assert found.why["features"]
    assert found.is_told


def test_it_is_over_by_itself_and_the_alert_says_the_same(world: World) -> None:
    apart(world, 0)
    assert world.finding().ended_at is None
    feed(world, 3, start=6, seed=5)
    found = world.finding()
    assert found.ended_because == "recovered"
    with world.context():
        began, over = (decode_body(bytes(row.body))[0] for row in IntakeRequest.objects.order_by("id"))
    assert (began.status, over.status) == ("firing", "resolved")
    assert began.labels == over.labels
    assert began.labels["service"] == "shop"
    assert "cpu 65" in began.annotations["summary"]


def test_samples_that_come_series_by_series_are_judged_once_all_are_there(world: World) -> None:
    feed(world, 5, start=0, seed=2)
    for metric, number in (("requests", 75.0), ("latency", 20.0)):
        world.feed(number, 100.0, start=5, metric=metric, service="shop", host="a")
    assert world.findings() == []
    world.feed(65.0, 50.0, start=5, metric="cpu", service="shop", host="a")
    assert world.finding().began_at.timestamp() == NOW + 6 * 60


def test_a_metric_that_falls_silent_keeps_the_others_from_nothing(world: World) -> None:
    feed(world, 5, start=0, seed=2)
    for start in range(5, 15):
        world.feed(65.0, start=start, metric="cpu", service="shop", host="a")
        world.feed(75.0, start=start, metric="requests", service="shop", host="a")
    assert world.finding().why["metrics"]


def test_each_entity_is_judged_by_its_own_past() -> None:
    world = world_of("shop", "search")
    assert fit_tenant(world.tenant.pk) == 2
    apart(world, 0)
    feed(world, 6, start=0, seed=6, service="search")
    assert [one.labels for one in world.findings()] == [{"service": "shop"}]
    with world.context():
        assert DetectorState.objects.filter(model_kind="entity", series=None).count() == 2


def test_nothing_is_judged_before_a_model_is_there_and_too_little_is_tried_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.threshold(kind="entity", metric="", settings={"metrics": list(METRICS), "on": ["service"]})
    feed(world, 100, start=-100)
    assert fit_next(world.tenant.pk)
    assert not fit_next(world.tenant.pk)
    apart(world, 0)
    assert world.findings() == []
    with world.context():
        assert DetectorState.objects.get().model_kind == "too_little"
    feed(world, PAST, start=-PAST)
    monkeypatch.setattr(fitting, "RETRY_AFTER", -1.0)
    assert fit_next(world.tenant.pk)
    with world.context():
        assert DetectorState.objects.get().model_kind == "entity"


def test_another_process_judges_alike(world: World) -> None:
    other = world_of("shop")
    fit_tenant(other.tenant.pk)
    apart(world, 0)
    for start in range(4):
        feed(other, 1, start=start, seed=20 + start)
    stored.forget()
    apart(other, 0)
    assert other.finding().score == pytest.approx(world.finding().score, rel=0.2)


def test_a_model_that_cannot_be_read_is_no_model(world: World) -> None:
    with world.context():
        DetectorState.objects.update(model=b"something else")
    apart(world, 0)
    assert world.findings() == []


def test_models_grow_old(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not fit_next(world.tenant.pk)
    monkeypatch.setattr(fitting, "REFIT_AFTER", -1.0)
    with world.context():
        before = DetectorState.objects.get().fitted_at
    assert fit_next(world.tenant.pk)
    with world.context():
        assert DetectorState.objects.get().fitted_at > before


def test_sensitivity_is_the_tenants_unless_given_and_feedback_moves_it() -> None:
    quiet = world_of("shop", settings={"sensitivity": 0.0, "least": 0.0})
    fit_tenant(quiet.tenant.pk)
    feed(quiet, 5, start=0, seed=3, cpu=58.5, requests=100.0)
    feed(quiet, 2, start=5, seed=4)
    assert quiet.findings() == []

    world = world_of("shop")
    with world.context():
        MetricsPolicy.objects.create(sensitivity=1.0)
    fit_tenant(world.tenant.pk)
    feed(world, 5, start=0, seed=3, cpu=58.5, requests=100.0)
    feed(world, 2, start=5, seed=4)
    found = world.finding()
    with world.context():
        verdicts.give(system(world.tenant.pk, "test"), found, "noise")
        assert Feedback.objects.count() == 1
        assert Threshold.objects.get().adjustment < 0


def test_it_earns_the_right_to_alert() -> None:
    world = world_of("shop", paging="earned")
    fit_tenant(world.tenant.pk)
    apart(world, 0)
    found = world.finding()
    assert (found.is_told, found.told_because) == (False, "not_earned")
    with world.context():
        assert not IntakeRequest.objects.exists()


def test_what_sends_nothing_any_more_is_over(world: World) -> None:
    apart(world, 0)
    with world.context():
        Series.objects.update(last_at="2020-01-01T00:00Z")
    clock.look(world.tenant.pk)
    assert world.finding().ended_because == "no_data"


def test_no_tenant_sees_the_models_of_another(world: World) -> None:
    other = World()
    with other.context():
        assert not DetectorState.objects.exists()
    assert fit_tenant(other.tenant.pk) == 0
