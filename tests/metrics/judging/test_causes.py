"""What moved before a finding is named in it; what did not is not."""

import numpy as np
import pytest

from metrics.judging.causes import seek_late
from metrics.judging.engine import judge
from metrics.models import Finding
from tests.metrics.judging.world import World

pytestmark = pytest.mark.django_db
MINUTES = 26 * 60


def scene() -> World:
    """Latencies that follow a queue by five minutes, and two series that have nothing to do with it."""
    world = World()
    draw = np.random.default_rng(11)
    queue = draw.normal(50, 2, MINUTES + 60)
    queue[MINUTES + 20 :] += 80
    latency = 100 + draw.normal(0, 3, MINUTES + 60)
    latency[MINUTES + 25 :] += 150
    for metric, values in (
        ("queue_depth", queue),
        ("latency", latency),
        ("temperature", draw.normal(20, 1, MINUTES + 60)),
        ("logins", draw.normal(500, 20, MINUTES + 60)),
    ):
        world.store(*values[: MINUTES + 40], start=-MINUTES, metric=metric, service="shop")
    return world


def test_what_moved_before_it_is_named() -> None:
    world = scene()
    world.threshold("Slow", metric="latency", settings={"above": 200})
    judge(world.tenant.pk)
    found = world.finding()
    assert [cause["metric"] for cause in found.causes] == ["queue_depth"]
    assert 120 <= found.causes[0]["lead_seconds"] <= 480


def test_what_is_only_shown_is_looked_at_later_and_once() -> None:
    world = scene()
    world.threshold("Slow", metric="latency", settings={"above": 200}, paging="never")
    judge(world.tenant.pk)
    assert world.finding().causes == []
    assert seek_late(world.tenant.pk) == 1
    assert [cause["metric"] for cause in world.finding().causes] == ["queue_depth"]
    with world.context():
        Finding.objects.update(causes=[])
    assert seek_late(world.tenant.pk) == 0
