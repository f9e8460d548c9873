"""Reading series over REST, and their page in the admin."""

import time
from typing import Any

import pytest

from metrics.storage import rollups
from tests.alerting.admin.world import admin_url
from tests.factories import Api, make_api, make_member
from tests.metrics.house import only_series, points, send

pytestmark = pytest.mark.django_db
BEGIN = int(time.time()) // 3600 * 3600 - 7_200


@pytest.fixture
def api() -> Api:
    api = make_api(scopes=["alerts:read"])
    send(
        api.tenant, points([(BEGIN + 15 * place, float(place % 10)) for place in range(400)], "skip_rate", region="eu")
    )
    rollups.roll(api.tenant.pk)
    return api


def get(api: Api, path: str = "", **query: Any) -> Any:
    return api.client.get(f"/api/v1/series{path}", query)


def at(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(BEGIN + seconds))


def test_series_are_listed_and_narrowed(api: Api) -> None:
    send(api.tenant, points([(BEGIN, 1.0)], "plays", region="us"))
    found = get(api).json()["results"]
    assert [row["metric"] for row in found] == ["plays", "skip_rate"]
    assert found[1]["labels"] == {"region": "eu"}
    assert found[1]["interval"] == pytest.approx(15, rel=0.01)
    for query, names in (
        ({"metric": "plays"}, ["plays"]),
        ({"q": "RATE"}, ["skip_rate"]),
        ({"label": "region=us"}, ["plays"]),
        ({"label": ["region=us", "a=b"]}, []),
    ):
        assert [row["metric"] for row in get(api, **query).json()["results"]] == names


def test_samples_of_a_range(api: Api) -> None:
    path = f"/{only_series(api.tenant).pk}/samples"
    samples = get(api, path, since=at(0), until=at(60)).json()["samples"]
    assert samples == [[BEGIN, 0.0], [BEGIN + 15, 1.0], [BEGIN + 30, 2.0], [BEGIN + 45, 3.0]]
    assert get(api, path, since=at(60), until=at(0)).status_code == 400


def test_rollups_of_a_range_with_step_and_quantiles(api: Api) -> None:
    path = f"/{only_series(api.tenant).pk}/rollups"
    answer = get(api, path, since=at(0), until=at(300), step=150, quantile=["0.5", "1"]).json()
    assert answer["step"] == 150
    assert [(bucket["at"], bucket["count"], bucket["mean"]) for bucket in answer["buckets"]] == [
        (BEGIN, 10, 4.5),
        (BEGIN + 150, 10, 4.5),
    ]
    assert answer["buckets"][0]["quantiles"] == {"0.5": pytest.approx(4, rel=0.01), "1": pytest.approx(9, rel=0.01)}
    whole = get(api, path, since=at(0), until=at(7_200), step=3_600).json()["buckets"]
    assert [bucket["count"] for bucket in whole] == [240, 160]


@pytest.mark.parametrize(
    "query",
    [{"step": 0}, {"step": "a"}, {"quantile": "2"}, {"quantile": "nan"}, {"other": 1}, {"step": 1, "since": at(-9e6)}],
)
def test_a_query_that_makes_no_sense_is_refused(api: Api, query: dict[str, Any]) -> None:
    assert get(api, f"/{only_series(api.tenant).pk}/rollups", **query).status_code == 400


def test_a_foreign_series_does_not_exist(api: Api) -> None:
    other = make_api(scopes=["alerts:read"])
    for path in ("", "/samples", "/rollups"):
        assert get(other, f"/{only_series(api.tenant).pk}{path}").status_code == 404
    assert get(other).json()["results"] == []
    assert get(make_api(scopes=["metrics:write"])).status_code == 403


def test_the_page_of_a_series_shows_its_chart_and_its_flaws(api: Api) -> None:
    send(api.tenant, points([(BEGIN + 15, 77.0)], "skip_rate", region="eu"))
    from django.test import Client

    from metrics.models import Series

    client = Client()
    client.force_login(make_member(api.tenant, "viewer"))
    page = client.get(admin_url(Series, "change", only_series(api.tenant).pk) + "?range=1d")
    text = page.content.decode()
    assert page.status_code == 200
    assert page.context["count"] == 400
    assert "another value was there first" in text
    assert "skip_rate" in client.get(admin_url(Series, "changelist")).content.decode()
