"""The route tree over REST."""

import uuid

import pytest

from alerting.models import Route
from tenants.context import tenant_context
from tests.factories import Api, make_api

pytestmark = pytest.mark.django_db
URL = "/api/v1/routes"
JSON = "application/json"
MATCHER = {"name": "team", "op": "=", "value": "a"}


@pytest.fixture
def api() -> Api:
    return make_api()


def post(api: Api, url: str = URL, **body: object):
    return api.client.post(url, body, JSON)


def make_root(api: Api) -> str:
    response = post(api, parent=None, name="root")
    assert response.status_code == 201, response.json()
    return response.json()["id"]


def test_a_tree_is_made_read_and_changed(api: Api) -> None:
    root = make_root(api)
    made = post(api, parent=root, name="team a", matchers=[MATCHER], group_wait=5, position=3)
    assert made.status_code == 201, made.json()
    url = f"{URL}/{made.json()['id']}"
    changed = api.client.patch(url, {"group_wait": None, "repeat_interval": 3600}, JSON)
    assert changed.status_code == 200, changed.json()
    found = api.client.get(url + "/").json()
    assert (found["group_wait"], found["repeat_interval"], found["position"]) == (None, 3600, 3)
    assert found["matchers"] == [MATCHER]
    assert [row["name"] for row in api.client.get(URL).json()["results"]] == ["root", "team a"]


def test_matchers_may_be_text(api: Api) -> None:
    made = post(api, parent=make_root(api), name="x", matchers='{team="a"}')
    assert made.json()["matchers"] == [MATCHER]


def test_a_circle_is_refused(api: Api) -> None:
    root = make_root(api)
    upper = post(api, parent=root, name="upper").json()["id"]
    lower = post(api, parent=upper, name="lower").json()["id"]
    answer = api.client.patch(f"{URL}/{upper}", {"parent": lower}, JSON)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/parent"]
    with tenant_context(api.tenant.pk):
        assert str(Route.objects.get(pk=upper).parent_id) == root


def test_a_second_root_is_refused(api: Api) -> None:
    make_root(api)
    assert post(api, parent=None, name="other").status_code == 400


def test_the_root_cannot_be_deleted(api: Api) -> None:
    root = make_root(api)
    answer = api.client.delete(f"{URL}/{root}")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_route_with_children_cannot_be_deleted_before_them(api: Api) -> None:
    upper = post(api, parent=make_root(api), name="upper").json()["id"]
    lower = post(api, parent=upper, name="lower").json()["id"]
    assert api.client.delete(f"{URL}/{upper}").status_code == 409
    assert api.client.delete(f"{URL}/{lower}").status_code == 204
    assert api.client.delete(f"{URL}/{upper}").status_code == 204


def test_channels_are_set_as_a_whole(api: Api) -> None:
    webhook = {"name": "hook", "kind": "webhook", "settings": {"url": "https://example.org/x"}}
    webhook["credentials"] = {"secrets": ["whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVg=="]}
    channel = api.client.post("/api/v1/channels", webhook, JSON)
    assert channel.status_code == 201, channel.json()
    made = post(api, parent=None, name="root", channels=[channel.json()["id"]])
    assert made.json()["channels"] == [channel.json()["id"]]
    emptied = api.client.patch(f"{URL}/{made.json()['id']}", {"channels": []}, JSON)
    assert emptied.json()["channels"] == []


def test_a_foreign_channel_does_not_exist(api: Api) -> None:
    answer = post(api, parent=None, name="root", channels=[str(uuid.uuid4())])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/channels/0"


def test_an_expression_outside_re2_is_pointed_at(api: Api) -> None:
    matchers = [MATCHER, {"name": "env", "op": "=~", "value": "(?=a)"}]
    answer = post(api, parent=make_root(api), name="x", matchers=matchers)
    assert answer.json()["errors"][0]["pointer"] == "/matchers/1/value"


def test_unknown_fields_are_refused(api: Api) -> None:
    answer = post(api, parent=None, name="root", groupwait=5)
    assert answer.json()["errors"][0]["pointer"] == "/groupwait"


@pytest.mark.parametrize("value", [-1, 1.5, "5", True, 10**18, 3601])
def test_timers_are_whole_seconds_within_bounds(api: Api, value: object) -> None:
    assert post(api, parent=None, name="root", group_wait=value).status_code == 400


def test_a_change_based_on_an_older_state_is_refused(api: Api) -> None:
    url = f"{URL}/{make_root(api)}"
    tag = api.client.get(url).headers["ETag"]
    assert api.client.patch(url, {"name": "one"}, JSON, headers={"If-Match": tag}).status_code == 200
    assert api.client.patch(url, {"name": "two"}, JSON, headers={"If-Match": tag}).status_code == 412


def test_the_list_takes_the_same_statements_however_long(api: Api, django_assert_num_queries) -> None:
    root = make_root(api)

    def statements() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            assert api.client.get(URL).status_code == 200
        return len(captured)

    few = statements()
    for number in range(5):
        post(api, parent=root, name=f"r{number}")
    assert statements() == few
