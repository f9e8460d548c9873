"""Learned thresholds: warmed from the past, followed from batch to batch, dumped and taken up again."""

from collections.abc import Iterator
from typing import Any

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
    monkeypatch.setattr("metrics.judging.live.write_dumps.__kwdefaults__", {"every": 1, "most": 99})
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


def bare(world: World) -> live.Live:
    """The model in memory of a world's one series."""
    (found,) = (one for key, one in live.shelf.kept.items() if key[0] == world.tenant.pk)
    return found


@pytest.mark.parametrize("method", METHODS)
def test_a_crash_at_any_time_between_dumps_changes_no_bit(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics.judging.live.write_dumps.__kwdefaults__", {"every": 40, "most": 99})
    steady, crashing = warmed(method), warmed(method)
    draw = np.random.default_rng(3)
    minute = 0
    for _turn in range(12):
        values = (100 + draw.normal(0, 1, int(draw.integers(1, 9)))).tolist()
        for world in (steady, crashing):
            world.feed(*values, start=minute)
        minute += len(values)
        if draw.random() < 0.5:
            # All that a process had in memory is gone; the next one has the last dump and the samples.
            for key in [key for key in live.shelf.kept if key[0] == crashing.tenant.pk]:
                del live.shelf.kept[key]
    crashing.feed(100.0, start=minute)
    steady.feed(100.0, start=minute)
    assert bare(crashing).until == bare(steady).until
    assert bare(crashing).model.dump() == bare(steady).model.dump()


def test_a_slow_series_is_dumped_before_its_samples_are_too_old_to_be_replayed() -> None:
    world = warmed("band")
    world.feed(100.0)
    one, (identity,) = bare(world), [key[1] for key in live.shelf.kept if key[0] == world.tenant.pk]
    with world.context():
        assert live.write_dumps([(identity, one)]) == 0
        one.until = one.dumped_until + live.DUMP_AFTER
        assert live.write_dumps([(identity, one)]) == 1
        assert live.write_dumps([(identity, one)]) == 0


def test_models_that_are_due_together_are_dumped_turn_by_turn_the_oldest_first() -> None:
    world = warmed("band")
    world.feed(100.0)
    (identity,) = [key[1] for key in live.shelf.kept if key[0] == world.tenant.pk]
    many = [
        (identity, live.Live(bare(world).model, 1.0 + n, 0.0, None, bare(world).settings, live.DUMP_EVERY + n))
        for n in range(120)
    ]
    with world.context():
        assert live.write_dumps(many, most=70) == 70
    assert [one.undumped == 0 for _identity, one in many] == [False] * 50 + [True] * 70


def test_models_do_not_push_each_other_out_turn_by_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    world = warmed("band")
    for other in ("a", "b", "c"):
        world.store(*[100.0, 101.0] * 100, start=-300, name=other)
    judge(world.tenant.pk)
    assert fit_some(world.tenant.pk) == 3
    monkeypatch.setattr(live.shelf, "most", 0)
    monkeypatch.setattr(live.shelf, "most_packed", sum(map(len, dumps(world))) // 2)
    kept = []
    for start in range(3):
        for name in ("", "a", "b", "c"):
            world.store(100.0, start=start, **({"name": name} if name else {}))
            judge(world.tenant.pk)
        kept.append(set(live.shelf.packed))
    # Those that found room stay, whichever comes next.
    assert 0 < len(kept[0]) < 4
    assert kept[0] == kept[1] == kept[2]
    monkeypatch.setattr(live, "IDLE", -1.0)
    world.feed(100.0, start=9, name="c")
    assert set(live.shelf.packed) != kept[2]


def dumps(world: World) -> list[bytes]:
    """All stored models of a world."""
    with world.context():
        return [bytes(model) for model in DetectorState.objects.values_list("model", flat=True)]


def test_few_models_are_open_at_a_time_and_a_failure_forgets_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    world = warmed("band")
    names = ("a", "b", "c", "d")
    for name in names:
        world.store(*[100.0, 101.0] * 100, start=-300, name=name)
    judge(world.tenant.pk)
    assert fit_some(world.tenant.pk) == len(names)
    monkeypatch.setattr(live, "OPEN_AT_ONCE", 2)
    monkeypatch.setattr(live.shelf, "most", 0)
    opened: list[int] = []
    reading = live._read

    def counted(identities: list[Any]) -> Any:
        opened.append(len(live.shelf.kept) + len(identities))
        return reading(identities)

    monkeypatch.setattr(live, "_read", counted)
    for name in names:
        world.store(100.0, name=name)
    with monkeypatch.context() as broken:
        broken.setattr("metrics.judging.engine.write_outcomes", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            judge(world.tenant.pk)
    assert max(opened) == 2
    assert not live.shelf.packed
    assert judge(world.tenant.pk) == len(names)
    assert len(live.shelf.packed) == len(names)
