"""Every periodic task about findings is known to Celery, runs, and does its part for all tenants."""

from datetime import timedelta

import pytest

from config.celery import app
from metrics import tasks
from metrics.models import DetectorState, Finding
from tests.metrics.judging.world import World

pytestmark = pytest.mark.django_db
PERIODIC = (
    "judge",
    "look_at_clock",
    "fit_models",
    "foretell",
    "seek_causes",
    "gather_evidence",
    "forget_findings",
)


def test_beat_asks_for_all_of_them_and_nothing_unknown() -> None:
    app.loader.import_default_modules()
    asked = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert {f"metrics.tasks.{name}" for name in PERIODIC} <= asked
    assert asked <= set(app.tasks)


@pytest.mark.parametrize("name", PERIODIC)
def test_each_runs_without_any_work(name: str) -> None:
    World()
    getattr(tasks, name)()


def test_together_they_find_tell_and_forget() -> None:
    one, other = World(), World()
    for world in (one, other):
        world.threshold()
        world.threshold("Unusual", kind="adaptive", settings={"method": "band"})
        world.store(*[1.0] * 30, 50, service="shop")
    tasks.judge()
    tasks.fit_models()
    for world in (one, other):
        found = world.finding()
        assert (found.kind, found.value, found.is_told) == ("static", 50, True)
        with world.context():
            assert DetectorState.objects.get(model__isnull=False).model_kind == "band"
            Finding.objects.update(told_at=found.created_at - timedelta(minutes=6))
    tasks.look_at_clock()
    with one.context():
        assert Finding.objects.get().told_at >= found.created_at
