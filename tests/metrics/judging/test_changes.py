"""Lasting changes: found in the stream, told with before and after, over when undone or usual, with nothing read twice."""

from collections.abc import Iterator

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerting.models import Alert
from alerting.pipeline import drain
from metrics.judging import live
from metrics.judging.engine import judge
from metrics.judging.fitting import fit_some
from metrics.models import DetectorState, Threshold
from metrics.trust import verdicts
from tenants.principal import system
from tests.metrics.judging.world import NOW, World, minute

pytestmark = pytest.mark.django_db
PAST = 600
HOUR = 60


@pytest.fixture(autouse=True)
def _empty_shelf() -> Iterator[None]:
    live.shelf.clear()
    yield
    live.shelf.clear()


def calm(count: int, *, level: float = 100.0, seed: int = 7) -> np.ndarray:
    return level + np.random.default_rng(seed).normal(0, 1, count)


def watched(count: int = 1, kind: str = "gauge", past: np.ndarray | None = None, **settings: object) -> World:
    """A tenant whose series have ten hours of calm past and a watch for changes each."""
    world = World()
    paging = settings.pop("paging", "earned")
    world.threshold(kind="change", settings=settings, paging=paging)
    for number in range(count):
        values = calm(PAST, seed=number) if past is None else past
        world.store(*values, start=-len(values), kind=kind, host=f"h{number}")
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
