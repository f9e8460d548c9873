"""Thresholds that watch for lasting changes: over REST, in the admin, on the past, with the holidays of a country."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from metrics.charts.links import chart_url
from metrics.judging import live
from metrics.judging.engine import judge
from metrics.judging.fitting import fit_some
from metrics.models import Threshold
from tenants.models import User
from tests.factories import make_api, make_member
from tests.metrics.judging.world import NOW, World

pytestmark = pytest.mark.django_db
JSON = "application/json"
SETTINGS: dict[str, Any] = {"watch": ["level"], "side": "up", "least_percent": 5, "settled": 7_200, "holidays": "FR"}
BODY: dict[str, Any] = {"name": "Changed", "kind": "change", "metric": "load", "settings": SETTINGS, "paging": "earned"}


@pytest.fixture(autouse=True)
def _empty_shelf() -> Iterator[None]:
    live.shelf.clear()
    yield
    live.shelf.clear()


def make(world: World, **changes: Any) -> str:
    answer = make_api(world.tenant).client.post("/api/v1/thresholds", BODY | changes, JSON)
    assert answer.status_code == 201, answer.json()
    return str(answer.json()["id"])


def found_in() -> World:
    world = World()
    make(world)
    rng = np.random.default_rng(1)
    world.store(*rng.normal(100, 1, 600), start=-600, service="shop")
    judge(world.tenant.pk)
    assert fit_some(world.tenant.pk) == 1
    world.feed(*rng.normal(112, 1, 20), service="shop")
    return world


def test_it_is_made_and_read_as_it_was_sent() -> None:
    world = World()
    pk = make(world)
    shown = make_api(world.tenant).client.get(f"/api/v1/thresholds/{pk}").json()
    assert (shown["kind"], shown["settings"]) == ("change", SETTINGS)


@pytest.mark.parametrize(
    "settings",
    [
        {"watch": []},
        {"watch": ["mood"]},
        {"side": "left"},
        {"least_percent": -1},
        {"least_change": "much"},
        {"settled": 10},
        {"per": 1},
        {"sensitivity": 0.1},
        {"holidays": "france"},
        {"holidays": "XX"},
        {"above": 3},
    ],
)
def test_what_means_nothing_is_refused(settings: dict[str, Any]) -> None:
    answer = make_api(World().tenant).client.post("/api/v1/thresholds", BODY | {"settings": settings}, JSON)
    assert answer.status_code == 400
    assert "settings" in str(answer.json()["errors"])


def test_a_finding_carries_both_sides_over_rest() -> None:
    world = found_in()
    (found,) = make_api(world.tenant).client.get("/api/v1/findings").json()["results"]
    assert (found["kind"], found["why"]["change"], found["told_because"]) == ("change", "level", "not_earned")
    assert found["expected"] == pytest.approx(100, abs=1)
    assert found["value"] == pytest.approx(112, abs=1)


def test_a_backtest_shows_what_a_larger_least_change_would_have_left_out() -> None:
    world = found_in()
    with world.context():
        pk = Threshold.objects.get().pk
    body = {"changes": {"settings": SETTINGS | {"least_percent": 30}}}
    answer = make_api(world.tenant).client.post(f"/api/v1/thresholds/{pk}/backtest", body, JSON)
    assert answer.status_code == 200, answer.json()
    said = answer.json()
    assert (said["alerts_now"], said["alerts_changed"], said["alerts_were"]) == (1, 0, 1)
    (alert,) = said["subjects"][0]["now"]["alerts"]
    assert alert["peak"] == pytest.approx(114, abs=2)


def test_its_page_says_in_the_readers_language_what_changed_and_draws_it() -> None:
    world = found_in()
    reader = make_member(world.tenant, "responder")
    User.objects.filter(pk=reader.pk).update(locale="de")
    browser = Client()
    browser.force_login(reader)
    page = browser.get(reverse("admin:metrics_finding_change", args=[world.finding().pk]))
    assert "Das Niveau von load" in page.context["title"]
    assert "geändert" in page.context["title"]
    names = [str(name) for name, _text in page.context["reasons"]]
    assert names[:4] == ["vorher", "nachher", "geändert seit", "durch Zufall"]
    picture = Client().get(f"/api/{chart_url(world.finding()).partition('/api/')[2]}")
    assert picture.content.startswith(b"\x89PNG")


def test_it_is_made_in_the_admin_with_help_beside_its_settings() -> None:
    world = World()
    browser = Client()
    browser.force_login(make_member(world.tenant, "owner"))
    page = browser.get(reverse("admin:metrics_threshold_add"))
    assert "least_percent" in page.context["step_help"]["change"]["example"]
    body = {
        "name": "Changed", "kind": "change", "metric": "load", "matchers": "", "hold": "0s", "recover": "0s",
        "settings": page.context["step_help"]["change"]["example"], "severity": "20", "paging": "earned", "labels": "",
        "runbook_url": "", "is_active": "on",
    }  # fmt: skip
    answer = browser.post(reverse("admin:metrics_threshold_add"), body)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    with world.context():
        assert Threshold.objects.get().kind == "change"
        past = reverse("admin:metrics_threshold_backtest", args=[Threshold.objects.get().pk])
    assert browser.get(past).status_code == 200


def test_another_tenant_sees_nothing_of_it() -> None:
    world = found_in()
    assert make_api().client.get("/api/v1/findings").json()["results"] == []
    assert world.finding().began_at.timestamp() == pytest.approx(NOW, abs=61)
