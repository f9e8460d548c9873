"""The corpus against the door: nothing answers 500, nothing bad is stored, good neighbours get through."""

import json
from typing import Any

import pytest

from alerting import wakeup
from alerting.decoding import Flag, decode_body
from alerting.models import IntakeRequest
from tenants.context import tenant_context
from tests.factories import Api, make_api
from tests.security import corpus

pytestmark = pytest.mark.django_db
ROUTES = ("/api/v1/alerts", "/api/v1/integrations/alertmanager/")


@pytest.fixture(autouse=True)
def door(fresh_limits: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = "tests.alerting.intake_urls"
    monkeypatch.setattr(wakeup, "ring", lambda task, tenant_id: None)


@pytest.fixture
def api() -> Api:
    return make_api()


def stored(api: Api) -> list[Any]:
    with tenant_context(api.tenant.pk):
        rows = IntakeRequest.objects.exclude(body=None).order_by("id")
        return [alert for row in rows for alert in decode_body(row.body)]


@pytest.mark.parametrize("route", ROUTES)
def test_every_bad_body_is_refused_with_its_status(api: Api, route: str) -> None:
    def call(bad: corpus.BadBody) -> int:
        response = api.client.generic("POST", route, bad.body, bad.content_type, headers=dict(bad.headers))
        assert response["Content-Type"] == "application/problem+json", bad.name
        document = response.json()
        assert document["detail"], bad.name
        assert len(response.content) < 100_000, bad.name
        return int(response.status_code)

    assert corpus.replay(call) == {}
    assert stored(api) == []


@pytest.mark.parametrize("name", corpus.BAD_ITEMS)
def test_a_bad_item_does_not_cost_its_neighbours(api: Api, name: str) -> None:
    body = corpus.batch_with(corpus.BAD_ITEMS[name])
    response = api.client.generic("POST", ROUTES[0], body, corpus.JSON)
    assert (response.status_code, response.json()["accepted"], response.json()["rejected"]) == (202, 2, 1)
    errors = response.json()["errors"]
    assert {error["index"] for error in errors} == {1}
    assert all(error["pointer"].startswith("/1") and error["message"] for error in errors)


@pytest.mark.parametrize("at", corpus.FAR_TIMES)
def test_times_far_off_are_moved_and_flagged(api: Api, at: str) -> None:
    document = corpus.alert(starts_at=at)
    assert api.client.post(ROUTES[0], document, content_type=corpus.JSON).status_code == 202
    alert = stored(api)[0]
    assert alert.flags & Flag.TIME_CLAMPED
    assert 2000 < alert.starts_at.year < 2100


@pytest.mark.parametrize("name", corpus.TEXTS)
def test_odd_texts_are_taken_without_what_hides_or_forges(api: Api, name: str) -> None:
    text = corpus.TEXTS[name]
    document = corpus.alert(annotations={"summary": text})
    document["labels"]["text"] = text
    body = json.dumps(document, ensure_ascii=False).encode()
    assert api.client.generic("POST", ROUTES[0], body, corpus.JSON).status_code == 202
    alert = stored(api)[0]
    hidden = set("\r\x1b\x7f\x85\x9b\u061c\u200e\u200f\u2028\u2029\u202e\u2066\u2069\ufeff")
    for kept in (alert.labels["text"], alert.annotations["summary"]):
        assert not hidden & set(kept)
    assert "\n" not in alert.labels["text"]
    assert bool(alert.flags & Flag.TEXT_CLEANED) == (text != alert.labels["text"])


@pytest.mark.parametrize("query", corpus.QUERIES)
def test_odd_queries_are_refused(api: Api, query: str) -> None:
    assert api.client.post(f"{ROUTES[0]}?{query}", corpus.alert(), content_type=corpus.JSON).status_code == 400
    assert api.client.get(f"/api/v1/quarantine?{query}").status_code == 400


@pytest.mark.parametrize("identifier", corpus.IDENTIFIERS)
def test_odd_identifiers_are_not_found(api: Api, identifier: str) -> None:
    assert api.client.get(f"/api/v1/intake/{identifier}").status_code == 404
    assert api.client.get(f"/api/v1/quarantine/{identifier}").status_code == 404
