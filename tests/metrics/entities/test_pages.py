"""Thresholds on entities over REST and in the admin, their findings in words, and their backtest."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from metrics.backtest import compare
from metrics.entities import stored
from metrics.entities.fitting import fit_tenant
from metrics.judging.rules import rule_of
from metrics.models import Threshold
from tenants.models import User
from tests.factories import make_api, make_member
from tests.metrics.entities.test_entities import METRICS, apart, feed, world_of
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
    # The metric that speaks loudest is drawn, with what was usual for it.
    assert page.context["chart"]


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
