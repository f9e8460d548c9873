"""Shared limits, numbers without SMS and paused addresses over REST."""

import json
from typing import Any
from uuid import uuid4

import pytest

from channels.mail import pausing
from channels.models import PausedAddress, SharedLimit, SmsOptOut
from channels.sms import opting_out
from tenants.context import tenant_context
from tenants.models import AuditEntry
from tests.channels.deliveries import make_channel
from tests.factories import Api, make_api

pytestmark = pytest.mark.django_db
LIMITS, OPT_OUTS, JSON = "/api/v1/shared-limits", "/api/v1/sms-opt-outs", "application/json"
TWILIO = {"to": ["+436641234567"], "sender": "+15005550006", "account_sid": "AC" + "0" * 32}


@pytest.fixture
def api() -> Api:
    return make_api()


@pytest.fixture
def limit(api: Api) -> SharedLimit:
    with tenant_context(api.tenant.pk):
        return SharedLimit.objects.create(key="slack:123", kind="slack", detail="123", usual_per_minute=300, tokens=7.5)


def send(api: Api, method: str, url: str, **values: Any) -> Any:
    return getattr(api.client, method)(url, json.dumps(values), content_type=JSON)


class TestLimits:
    def test_a_rate_is_changed_and_nothing_else(self, api: Api, limit: SharedLimit) -> None:
        answer = send(api, "patch", f"{LIMITS}/{limit.pk}", rate_per_minute=30)
        assert answer.status_code == 200
        assert (answer.json()["rate_per_minute"], answer.json()["usual_per_minute"]) == (30, 300)
        [shown] = api.client.get(LIMITS).json()["results"]
        assert (shown["kind"], shown["detail"], shown["is_whole_tenant"]) == ("slack", "123", False)
        with tenant_context(api.tenant.pk):
            assert SharedLimit.objects.get().tokens == 7.5
            assert AuditEntry.objects.filter(action__startswith="sharedlimit").count() == 1

    @pytest.mark.parametrize("values", [{"rate_per_minute": 0}, {"rate_per_minute": "many"}, {"kind": "email"}])
    def test_what_is_no_rate_is_refused(self, api: Api, limit: SharedLimit, values: Any) -> None:
        assert send(api, "patch", f"{LIMITS}/{limit.pk}", **values).status_code in {400, 422}

    def test_limits_come_about_by_themselves(self, api: Api, limit: SharedLimit) -> None:
        assert send(api, "post", LIMITS, rate_per_minute=1).status_code == 405
        assert api.client.delete(f"{LIMITS}/{limit.pk}").status_code == 405


class TestOptOuts:
    def test_a_number_is_put_on_the_list_and_taken_off(self, api: Api) -> None:
        channel = make_channel(api.tenant, "sms", settings=TWILIO)
        made = send(api, "post", OPT_OUTS, channel=str(channel.pk), number="+43 664 1234567")
        assert made.status_code == 201, made.json()
        assert made.json()["number"] == "+436641234567"
        assert made.json()["source"], "who put it there"
        assert send(api, "post", OPT_OUTS, channel=str(channel.pk), number="+436641234567").status_code in {400, 409}
        assert api.client.delete(f"{OPT_OUTS}/{made.json()['id']}").status_code == 204
        with tenant_context(api.tenant.pk):
            assert not SmsOptOut.objects.exists()

    def test_what_readers_wrote_themselves_is_found_by_number(self, api: Api) -> None:
        channel = make_channel(api.tenant, "sms", settings=TWILIO)
        with tenant_context(api.tenant.pk):
            opting_out.mark({(channel.pk, "+436641234567"): "STOP", (channel.pk, "+436641234568"): "STOP"})
        found = api.client.get(OPT_OUTS, {"number": "+436641234568", "channel": str(channel.pk)}).json()["results"]
        assert [(one["number"], one["source"]) for one in found] == [("+436641234568", "STOP")]

    def test_wrong_ones_are_refused_by_field(self, api: Api) -> None:
        other = make_channel(api.tenant, "webhook")
        sms = make_channel(api.tenant, "sms", settings=TWILIO)
        for field, values in {
            "number": {"channel": str(sms.pk), "number": "0664"},
            "channel": {"channel": str(other.pk), "number": "+436641234567"},
        }.items():
            answer = send(api, "post", OPT_OUTS, **values)
            assert answer.status_code in {400, 422}
            assert field in answer.content.decode()
        assert send(api, "post", OPT_OUTS, channel=str(uuid4()), number="+436641234567").status_code in {400, 422}


class TestPausedAddresses:
    URL = "/api/v1/paused-addresses"

    def test_they_are_seen_with_their_reason_and_taken_off(self, api: Api) -> None:
        with tenant_context(api.tenant.pk):
            for name in ("olga", "bob"):
                pausing.pause(f"{name}@example.com", PausedAddress.Why.BOUNCED, "550 no such user")
        assert len(api.client.get(self.URL).json()["results"]) == 2
        [shown] = api.client.get(self.URL, {"address": "Olga@example.com"}).json()["results"]
        assert (shown["why"], shown["detail"]) == ("bounced", "550 no such user")
        assert api.client.delete(f"{self.URL}/{shown['id']}").status_code == 204
        with tenant_context(api.tenant.pk):
            assert [row.address for row in PausedAddress.objects.all()] == ["bob@example.com"]
            [entry] = AuditEntry.objects.filter(action="pausedaddress.deleted")
            assert entry.before["address"] == "olga@example.com"

    def test_whoever_knows_of_a_bounce_adds_it_once(self, api: Api) -> None:
        news = {"address": "Olga@example.com", "why": "bounced", "detail": "SES: Permanent"}
        first, again = send(api, "post", self.URL, **news), send(api, "post", self.URL, **news)
        assert (first.status_code, again.status_code) == (201, 200), first.json()
        assert first.json()["address"] == "olga@example.com"
        assert first.json()["id"] == again.json()["id"]
        with tenant_context(api.tenant.pk):
            assert [row.detail for row in PausedAddress.objects.all()] == ["SES: Permanent"]
            assert AuditEntry.objects.filter(action="pausedaddress.paused").count() == 1

    @pytest.mark.parametrize(
        ("field", "value"), [("address", "olga"), ("why", "bored"), ("why", ""), ("detail", "x" * 301)]
    )
    def test_what_is_no_such_news_is_refused_by_field(self, api: Api, field: str, value: str) -> None:
        answer = send(api, "post", self.URL, **({"address": "olga@example.com", "why": "bounced"} | {field: value}))
        assert answer.status_code == 400
        assert [one["pointer"] for one in answer.json()["errors"]] == [f"/{field}"]
