"""The quarantine over REST."""

import pytest

from alerting.models import IntakeRequest, QuarantinedAlert
from tenants.context import tenant_context
from tests.factories import Api, make_api

pytestmark = pytest.mark.django_db
URL = "/api/v1/quarantine"
JSON = "application/json"
GOOD = {"labels": {"alertname": "Disk"}, "annotations": {}}


@pytest.fixture
def api() -> Api:
    return make_api()


def quarantined(api: Api, raw: bytes = b'{"labels": {}}', **fields: object) -> QuarantinedAlert:
    errors = [{"index": 0, "pointer": "/labels", "code": "required", "message": "Give a label.", "limit": None}]
    values = {"source": "native", "item_index": 0, "raw": raw, "errors": errors}
    with tenant_context(api.tenant.pk):
        return QuarantinedAlert.objects.create(**(values | fields))


@pytest.mark.parametrize(
    ("raw", "item"),
    [
        (b'{"labels": {}}', {"labels": {}}),
        (b'{"labels": {"a": "\\ud800"}}', None),
        (b'{"metric": NaN}', None),
        (b"\xff\xfe not text", None),
        (b'{"a"', None),
    ],
)
def test_whatever_came_can_be_shown(api: Api, raw: bytes, item: object) -> None:
    found = api.client.get(f"{URL}/{quarantined(api, raw).pk}")
    assert found.status_code == 200
    assert found.json()["item"] == item
    assert found.json()["errors"][0]["pointer"] == "/labels"


def test_a_mended_alert_goes_in_once(api: Api) -> None:
    item = quarantined(api)
    answer = api.client.post(f"{URL}/{item.pk}/replay", {"alert": GOOD}, JSON)
    assert answer.status_code == 202, answer.json()
    with tenant_context(api.tenant.pk):
        assert IntakeRequest.objects.filter(pk=answer.json()["id"], accepted=1).exists()
    assert api.client.post(f"{URL}/{item.pk}/replay", {"alert": GOOD}, JSON).status_code == 409


def test_what_is_still_faulty_stays_and_is_pointed_at(api: Api) -> None:
    item = quarantined(api)
    answer = api.client.post(f"{URL}/{item.pk}/replay", {"alert": {"labels": {}}}, JSON)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"].startswith("/alert/labels")
    assert api.client.get(f"{URL}/{item.pk}").json()["state"] == "waiting"


def test_an_item_is_discarded(api: Api) -> None:
    item = quarantined(api)
    assert api.client.post(f"{URL}/{item.pk}/discard", {"reason": "noise"}, JSON).status_code == 204
    assert [row["id"] for row in api.client.get(f"{URL}?state=discarded").json()["results"]] == [str(item.pk)]
    assert api.client.get(f"{URL}?state=waiting").json()["results"] == []


@pytest.mark.parametrize("name", ["replay", "discard"])
def test_items_of_another_tenant_do_not_exist(api: Api, name: str) -> None:
    theirs = quarantined(make_api())
    assert api.client.post(f"{URL}/{theirs.pk}/{name}", {}, JSON).status_code == 404


def test_replaying_needs_its_scope(api: Api) -> None:
    reader = make_api(api.tenant, scopes=["alerts:read"])
    assert reader.client.post(f"{URL}/{quarantined(api).pk}/replay", {"alert": GOOD}, JSON).status_code == 403
