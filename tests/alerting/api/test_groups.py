"""Groups over REST: reading and acting."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerting.models import Alert, AlertGroup
from tenants.context import tenant_context
from tenants.isolation import new_id
from tenants.models import AuditEntry
from tests.factories import Api, make_api, make_member

pytestmark = pytest.mark.django_db
URL = "/api/v1/groups"
JSON = "application/json"


@pytest.fixture
def api() -> Api:
    return make_api()


def make_group(api: Api, **fields: object) -> AlertGroup:
    values = {
        "key": new_id().bytes,
        "labels": {"alertname": "Disk"},
        "title": "Disk",
        "severity": 20,
        "firing_count": 1,
    }
    with tenant_context(api.tenant.pk):
        group = AlertGroup.objects.create(**(values | fields))
        Alert.objects.create(
            fingerprint=new_id().bytes,
            status="firing",
            severity=20,
            labels=group.labels,
            annotations={},
            starts_at=timezone.now(),
            group=group,
        )
    return group


def act(api: Api, group: AlertGroup, name: str, **body: object):
    return api.client.post(f"{URL}/{group.pk}/{name}", body, JSON)


def kinds(api: Api, group: AlertGroup) -> list[str]:
    return [event["kind"] for event in api.client.get(f"{URL}/{group.pk}/timeline").json()["results"]]


def test_a_group_is_acknowledged_and_let_go(api: Api) -> None:
    group = make_group(api)
    taken = act(api, group, "acknowledge", reason="mine")
    assert taken.status_code == 200, taken.json()
    assert (taken.json()["status"], taken.json()["acknowledged_by"][:4]) == ("acknowledged", "test")
    assert act(api, group, "unacknowledge").json()["status"] == "firing"
    assert kinds(api, group) == ["acknowledged", "unacknowledged"]
    with tenant_context(api.tenant.pk):
        assert AuditEntry.objects.filter(action="alertgroup.acknowledged", reason="mine").exists()


def test_a_resolved_group_cannot_be_acknowledged(api: Api) -> None:
    group = make_group(api)
    assert act(api, group, "resolve").json()["status"] == "resolved"
    answer = act(api, group, "acknowledge")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_group_is_given_to_a_member_only(api: Api) -> None:
    group, member = make_group(api), make_member(api.tenant, "responder")
    stranger = make_member(make_api().tenant, "responder")
    assert act(api, group, "assign", username=member.username).json()["assigned_to"] == member.username
    assert act(api, group, "assign", username=stranger.username).status_code == 400
    assert act(api, group, "assign", username=None).json()["assigned_to"] is None


def test_comments_stand_in_the_timeline(api: Api) -> None:
    group = make_group(api)
    assert act(api, group, "comment", text="looking").status_code == 200
    assert act(api, group, "comment", text="  ").status_code == 400
    (event,) = api.client.get(f"{URL}/{group.pk}/timeline").json()["results"]
    assert event["data"] == {"text": "looking"}


def test_a_group_is_silenced_by_its_labels(api: Api) -> None:
    group = make_group(api)
    ends_at = (timezone.now() + timedelta(hours=1)).isoformat()
    made = act(api, group, "silence", ends_at=ends_at, comment="known")
    assert made.status_code == 201, made.json()
    assert {"name": "alertname", "op": "=", "value": "Disk"} in made.json()["matchers"]
    assert act(api, group, "silence", ends_at="2020-01-01T00:00:00Z", comment="known").status_code == 400


def test_groups_are_filtered(api: Api) -> None:
    make_group(api, title="Disk on db1", labels={"team": "a"}, severity=40)
    make_group(api, title="CPU on web1", labels={"team": "b"}, status="resolved")

    def found(query: str) -> list[str]:
        return [row["title"] for row in api.client.get(f"{URL}?{query}").json()["results"]]

    assert found("status=firing") == ["Disk on db1"]
    assert found("severity_min=error") == ["Disk on db1"]
    assert found("q=cpu") == ["CPU on web1"]
    assert found("matcher=" + quote('team=~"a|c"')) == ["Disk on db1"]
    assert api.client.get(f"{URL}?muted=true").status_code == 400


@pytest.mark.parametrize("name", ["acknowledge", "unacknowledge", "resolve", "assign", "comment", "silence"])
def test_a_group_of_another_tenant_cannot_be_acted_on(api: Api, name: str) -> None:
    theirs = make_group(make_api())
    assert act(api, theirs, name, text="x", username=None).status_code == 404


@pytest.mark.parametrize("name", ["acknowledge", "resolve", "comment", "assign", "silence"])
def test_acting_needs_its_scope(api: Api, name: str) -> None:
    reader = make_api(api.tenant, scopes=["alerts:read"])
    assert act(reader, make_group(api), name).status_code == 403


def test_the_list_takes_the_same_statements_however_long(api: Api) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.client.get(URL).status_code == 200
        return len(captured)

    member = make_member(api.tenant, "responder")
    make_group(api, assigned_to=member)
    statements()
    few = statements()
    for _number in range(5):
        make_group(api, assigned_to=member)
    assert statements() == few


def test_the_past_says_which_groups_were_alike_and_how_long_they_lasted(api: Api) -> None:
    opened = timezone.now() - timedelta(hours=2)
    over = make_group(
        api, status="resolved", firing_count=0, opened_at=opened, resolved_at=opened + timedelta(minutes=10)
    )
    still_open = make_group(api, opened_at=opened)
    answer = api.client.get(f"{URL}/{make_group(api).pk}/advice")
    assert answer.status_code == 200, answer.content
    lasted = {one["id"]: one["lasted"] for one in answer.json()["similar"]}
    assert lasted == {str(over.pk): 600.0, str(still_open.pk): None}
