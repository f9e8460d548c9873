"""Silences over REST."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerting.models import Alert, Silence
from tenants.context import tenant_context
from tenants.isolation import new_id
from tests.factories import Api, make_api

pytestmark = pytest.mark.django_db
URL = "/api/v1/silences"
JSON = "application/json"
MATCHERS = [{"name": "team", "op": "=", "value": "a"}]


@pytest.fixture
def api() -> Api:
    return make_api()


def body(**changes: object) -> dict:
    ends_at = (timezone.now() + timedelta(hours=2)).isoformat()
    return {"matchers": MATCHERS, "ends_at": ends_at, "comment": "on it", **changes}


def make_alert(api: Api, *, status: str = "firing", **labels: str) -> None:
    with tenant_context(api.tenant.pk):
        now = timezone.now()
        identity = new_id().bytes
        Alert.objects.create(
            fingerprint=identity, status=status, severity=20, labels=labels, annotations={}, starts_at=now
        )


def test_a_silence_begins_now_under_the_name_of_who_made_it(api: Api) -> None:
    made = api.client.post(URL, body(), JSON)
    assert made.status_code == 201, made.json()
    assert made.json()["state"] == "active"
    assert made.json()["author"].startswith("test (")


def test_deleting_expires_and_keeps(api: Api) -> None:
    url = f"{URL}/{api.client.post(URL, body(), JSON).json()['id']}"
    assert api.client.delete(url).status_code == 204
    assert api.client.get(url).json()["state"] == "expired"
    assert api.client.delete(url).status_code == 204


def test_what_has_not_begun_is_taken_back(api: Api) -> None:
    starts_at = (timezone.now() + timedelta(hours=1)).isoformat()
    url = f"{URL}/{api.client.post(URL, body(starts_at=starts_at), JSON).json()['id']}"
    assert api.client.delete(url).status_code == 204
    assert api.client.get(url).status_code == 404


def test_silences_are_listed_by_state(api: Api) -> None:
    api.client.post(URL, body(comment="now"), JSON)
    api.client.post(URL, body(comment="later", starts_at=(timezone.now() + timedelta(hours=1)).isoformat()), JSON)
    found = {
        state: [row["comment"] for row in api.client.get(f"{URL}?state={state}").json()["results"]]
        for state in ("active", "pending", "expired")
    }
    assert found == {"active": ["now"], "pending": ["later"], "expired": []}


@pytest.mark.parametrize(
    "matchers", [[{"name": "team", "op": "=~", "value": ".*"}], [{"name": "team", "op": "!=", "value": "zzz"}]]
)
def test_muting_everything_asks_for_the_slug(api: Api, matchers: list) -> None:
    refused = api.client.post(URL, body(matchers=matchers), JSON)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/confirm"]
    wrong = api.client.post(URL, body(matchers=matchers, confirm="yes"), JSON)
    assert wrong.status_code == 400
    assert api.client.post(URL, body(matchers=matchers, confirm=api.tenant.slug), JSON).status_code == 201
    with tenant_context(api.tenant.pk):
        assert Silence.objects.count() == 1


def test_a_silence_without_matchers_is_refused_even_when_confirmed(api: Api) -> None:
    assert api.client.post(URL, body(matchers=[], confirm=api.tenant.slug), JSON).status_code == 400


def test_an_end_before_the_beginning_is_refused(api: Api) -> None:
    answer = api.client.post(URL, body(ends_at="2020-01-01T00:00:00Z"), JSON)
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/ends_at"]


def test_the_preview_counts_what_fires_and_what_fired(api: Api) -> None:
    make_alert(api, team="a", host="one")
    make_alert(api, team="a", host="two", status="resolved")
    make_alert(api, team="b")
    make_alert(make_api(), team="a")
    answer = api.client.post(f"{URL}/preview", {"matchers": 'team="a", host=~"o.*|t.*"'}, JSON)
    assert answer.status_code == 200, answer.json()
    found = answer.json()
    assert (found["now"]["count"], found["last_week"]["count"], found["mutes_everything"]) == (1, 2, False)
    assert [alert["labels"]["host"] for alert in found["now"]["alerts"]] == ["one"]


def test_a_viewer_may_look_and_preview_but_not_mute() -> None:
    viewer = make_api(scopes=["alerts:read"])
    assert viewer.client.post(f"{URL}/preview", {"matchers": MATCHERS}, JSON).status_code == 200
    assert viewer.client.post(URL, body(), JSON).status_code == 403
