"""The past speaks for a detector where people acted on trouble that it would have found too."""

from datetime import timedelta

import numpy as np
import pytest

from alerting import lifecycle
from alerting.models import AlertGroup
from metrics.judging.engine import judge
from metrics.judging.states import moment
from metrics.models import Threshold
from metrics.trust.evidence import gather
from metrics.trust.verdicts import precision_of
from tests.alerting.scenes import Scene, alert
from tests.metrics.judging.world import NOW, World

pytestmark = pytest.mark.django_db


def scene() -> tuple[World, Scene]:
    """Three days of calm with two outages, each of which somebody else's alert told of as it began."""
    world = World()
    minutes = 3 * 1_440
    values = 100 + np.random.default_rng(4).normal(0, 1, minutes)
    values[-400:-390] = 300
    values[-8:-1] = 300
    world.store(*values, start=60 - minutes, service="shop")
    judge(world.tenant.pk)
    scene = Scene(world.tenant)
    scene.route()
    return world, scene


def test_what_people_acted_on_speaks_for_it_and_what_they_ignored_against_it() -> None:
    world, other = scene()
    threshold = world.threshold(kind="adaptive", settings={"method": "band"}, paging="earned")
    other.feed(alert("Shop down", service="shop", starts_at=moment(NOW + 53 * 60)))
    assert gather(world.tenant.pk)
    with world.context():
        assert Threshold.objects.get().evidence["useful"] == 0
        assert Threshold.objects.get().evidence["noise"] == 1
        group = AlertGroup.objects.get()
        lifecycle.acknowledge(other.principal, group.pk)
        Threshold.objects.update(evidence={})
    assert gather(world.tenant.pk)
    assert not gather(world.tenant.pk)
    with world.context():
        found = Threshold.objects.get().evidence
        assert (found["useful"], found["noise"]) == (1, 0)
        precision = precision_of({threshold.pk})[threshold.pk]
    assert (precision.useful, precision.noise, precision.is_enough) == (0.5, 0.0, False)


def test_trouble_elsewhere_says_nothing() -> None:
    world, other = scene()
    world.threshold(kind="adaptive", settings={"method": "band"}, paging="earned", hold=timedelta(0))
    other.feed(alert("Mail down", service="mail", starts_at=moment(NOW + 53 * 60)))
    assert gather(world.tenant.pk)
    with world.context():
        found = Threshold.objects.get().evidence
    assert (found["useful"], found["noise"]) == (0, 0)
