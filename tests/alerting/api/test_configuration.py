"""Rules, steps, windows and the policy over REST."""

import pytest

from tenants.context import tenant_context
from tenants.models import AuditEntry
from tests.factories import Api, make_api

pytestmark = pytest.mark.django_db
JSON = "application/json"
MATCHERS = [{"name": "team", "op": "=", "value": "a"}]
WINDOW = {
    "name": "Sunday work",
    "matchers": MATCHERS,
    "start_date": "2026-01-04",
    "start_time": "02:00",
    "duration": 7200,
    "rrule": "FREQ=WEEKLY;BYDAY=SU",
    "time_zone": "Europe/Paris",
}
BODIES = {
    "grouping-rules": {"name": "by team", "matchers": MATCHERS, "group_by": ["team", "alertname"]},
    "enrichment-steps": {"name": "site", "kind": "static", "settings": {"labels": {"site": "eu"}}},
    "inhibition-rules": {
        "name": "node down",
        "source_matchers": MATCHERS,
        "target_matchers": [{"name": "env", "op": "=~", "value": "prod.*"}],
        "equal": ["node"],
    },
    "maintenance-windows": WINDOW,
}


@pytest.fixture
def api() -> Api:
    return make_api()


def pointers(answer) -> list[str]:
    assert answer.status_code == 400, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    return [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("name", BODIES)
def test_a_row_lives_and_dies_and_leaves_its_trace(api: Api, name: str) -> None:
    made = api.client.post(f"/api/v1/{name}", BODIES[name], JSON)
    assert made.status_code == 201, made.json()
    url = f"/api/v1/{name}/{made.json()['id']}"
    assert api.client.patch(url, {"name": "renamed"}, JSON).json()["name"] == "renamed"
    assert api.client.delete(url).status_code == 204
    assert api.client.get(url).status_code == 404
    with tenant_context(api.tenant.pk):
        acts = AuditEntry.objects.filter(object_id=made.json()["id"]).order_by("id").values_list("action", flat=True)
        assert [act.rpartition(".")[2] for act in acts] == ["created", "changed", "deleted"]


@pytest.mark.parametrize("name", BODIES)
def test_a_row_of_another_tenant_does_not_exist(api: Api, name: str) -> None:
    theirs = make_api().client.post(f"/api/v1/{name}", BODIES[name], JSON).json()["id"]
    url = f"/api/v1/{name}/{theirs}"
    answers = [api.client.get(url), api.client.patch(url, {"name": "x"}, JSON), api.client.delete(url)]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert api.client.get(f"/api/v1/{name}").json()["results"] == []


@pytest.mark.parametrize("name", BODIES)
def test_reading_needs_a_scope_and_writing_another(name: str) -> None:
    blind, reader = make_api(scopes=["alerts:write"]), make_api(scopes=["config:read"])
    assert blind.client.get(f"/api/v1/{name}").status_code == 403
    assert reader.client.get(f"/api/v1/{name}").status_code == 200
    assert reader.client.post(f"/api/v1/{name}", BODIES[name], JSON).status_code == 403


def test_a_window_shows_when_it_comes_next(api: Api) -> None:
    made = api.client.post("/api/v1/maintenance-windows", WINDOW, JSON).json()
    starts = [one["starts_at"] for one in made["next_occurrences"]]
    assert len(starts) == 5
    assert starts == sorted(starts)
    assert all(start[11:16] in {"00:00", "01:00"} for start in starts)  # 02:00 in Paris


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"rrule": "FREQ=SECONDLY"}, "/rrule"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"duration": 0}, "/duration"),
        ({"matchers": []}, "/matchers"),
        ({"start_date": "0001-01-01"}, "/start_date"),
        ({"rrule": "FREQ=DAILY", "duration": 86_400}, "/duration"),
    ],
)
def test_a_window_that_cannot_be_is_refused(api: Api, change: dict, pointer: str) -> None:
    assert pointers(api.client.post("/api/v1/maintenance-windows", WINDOW | change, JSON)) == [pointer]


def test_an_unknown_kind_of_enrichment_is_refused(api: Api) -> None:
    body = BODIES["enrichment-steps"] | {"kind": "magic"}
    assert pointers(api.client.post("/api/v1/enrichment-steps", body, JSON)) == ["/kind"]


def test_settings_of_a_step_are_judged_by_its_kind(api: Api) -> None:
    body = BODIES["enrichment-steps"] | {"settings": {"labels": {"not a name!": "x"}}}
    assert pointers(api.client.post("/api/v1/enrichment-steps", body, JSON)) == ["/settings"]


def test_an_inhibition_rule_needs_both_sides(api: Api) -> None:
    body = BODIES["inhibition-rules"] | {"source_matchers": []}
    assert pointers(api.client.post("/api/v1/inhibition-rules", body, JSON)) == ["/source_matchers"]


def test_every_label_stands_alone_in_a_grouping_rule(api: Api) -> None:
    body = BODIES["grouping-rules"] | {"group_by": ["...", "team"]}
    assert pointers(api.client.post("/api/v1/grouping-rules", body, JSON)) == ["/group_by"]


def test_the_policy_is_there_before_it_was_ever_set(api: Api) -> None:
    assert api.client.get("/api/v1/policy").json()["stale_after"] == 900
    changed = api.client.patch("/api/v1/policy", {"stale_after": 1200, "ignored_labels": ["pod"]}, JSON)
    assert changed.status_code == 200, changed.json()
    found = api.client.get("/api/v1/policy").json()
    assert (found["stale_after"], found["ignored_labels"]) == (1200, ["pod"])


def test_flapping_must_be_able_to_end(api: Api) -> None:
    answer = api.client.patch("/api/v1/policy", {"flap_enter": 4, "flap_leave": 4}, JSON)
    assert pointers(answer) == ["/flap_leave"]


def test_pages_follow_each_other(api: Api) -> None:
    for number in range(5):
        api.client.post("/api/v1/grouping-rules", {"name": f"rule {number}"}, JSON)
    names, url = [], "/api/v1/grouping-rules?limit=2"
    while url:
        page = api.client.get(url).json()
        names += [row["name"] for row in page["results"]]
        url = page["next"]
    assert names == [f"rule {number}" for number in range(5)]


@pytest.mark.parametrize(
    "query", ["order=name", "limit=0", "limit=x", "cursor=abc", "page=2", "ordering=-name", "format=xml"]
)
def test_odd_query_strings_are_named(api: Api, query: str) -> None:
    answer = api.client.get(f"/api/v1/grouping-rules?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["detail"]
