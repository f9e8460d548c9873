"""Learned thresholds: warmed from the past, followed from batch to batch, dumped and taken up again."""

from collections.abc import Iterator

import numpy as np
import pytest

from metrics.judging import live
from metrics.judging.engine import judge
from metrics.judging.fitting import fit_some
from metrics.judging.learned import sensitivity_of
from metrics.judging.rules import rule_of
from metrics.models import DetectorState, MetricsPolicy, Threshold
from metrics.thresholds.conditions import Adaptive
from metrics.trust import verdicts
from tenants.principal import system
from tests.metrics.judging.world import World

pytestmark = pytest.mark.django_db
METHODS = ("band", "detector", "tail", "forest")


@pytest.fixture(autouse=True)
def _empty_shelf() -> Iterator[None]:
    live.shelf.clear()
    yield
    live.shelf.clear()


def warmed(method: str, **settings: object) -> World:
    """A tenant whose one series has three days of calm past and a fitted model."""
    world = World()
    world.threshold(kind="adaptive", settings={"method": method, **settings}, paging="earned")
    draw = np.random.default_rng(7)
    minutes = 3 * 24 * 60
    calm = 100 + 10 * np.sin(np.arange(minutes) / 1_440 * 2 * np.pi) + draw.normal(0, 1, minutes)
    world.store(*calm, start=-minutes)
    judge(world.tenant.pk)
    assert fit_some(world.tenant.pk) == 1
    assert fit_some(world.tenant.pk) == 0
    return world


@pytest.mark.parametrize("method", METHODS)
def test_what_stands_out_is_found_and_explained(method: str) -> None:
    world = warmed(method)
    world.feed(100, 101, 99, 100)
    assert world.findings() == []
    world.feed(400, start=4)
    found = world.finding()
    assert found.score is not None
    assert found.score >= 1
    assert found.value == 400
    assert found.low is not None
    assert found.high is not None
    assert found.low < 110
    assert found.high < 400
    assert found.why["features"]
    assert 0 < found.confidence <= 1
    assert (found.is_told, found.told_because) == (False, "not_earned")


@pytest.mark.parametrize("method", METHODS)
def test_another_process_goes_on_where_this_one_stood(method: str) -> None:
    one, other = warmed(method), warmed(method)
    for start in range(0, 20, 5):
        values = [100.0, 101.0, 99.0, 100.0, 300.0 if start == 15 else 101.0]
        one.feed(*values, start=start)
        for key in [key for key in live.shelf.kept if key[0] == other.tenant.pk]:
            del live.shelf.kept[key]
        other.feed(*values, start=start)
    first, second = one.finding(), other.finding()
    assert first.score == pytest.approx(second.score)
    assert (first.low, first.high) == (pytest.approx(second.low), pytest.approx(second.high))


def test_a_failed_transaction_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = warmed("detector")
    world.feed(100)
    assert live.shelf.kept
    world.store(100, start=1)
    monkeypatch.setattr("metrics.judging.engine.write_outcomes", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        judge(world.tenant.pk)
    assert not live.shelf.kept
    monkeypatch.undo()
    assert judge(world.tenant.pk) == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_was_packed_goes_on_the_same(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = warmed(method), warmed(method)
    for number, value in enumerate([100.0, 101.0, 99.0, 300.0]):
        one.feed(value, start=number)
        monkeypatch.setattr(live.shelf, "most", 0)
        other.feed(value, start=number)
        monkeypatch.undo()
        assert [key[0] for key in live.shelf.kept if key[0] == other.tenant.pk] == []
        assert live.shelf.packed_size == sum(len(one.dump) for one in live.shelf.packed.values()) > 0
    assert one.finding().score == pytest.approx(other.finding().score)


def test_models_are_dumped_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    world = warmed("band")

    def until() -> object:
        with world.context():
            return DetectorState.objects.values_list("model_until", flat=True).get()

    before = until()
    world.feed(*[100.0] * 5)
    assert until() == before
    monkeypatch.setattr("metrics.judging.live.write_dumps.__kwdefaults__", {"every": 1})
    world.feed(100.0, start=5)
    assert until() != before


def test_the_tenants_sensitivity_is_that_of_thresholds_without_their_own() -> None:
    world = warmed("band")
    with world.context():
        MetricsPolicy.objects.create(sensitivity=0.3)
        own, given = (
            rule_of(Threshold(name="x", kind="adaptive", settings=settings)) for settings in ({}, {"sensitivity": 0.6})
        )
    assert [sensitivity_of(rule.condition, 0.0) for rule in (own, given)] == [0.3, 0.6]
    world.feed(100)
    (live_one,) = (one for key, one in live.shelf.kept.items() if key[0] == world.tenant.pk)
    assert live_one.model.bands.config.sensitivity == 0.3


def test_another_method_is_fitted_anew() -> None:
    world = warmed("band")
    with world.context():
        Threshold.objects.update(settings={"method": "detector"})
    world.feed(100)
    assert fit_some(world.tenant.pk) == 1
    with world.context():
        assert DetectorState.objects.get().model_kind == "detector"
    world.feed(900, start=1)
    assert world.finding().value == 900


def test_a_side_may_be_all_that_matters() -> None:
    world = warmed("band", side="down")
    world.feed(400)
    assert world.findings() == []
    world.feed(-200, start=1)
    assert world.finding().value == -200


def test_unreadable_models_are_left_alone_until_they_are_fitted_anew() -> None:
    world = warmed("band")
    live.shelf.clear()
    with world.context():
        DetectorState.objects.update(model=b"BANDrubbish")
    assert world.feed(400) == 1
    assert world.findings() == []


def test_feedback_moves_the_sensitivity_within_bounds_and_earns_the_right_to_page() -> None:
    world = warmed("band", sensitivity=0.5, least=0.48, most=0.52)
    principal = system(world.tenant.pk)
    for number in range(6):
        world.feed(400, 100, start=number * 2)
    with world.context():
        for found in world.findings():
            verdicts.give(principal, found, "useful")
            verdicts.give(principal, found, "useful")
        threshold = found.threshold
        threshold.refresh_from_db()
        assert threshold.adjustment == pytest.approx(0.06)
        condition = Adaptive(method="band", sensitivity=0.5, least=0.48, most=0.52)
        assert sensitivity_of(condition, threshold.adjustment) == 0.52
    world.feed(400, start=20)
    found = world.findings()[-1]
    assert (found.is_told, found.told_because) == (True, "earned")


def test_a_forest_grows_anew_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    world = warmed("forest")
    with world.context():
        before = DetectorState.objects.get()
    monkeypatch.setattr("metrics.judging.fitting.REGROW_AFTER", -1.0)
    assert fit_some(world.tenant.pk, limit=1) == 1
    with world.context():
        after = DetectorState.objects.get()
    assert (before.model_kind, after.model_kind) == ("forest", "forest")
    assert after.fitted_at > before.fitted_at
