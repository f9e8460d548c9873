"""How many statements the pipeline needs does not grow with the batch, however much a tenant has configured."""

from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerting.decoding import NativeAlert
from alerting.enrichment.registry import kinds, step_class
from alerting.lifecycle import acknowledge
from alerting.models import EnrichmentStep, InhibitionRule, MaintenanceWindow, Scoring, ScoringModel, Silence
from alerting.scoring import latest, learning
from metrics.models import Series, Threshold
from tests.alerting.scenes import Scene, alert, at

pytestmark = pytest.mark.django_db
TRANSACTION = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


def fleet(count: int, start: int = 0, **fields: object) -> list[NativeAlert]:
    """Alerts of many hosts; every label that a rule of the full house looks at is there."""
    return [
        alert(
            "Down",
            host=f"host-{number}",
            rack=f"rack-{number // 4}",
            env="prod" if number % 2 else "test",
            job="node",
            service="checkout",
            instance=f"host-{number}.zone-{number % 3}.example.org",
            mode=("loud", "silenced", "inhibited", "maintained")[number % 4],
            **fields,
        )
        for number in range(start, start + count)
    ]


def mix(count: int, start: int) -> list[NativeAlert]:
    """New ones, ended ones, raised ones and repeats."""
    tenth = count // 10
    return [
        *fleet(tenth, 2000 + start),
        *fleet(tenth, start, status="resolved"),
        *fleet(tenth, start + tenth, severity="critical"),
        *fleet(count - 3 * tenth, start + 2 * tenth),
    ]


def only(mode: str) -> list[dict[str, str]]:
    return [{"name": "mode", "op": "=~", "value": f"{mode}|never"}]


def mutes() -> None:
    """Several of each kind that mute, and several that just miss."""
    for number in range(4):
        Silence.objects.create(
            matchers=only("silenced") if number else [{"name": "host", "op": "=", "value": "elsewhere"}],
            starts_at=at(-10),
            ends_at=at(60 + number),
            comment=f"silence {number}",
        )
        InhibitionRule.objects.create(
            name=f"inhibition {number}",
            source_matchers=[{"name": "alertname", "op": "=", "value": "RegionDown"}],
            target_matchers=only("inhibited"),
            equal=["env"] if number else ["job"],
        )
        MaintenanceWindow.objects.create(
            name=f"window {number}",
            matchers=only("maintained"),
            start_date=date(2026, 1, 1),
            start_time=time(0),
            duration=timedelta(hours=23, minutes=59),
            rrule="FREQ=DAILY",
        )


def enrichments() -> None:
    """One step of each kind there is, by its own example."""
    for position, kind in enumerate(kinds()):
        EnrichmentStep.objects.create(
            name=kind, kind=kind, position=position, settings=dict(step_class(kind).example), matchers=[]
        )


def thresholds() -> None:
    series = Series.objects.create(metric="lag", labels={"job": "node"}, label_hash=b"\x07" * 16)
    assert series.pk
    for number in range(3):
        Threshold.objects.create(name=f"lag {number}", metric="lag", settings={"above": 10 + number}, labels={})


@pytest.fixture
def full() -> Scene:
    """A tenant with a past that scoring has learned from, and some of everything that can be configured."""
    latest.forget()
    scene = Scene()
    child = scene.channel("pager")
    root = scene.route(scene.channel())
    scene.route(child, parent=root, name="prod", matchers=[{"name": "env", "op": "=", "value": "prod"}])
    scene.group_by("rack")
    scene.policy(scoring=Scoring.ANNOTATE, ignored_labels=["pod"])
    scene.run(*fleet(700))
    for group in scene.groups()[:60]:
        acknowledge(scene.principal, group.pk)
    scene.run(*fleet(300, 400, status="resolved"))
    assert learning.learn(scene.id) == len(ScoringModel.Kind)
    latest.forget()
    with scene.context():
        mutes()
        enrichments()
        thresholds()
    scene.run(alert("RegionDown", env="prod", job="node"))
    scene.feed(*fleet(700))
    scene.hurry()
    scene.flush()
    return scene


def drained(scene: Scene, alerts: list[NativeAlert]) -> list[str]:
    scene.send(*alerts)
    with CaptureQueriesContext(connection) as queries:
        result = scene.drain()
    assert result.alerts == len(alerts)
    return [query["sql"] for query in queries if not query["sql"].startswith(TRANSACTION)]


def test_500_alerts_of_a_full_house_cost_as_many_statements_as_50(full: Scene) -> None:
    full.feed(*fleet(1))  # the first reads the configuration anew and keeps it
    few, lots = drained(full, mix(50, 0)), drained(full, mix(500, 60))
    more = {sql[:120] for sql in lots} ^ {sql[:120] for sql in few}
    assert len(few) == len(lots) <= 25, sorted(more)
    newest = full.alerts(labels__host="host-2061")[0]
    assert newest.scores
    assert newest.labels["host"] == "host-2061"
    assert {one["name"] for one in newest.enrichment} >= {"business_hours", "lookup", "ownership"}


def test_a_flush_of_a_full_house_costs_the_same_for_5_groups_as_for_100(full: Scene) -> None:
    def flushed(count: int, start: int) -> int:
        full.feed(*fleet(count * 4, start))
        with CaptureQueriesContext(connection) as queries:
            full.flush()
        return len([query for query in queries if not query["sql"].startswith(TRANSACTION)])

    flushed(1, 5000)
    few = flushed(5, 6000)
    assert flushed(100, 7000) == few
    muted = {(one.muted_by or [{}])[0].get("kind") for one in full.alerts(labels__rack="rack-1760")}
    assert muted == {None, "silence", "inhibition", "maintenance"}
