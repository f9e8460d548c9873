"""Bad data makes quiet alerts: the quality of a series weighs on what is found in it."""

import numpy as np
import pytest

from alerting.models import IntakeRequest
from alerting.severity import Severity
from metrics.judging.foretelling import foretell
from metrics.models import Series
from tests.metrics.judging.world import World

pytestmark = pytest.mark.django_db


def damaged(world: World) -> float:
    """A series whose values cannot be used nine times out of ten; return its quality."""
    values = np.full(600, np.nan)
    values[::10] = 1.0
    world.feed(*values, start=-600)
    with world.context():
        return Series.objects.get().quality


@pytest.mark.parametrize(("is_bad", "severity"), [(False, Severity.ERROR), (True, Severity.WARNING)])
def test_a_limit_in_bad_data_is_told_one_step_lower(is_bad: bool, severity: int) -> None:
    world = World()
    world.threshold(severity=Severity.ERROR)
    quality = damaged(world) if is_bad else 1.0
    world.feed(50.0)
    found = world.finding()
    assert (quality < 0.3) == is_bad
    assert (found.severity, found.is_told) == (severity, True)
    assert found.confidence == pytest.approx(found.quality, abs=0.001)
    assert found.quality == pytest.approx(quality, abs=0.02)


def test_what_was_learned_from_bad_data_is_noted_and_told_to_nobody() -> None:
    world = World()
    world.threshold(kind="forecast", settings={"above": 100, "horizon": 86_400})
    at = np.arange(4 * 24 * 60)
    values = 20.0 + at / at[-1] * 75.0
    world.store(*np.where(at % 3 == 0, values, np.nan), start=-len(at))
    with world.context():
        Series.objects.update(quality=0.2)
    foretell(world.tenant.pk)
    found = world.finding()
    assert (found.is_told, found.told_because) == (False, "poor_data")
    with world.context():
        assert not IntakeRequest.objects.exists()
