"""Lasting changes: found as they come, told with before and after, over when undone or usual."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerting.models import Alert
from alerting.pipeline.drain import drain
from metrics.judging import live
from metrics.judging.engine import judge
from metrics.judging.fitting import fit_some
from metrics.models import DetectorState, Threshold
from metrics.trust import verdicts
from tenants.principal import system
from tests.metrics.judging.world import World, minute

pytestmark = pytest.mark.django_db
PAST = 600
Course = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(autouse=True)
def _empty_shelf() -> Iterator[None]:
    live.shelf.clear()
    yield
    live.shelf.clear()


def calm(count: int, *, level: float = 100.0, seed: int = 7) -> np.ndarray:
    return level + np.random.default_rng(seed).normal(0, 1, count)


def watched(
    count: int = 1, kind: str = "gauge", past: np.ndarray | None = None, unit: str = "", **settings: object
) -> World:
    """A tenant whose series have ten hours of calm past and a watch for changes each."""
    world = World()
    paging = settings.pop("paging", "earned")
    world.threshold(kind="change", settings=settings, paging=paging)
    for number in range(count):
        values = calm(PAST, seed=number) if past is None else past
        world.store(*values, start=-len(values), kind=kind, unit=unit, host=f"h{number}")
    judge(world.tenant.pk)
    while fit_some(world.tenant.pk):
        pass
    return world


def test_a_new_level_is_found_with_what_was_before_and_after() -> None:
    world = watched()
    world.feed(*calm(10), host="h0")
    assert world.findings() == []
    world.feed(*calm(10, level=110), start=10, host="h0")
    found = world.finding()
    assert (found.kind, found.unit, found.why["change"]) == ("change", "", "level")
    assert found.expected == pytest.approx(100, abs=0.5)
    assert found.value == pytest.approx(110, abs=1)
    assert minute(found.began_at) == 10
    assert 11 <= minute(found.raised_at) <= 15
    assert found.score is not None
    assert found.score > 1
    assert found.why["probability"] < 1e-5
    assert found.confidence > 0.9
    assert found.why["season"] == "none"
    assert (found.is_told, found.told_because) == (False, "not_earned")


@pytest.mark.parametrize(
    ("course", "what", "unit", "before", "after"),
    [
        (lambda at: 100 + 0.3 * at, "trend", "ms/h", 0, 18),
        (lambda at: 100 + 6 * np.where(at % 2, 1, -1), "variance", "ms", 1, 6),
    ],
)
def test_a_trend_is_told_by_the_hour_and_a_spread_by_its_deviation(
    course: Course, what: str, unit: str, before: float, after: float
) -> None:
    world = watched(unit="ms")
    world.feed(*(course(np.arange(90.0)) + calm(90, level=0)), host="h0", unit="ms")
    found = world.findings()[0]
    assert (found.why["change"], found.unit) == (what, unit)
    assert found.expected == pytest.approx(before, abs=2)
    assert found.value == pytest.approx(after, rel=0.3)


def test_it_is_over_when_it_is_undone() -> None:
    world = watched()
    world.feed(*calm(20, level=110), *calm(20), host="h0")
    found = world.finding()
    assert found.ended_because == "returned"
    assert 20 < minute(found.ended_at) < 30


def test_it_is_over_once_it_counts_as_usual() -> None:
    world = watched(settled=1_200)
    world.feed(*calm(50, level=110), host="h0")
    found = world.finding()
    assert found.ended_because == "settled"
    assert minute(found.ended_at) - minute(found.raised_at) == pytest.approx(20, abs=1)
    world.feed(*calm(9, level=110), start=50, host="h0")
    assert len(world.findings()) == 1


@pytest.mark.parametrize(
    "settings",
    [{"watch": ["trend"]}, {"side": "down"}, {"least_change": 20}, {"least_percent": 15}],
)
def test_what_is_not_asked_for_is_not_told(settings: dict[str, object]) -> None:
    world = watched(**settings)
    world.feed(*calm(30, level=110), host="h0")
    assert world.findings() == []


def test_a_counter_is_watched_by_its_change_a_second() -> None:
    grown = np.cumsum(60 * calm(PAST + 30, level=5, seed=3).clip(0))
    world = watched(kind="counter", past=grown[:PAST])
    faster = grown[PAST - 1] + np.cumsum(60 * calm(30, level=15, seed=4))
    world.feed(*faster, kind="counter", host="h0")
    found = world.finding()
    assert found.expected == pytest.approx(5, abs=0.5)
    assert found.value == pytest.approx(15, abs=1)


def test_what_comes_back_every_day_is_no_change() -> None:
    at = np.arange(-4 * 1_440, 60)
    wave = 30 * np.sin((at - at[0]) / 1_440 * 2 * np.pi)
    course = wave + calm(len(at))
    world = watched(past=course[:-60])
    world.feed(*course[-60:], host="h0")
    assert world.findings() == []
    world.feed(
        *(30 * np.sin((np.arange(60, 100) - at[0]) / 1_440 * 2 * np.pi) + calm(40, level=112)), start=60, host="h0"
    )
    found = world.finding()
    assert found.why["season"] == "daily"
    assert found.value - found.expected == pytest.approx(12, abs=2)


def test_another_process_goes_on_with_a_change_that_stands() -> None:
    one, other = watched(), watched()
    course = [*calm(12, level=110), *calm(12)]
    for start in range(0, 24, 4):
        for world in (one, other):
            world.feed(*course[start : start + 4], start=start, host="h0")
        for key in [key for key in live.shelf.kept if key[0] == other.tenant.pk]:
            del live.shelf.kept[key]
    first, second = one.finding(), other.finding()
    assert (first.raised_at, first.ended_at, first.value) == (second.raised_at, second.ended_at, second.value)
    assert first.ended_because == "returned"


def test_a_season_learned_anew_ends_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    world = watched()
    world.feed(*calm(12, level=110), host="h0")
    with world.context():
        before = DetectorState.objects.get()
    with monkeypatch.context() as patched:
        patched.setattr("metrics.judging.fitting.REGROW_AFTER", -1.0)
        assert fit_some(world.tenant.pk, limit=1) == 1
    with world.context():
        after = DetectorState.objects.get()
    assert (after.model_kind, after.model_until) == ("change", before.model_until)
    assert after.fitted_at > before.fitted_at
    assert len(bytes(after.model)) < 24_000
    world.feed(*calm(4, level=110), start=12, host="h0")
    assert world.finding().ended_at is None


def test_the_number_of_statements_does_not_grow_with_the_series() -> None:
    few, many = watched(2), watched(24)
    counts = []
    for world, hosts in ((few, 2), (many, 24)):
        for number in range(hosts):
            world.store(*calm(12, level=110), host=f"h{number}")
        with CaptureQueriesContext(connection) as found:
            judge(world.tenant.pk)
        counts.append(len(found))
        assert len(world.findings()) == hosts
    assert counts[0] == counts[1]


def test_what_may_page_is_an_alert_that_says_what_changed_and_resolves() -> None:
    world = watched(paging="always")
    world.feed(*calm(12, level=110), host="h0")
    assert drain(world.tenant.pk)
    with world.context():
        alert = Alert.objects.get()
    assert alert.labels["finding_kind"] == "change"
    assert (alert.annotations["change"], alert.annotations["direction"]) == ("level", "above")
    assert float(alert.annotations["expected"]) == pytest.approx(100, abs=1)
    world.feed(*calm(20), start=12, host="h0")
    drain(world.tenant.pk)
    with world.context():
        alert.refresh_from_db()
    assert alert.status == "resolved"
    assert alert.annotations["ended_because"] == "returned"


def test_verdicts_earn_the_right_to_page() -> None:
    world = watched()
    principal = system(world.tenant.pk)
    for number in range(5):
        world.feed(*calm(6, level=110), *calm(6), start=number * 12, host="h0")
    with world.context():
        for found in world.findings():
            verdicts.give(principal, found, "useful")
        assert Threshold.objects.get().adjustment == pytest.approx(0.05)
    world.feed(*calm(6, level=110), start=60, host="h0")
    assert (world.findings()[-1].is_told, world.findings()[-1].told_because) == (True, "earned")
