"""The SMS plan over REST, and what a preview tells of an SMS."""

import json
from typing import Any

import pytest
from django.test import Client

from channels.models import Channel, SmsMessage, SmsPlan
from tenants.context import tenant_context
from tenants.models import AuditEntry
from tests.channels.deliveries import put
from tests.factories import Api, make_api, make_key

pytestmark = pytest.mark.django_db
URL, JSON = "/api/v1/sms-plan", "application/json"


@pytest.fixture
def api() -> Api:
    return make_api()


def patch(api: Api, **values: Any) -> Any:
    return api.client.patch(URL, json.dumps(values), content_type=JSON)


def test_the_plan_has_defaults_until_it_is_changed(api: Api) -> None:
    shown = api.client.get(URL).json()
    assert (shown["per_number_hourly"], shown["monthly_budget"], shown["currency"]) == (20, None, "EUR")
    assert shown["used"] == {"last_hour": 0, "messages": 0, "segments": 0, "cost": "0.0000"}
    changed_plan = patch(api, monthly_budget="50.00", prices={"AT": "0.07"})
    assert changed_plan.status_code == 200
    assert api.client.get(URL).json()["monthly_budget"] == "50.00"
    with tenant_context(api.tenant.pk):
        assert SmsPlan.objects.get().prices == {"AT": "0.07"}
        assert AuditEntry.objects.filter(action__startswith="smsplan").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("per_number_hourly", 0),
        ("hourly", -1),
        ("reserve_percent", 101),
        ("monthly_budget", "-1"),
        ("price", "NaN"),
        ("prices", {"Austria": "1"}),
        ("prices", {"AT": "much"}),
        ("currency", "euro"),
        ("used", {}),
    ],
)
def test_a_wrong_plan_is_refused_by_field(api: Api, field: str, value: Any) -> None:
    answer = patch(api, **{field: value})
    assert answer.status_code in {400, 422}
    assert field in answer.content.decode()


def test_what_was_used_is_shown_to_its_tenant_alone(api: Api) -> None:
    with tenant_context(api.tenant.pk):
        channel = Channel.objects.create(name="phones", kind="sms")
    (delivery,) = put(channel, recipient="+436641234567")
    with tenant_context(api.tenant.pk):
        SmsMessage.objects.create(delivery_id=delivery, number="+436641234567", code="1", segments=2, cost="0.16")
    assert api.client.get(URL).json()["used"] == {"last_hour": 1, "messages": 1, "segments": 2, "cost": "0.1600"}
    assert make_api().client.get(URL).json()["used"]["messages"] == 0


def test_the_plan_needs_the_permission(api: Api) -> None:
    reader = Api(api.tenant, make_key(api.tenant, ["config:read"]))
    assert reader.client.get(URL).status_code == 200
    assert patch(reader, hourly=5).status_code == 403
    assert Client().get(URL).status_code == 401


def preview(api: Api, **parts: str) -> dict[str, str]:
    body = {"kind": "sms", "parts": parts}
    answer = api.client.post("/api/v1/templates/preview", json.dumps(body), content_type=JSON)
    assert answer.status_code == 200
    found: dict[str, str] = answer.json()["notes"]
    return found


def test_a_preview_tells_segments_and_cost(api: Api) -> None:
    patch(api, price="0.09")
    notes = preview(api)
    assert notes["Size"].startswith("1 segment, GSM-7, ")
    assert notes["Estimated cost"] == "0.0900 EUR"
    assert notes["As it goes out"].startswith("CRITICAL: Disk almost full")
    long = preview(api, text="x" * 400)
    assert long["Size"].startswith("1 segment")
    assert long["Note"] == "Shortened to one segment; the template alone would take 3."
    assert preview(api, text="Диск " * 8)["Size"].startswith("1 segment, UCS-2")
