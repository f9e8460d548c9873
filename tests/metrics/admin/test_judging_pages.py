"""Who may judge findings and try thresholds in the admin, and what they are told about faults."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from metrics.judging.forgetting import forget
from metrics.judging.states import moment
from metrics.models import Feedback, Finding, Threshold
from tests.factories import make_member
from tests.metrics.judging.world import NOW, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    world = World()
    world.threshold("Load", severity=30)
    world.feed(1, 50, 1, service="shop")
    return world


def client(world: World, role: str) -> Client:
    browser = Client()
    browser.force_login(make_member(world.tenant, role))
    return browser


def judge_url(world: World) -> str:
    return reverse("admin:metrics_finding_judge", args=[world.finding().pk])


def test_a_responder_judges_and_a_viewer_does_not(world: World) -> None:
    assert client(world, "viewer").post(judge_url(world), {"verdict": "useful"}).status_code == 403
    answer = client(world, "responder").post(judge_url(world), {"verdict": "noise", "note": "deployment"})
    assert answer.status_code == 302
    with world.context():
        assert Feedback.objects.values_list("verdict", "note").get() == ("noise", "deployment")


@pytest.mark.parametrize("body", [{}, {"verdict": "maybe"}])
def test_what_is_no_verdict_is_not_taken(world: World, body: dict[str, str]) -> None:
    assert client(world, "responder").post(judge_url(world), body).status_code == 404


def test_a_strangers_finding_does_not_exist(world: World) -> None:
    other = World()
    assert client(other, "owner").post(judge_url(world), {"verdict": "noise"}).status_code == 404


def backtest_url(world: World) -> str:
    with world.context():
        return reverse("admin:metrics_threshold_backtest", args=[Threshold.objects.get().pk])


def test_a_viewer_tries_and_changes_nothing(world: World) -> None:
    browser, address = client(world, "viewer"), backtest_url(world)
    assert "as it is" in browser.get(address).content.decode()
    body = {"days": "7", "settings": json.dumps({"above": 60}), "hold": "", "recover": ""}
    answer = browser.post(address, body)
    assert [row["alerts"] for row in answer.context["totals"]] == [1, 0, 1]
    with world.context():
        assert Threshold.objects.get().settings == {"above": 10}


@pytest.mark.parametrize(
    ("typed", "told"),
    [("{", "settings"), ("[]", "settings"), ('{"above": "x"}', "settings"), ('{"up": 1}', "settings")],
)
def test_faults_are_told_at_the_field(world: World, typed: str, told: str) -> None:
    body = {"days": "7", "settings": typed, "hold": "", "recover": ""}
    answer = client(world, "owner").post(backtest_url(world), body)
    assert answer.status_code == 200
    assert told in answer.context["form"].errors


def test_findings_go_when_they_are_long_over(world: World) -> None:
    assert forget(world.tenant.pk) == 0
    with world.context():
        Finding.objects.update(ended_at=moment(NOW - 401 * 86_400))
    assert forget(world.tenant.pk) == 1
    assert world.findings() == []
