"""Thresholds on entities over REST and in the admin, their findings in words, and their backtest."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from PIL import Image

from alerting import lifecycle
from alerting.models import Alert, AlertGroup, TimelineEvent
from metrics.backtest import compare
from metrics.charts.course import courses_of
from metrics.charts.drawing import PART, WIDTH
from metrics.charts.links import chart_url
from metrics.entities import stored
from metrics.entities.fitting import fit_tenant
from metrics.ingest import SeriesPoints
from metrics.judging.causes import causes_of
from metrics.judging.engine import judge
from metrics.judging.rules import rule_of
from metrics.judging.states import moment
from metrics.models import Series, Threshold
from metrics.trust.evidence import gather
from metrics.trust.verdicts import precision_of
from tenants.models import User
from tests.alerting.scenes import Scene, alert
from tests.factories import make_api, make_member
from tests.metrics.entities.test_entities import METRICS, PAST, apart, feed, values, world_of
from tests.metrics.house import send
from tests.metrics.judging.world import NOW, World

pytestmark = pytest.mark.django_db
JSON = "application/json"
BODY: dict[str, Any] = {
    "name": "Together",
    "kind": "entity",
    "settings": {"metrics": list(METRICS), "on": ["service"], "step": 120},
}


def test_an_entity_is_watched_by_a_threshold_made_over_rest() -> None:
    world = World()
    answer = make_api(world.tenant).client.post("/api/v1/thresholds", BODY, JSON)
    assert answer.status_code == 201, answer.json()
    with world.context():
        assert rule_of(Threshold.objects.get()).metrics == sorted(METRICS)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"settings": {"metrics": ["cpu"]}}, "settings"),
        ({"settings": {"metrics": ["cpu", "cpu"]}}, "settings"),
        ({"settings": {"metrics": ["cpu", "load"], "step": 90}}, "settings"),
        ({"settings": {"metrics": ["cpu", "load"], "sensitivity": 0.1}}, "settings"),
        ({"metric": "cpu"}, "metric"),
    ],
)
def test_what_cannot_be_watched_is_refused_at_its_field(changes: dict[str, Any], field: str) -> None:
    answer = make_api(World().tenant).client.post("/api/v1/thresholds", BODY | changes, JSON)
    assert answer.status_code == 400, answer.json()
    assert field in str(answer.json()["errors"])


def test_a_finding_says_in_the_readers_language_what_does_not_fit() -> None:
    stored.forget()
    world = world_of("shop")
    fit_tenant(world.tenant.pk)
    apart(world, 0)
    reader = make_member(world.tenant, "responder")
    User.objects.filter(pk=reader.pk).update(locale="de")
    browser = Client()
    browser.force_login(reader)
    page = browser.get(reverse("admin:metrics_finding_change", args=[world.finding().pk]))
    assert "passen nicht wie üblich zusammen: " in page.context["title"]
    assert "cpu 65" in page.context["title"]
    # Each metric that makes it is drawn by its name, the loudest first, with what was usual for it.
    titles = [chart["title"] for chart in page.context["charts"]]
    assert {title.partition("{")[0] for title in titles[:2]} == {"cpu", "requests"}
    assert all(title in page.content.decode() for title in titles)


def test_the_picture_shows_each_metric_that_makes_a_finding() -> None:
    stored.forget()
    world = world_of("shop")
    fit_tenant(world.tenant.pk)
    with world.context():
        Series.objects.filter(metric="cpu").update(unit="percent")
    apart(world, 0)
    finding = world.finding()
    with world.context():
        courses = courses_of(finding, NOW + 3_600)
    count = len(finding.why["metrics"])
    assert [course.title.partition("{")[0] for course in courses] == [one["metric"] for one in finding.why["metrics"]]
    assert next(course.unit for course in courses if course.title.startswith("cpu")) == "percent"
    assert all(len(course.at) and course.high is not None for course in courses)
    answer = Client().get(chart_url(finding).removeprefix(settings.PUBLIC_BASE_URL))
    assert Image.open(BytesIO(answer.content)).size == (WIDTH, PART * count)


def test_a_counter_is_drawn_by_its_change_a_second() -> None:
    stored.forget()
    world = world_of("shop")
    fit_tenant(world.tenant.pk)
    apart(world, 0)
    with world.context():
        Series.objects.filter(metric="cpu").update(kind="counter", unit="seconds")
        courses = courses_of(world.finding(), NOW + 3_600)
    drawn = next(course for course in courses if course.title.startswith("cpu"))
    assert drawn.unit == "seconds/s"
    assert np.nanmax(drawn.value) < 2


def test_what_moved_with_an_entity_is_its_cause_and_its_own_metrics_are_not() -> None:
    stored.forget()
    world = world_of("shop")
    fit_tenant(world.tenant.pk)
    # Everything that is CPU's follows a queue by five minutes, for long enough to tell.
    count, chance = PAST + 40, np.random.default_rng(8)
    queue = chance.normal(50, 1, count)
    queue[PAST + 5 : PAST + 35] += 80
    world.store(*queue, start=-PAST, metric="queue_depth", service="shop")
    course = values(40, 12)
    course["cpu"][10:] += 40
    for metric, one in course.items():
        world.store(*one, start=0, metric=metric, service="shop", host="a")
    judge(world.tenant.pk)
    (finding, *_others) = world.findings()
    assert [cause["metric"] for cause in finding.causes] == ["queue_depth"]


def test_two_hundred_unrelated_series_are_no_cause_of_an_entity() -> None:
    stored.forget()
    world = world_of("shop")
    fit_tenant(world.tenant.pk)
    chance = np.random.default_rng(21)
    at = NOW + np.arange(-PAST, 40) * 60.0
    noise = [
        SeriesPoints(
            f"other_{number}",
            {"service": "shop"},
            "",
            "gauge",
            at,
            np.asarray(chance.normal(50, 5, at.size), dtype=np.float64),
        )
        for number in range(200)
    ]
    send(world.tenant, *noise)
    course = values(40, 12)
    course["cpu"][10:] += 40
    for metric, one in course.items():
        world.store(*one, start=0, metric=metric, service="shop", host="a")
    judge(world.tenant.pk)
    (finding, *_others) = world.findings()
    with world.context():
        assert causes_of(finding, NOW + 3_600) == finding.causes == []


def test_the_past_speaks_for_an_entity_as_for_any_detector() -> None:
    stored.forget()
    world = world_of("shop", paging="earned")
    fit_tenant(world.tenant.pk)
    apart(world, 0)
    other = Scene(world.tenant)
    other.route()
    other.feed(alert("Shop down", service="shop", starts_at=moment(NOW + 5 * 60)))
    with world.context():
        Alert.objects.update(resolved_at=moment(NOW + 10 * 60))
        TimelineEvent.objects.filter(kind="fired").update(at=moment(NOW + 5 * 60))
        lifecycle.acknowledge(other.principal, AlertGroup.objects.get().pk)
    assert gather(world.tenant.pk)
    with world.context():
        found = Threshold.objects.get()
        assert found.evidence["useful"] >= 1
        precision = precision_of({found.pk})[found.pk]
    assert precision.useful == found.evidence["useful"] / 2


def test_a_backtest_learns_from_its_first_half_and_says_what_it_would_have_found() -> None:
    world = world_of("shop")
    apart(world, 0)
    feed(world, 5, start=6, seed=9)
    with world.context():
        answer = compare(rule_of(Threshold.objects.get()), None, NOW - 86_400, NOW + 3_600)
    (subject,) = answer.subjects
    assert dict(subject.labels) == {"service": "shop"}
    last = subject.now.found[-1]
    assert last.began == NOW + 5 * 60
    assert last.ended is not None
    assert len(subject.now.found) <= 2
