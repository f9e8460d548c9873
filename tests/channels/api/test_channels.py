"""Channels, templates and deliveries over REST."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from guardian.shortcuts import assign_perm

from channels.message import Message
from channels.models import Channel, Delivery, DeliveryAttempt, DeliveryQueue
from channels.templating.samples import sample_message
from tenants.context import tenant_context
from tenants.isolation import new_id
from tenants.models import AuditEntry
from tests.factories import Api, make_api, make_member

pytestmark = pytest.mark.django_db
URL = "/api/v1/channels"
JSON = "application/json"
SECRET = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVg=="
HOOK = {
    "name": "hook",
    "kind": "webhook",
    "settings": {"url": "https://example.org/hook"},
    "credentials": {"secrets": [SECRET]},
}


@pytest.fixture
def api() -> Api:
    return make_api()


def make_channel(api: Api, **changes: object) -> str:
    made = api.client.post(URL, HOOK | changes, JSON)
    assert made.status_code == 201, made.json()
    return made.json()["id"]


def make_delivery(api: Api, channel: str, **fields: object) -> Delivery:
    with tenant_context(api.tenant.pk):
        values = {"recipient": "r", "kind": "notification", "reason": "first", "dedup_key": new_id().bytes}
        values |= {"message": sample_message().to_json(), "expires_at": timezone.now() + timedelta(hours=1)}
        return Delivery.objects.create(channel_id=channel, **(values | fields))


def pointers(answer) -> list[str]:
    assert answer.status_code == 400, answer.content
    return [error["pointer"] for error in answer.json()["errors"]]


def test_credentials_go_in_and_never_come_out(api: Api) -> None:
    url = f"{URL}/{make_channel(api)}"
    answers = [api.client.get(url), api.client.get(URL), api.client.patch(url, {"name": "other"}, JSON)]
    assert answers[0].json()["has_credentials"] is True
    assert not [answer for answer in answers if SECRET in answer.content.decode()]
    with tenant_context(api.tenant.pk):
        assert SECRET in Channel.objects.get().credentials
        assert not AuditEntry.objects.filter(after__icontains=SECRET).exists()


GATEWAY = {
    "to": ["+436641234567"],
    "gateway": "http",
    "url": "https://sms.example.org/a",
    "request": '{"to": "{to}", "t": "{text}"}',
}


@pytest.mark.parametrize(
    ("kind", "settings", "credentials", "moved"),
    [
        (
            "email",
            {"to": ["ops@example.org"], "from_address": "a@example.org", "host": "mail.example.org"},
            {"user": "us", "password": "hunter-2"},
            {"host": "evil.example.net"},
        ),
        ("sms", GATEWAY, {"authorization": "Bearer hunter-2"}, {"url": "https://evil.example.net/a"}),
    ],
)
def test_stored_secrets_are_not_told_to_another_place(
    api: Api, kind: str, settings: dict[str, object], credentials: dict[str, str], moved: dict[str, str]
) -> None:
    url = f"{URL}/{make_channel(api, kind=kind, settings=settings, credentials=credentials)}"
    refused = api.client.patch(url, {"settings": settings | moved}, JSON)
    assert pointers(refused) == ["/credentials"]
    assert api.client.patch(url, {"settings": settings}, JSON).status_code == 200
    given = {"settings": settings | moved, "credentials": credentials}
    assert api.client.patch(url, given, JSON).status_code == 200


def test_settings_and_credentials_are_judged_by_the_kind(api: Api) -> None:
    wrong = HOOK | {"settings": {"url": "ftp://x", "colour": 1}, "credentials": {"secrets": ["short"]}}
    found = pointers(api.client.post(URL, wrong, JSON))
    assert found == ["/settings/colour", "/credentials/secrets"]


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "http://[::1]/", "http://0x7f000001/", "https://10.0.0.1/", "gopher://x/"]
)
def test_private_addresses_are_refused(api: Api, url: str, settings) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = False
    assert pointers(api.client.post(URL, HOOK | {"settings": {"url": url}}, JSON)) == ["/settings/url"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "pigeon"}, "/kind"),
        ({"rate_per_minute": 0}, "/rate_per_minute"),
        ({"rate_per_minute": 10**12}, "/rate_per_minute"),
        ({"locale": "xx"}, "/locale"),
        ({"template": "00000000-0000-7000-8000-000000000000"}, "/template"),
        ({"settings": []}, "/settings"),
        ({"disabled_reason": "x"}, "/disabled_reason"),
    ],
)
def test_what_cannot_be_is_pointed_at(api: Api, change: dict, pointer: str) -> None:
    assert pointers(api.client.post(URL, HOOK | change, JSON)) == [pointer]


def test_two_channels_cannot_share_a_name(api: Api) -> None:
    make_channel(api)
    assert pointers(api.client.post(URL, HOOK, JSON)) == ["/name"]
    make_channel(make_api())


def test_a_test_message_is_queued_like_any_other(api: Api) -> None:
    answer = api.client.generic("POST", f"{URL}/{make_channel(api)}/test", content_type="")
    assert answer.status_code == 202, answer.json()
    (made,) = answer.json()["deliveries"]
    found = api.client.get(f"/api/v1/deliveries/{made}").json()
    assert (found["kind"], found["state"], found["message"]["reason"]) == ("test", "pending", "test")
    assert DeliveryQueue.objects.filter(delivery_id=made).exists()


def test_a_channel_that_is_off_is_not_tested(api: Api) -> None:
    assert api.client.post(f"{URL}/{make_channel(api, is_active=False)}/test", {}, JSON).status_code == 409


def test_a_channel_something_waits_for_stays(api: Api) -> None:
    channel = make_channel(api)
    delivery = make_delivery(api, channel)
    assert api.client.delete(f"{URL}/{channel}").status_code == 409
    with tenant_context(api.tenant.pk):
        Delivery.objects.filter(pk=delivery.pk).delete()
    assert api.client.delete(f"{URL}/{channel}").status_code == 204


def test_a_template_is_tried_before_it_is_saved(api: Api) -> None:
    body = {"name": "mine", "kind": "email", "parts": {"subject": "{{ title }}"}}
    made = api.client.post("/api/v1/templates", body, JSON)
    assert made.status_code == 201, made.json()
    broken = body | {"name": "broken", "parts": {"subject": "{% for x in range(10**9) %}"}}
    assert pointers(api.client.post("/api/v1/templates", broken, JSON)) == ["/parts/subject"]


def test_a_template_of_another_kind_does_not_fit(api: Api) -> None:
    body = {"name": "mine", "kind": "email", "parts": {"subject": "x"}}
    template = api.client.post("/api/v1/templates", body, JSON).json()["id"]
    assert pointers(api.client.post(URL, HOOK | {"template": template}, JSON)) == ["/template"]


def test_the_preview_shows_texts_and_problems(api: Api) -> None:
    body = {"kind": "email", "parts": {"subject": "{{ title }}!", "text": "{{ title.__class__ }}"}}
    found = api.client.post("/api/v1/templates/preview", body, JSON).json()
    assert "Disk almost full" in found["parts"]["subject"]
    assert set(found["problems"]) == {"text"}


def test_the_preview_takes_the_message_of_a_delivery_of_this_tenant_only(api: Api) -> None:
    message = Message(title="Theirs", created_at=timezone.now()).to_json()
    other = make_api()
    theirs = make_delivery(other, make_channel(other), message=message)
    body = {"kind": "email", "parts": {"subject": "{{ title }}"}, "delivery": str(theirs.pk)}
    assert pointers(api.client.post("/api/v1/templates/preview", body, JSON)) == ["/delivery"]
    mine = make_delivery(api, make_channel(api), message=message)
    found = api.client.post("/api/v1/templates/preview", body | {"delivery": str(mine.pk)}, JSON).json()
    assert found["parts"]["subject"] == "Theirs"


def test_deliveries_are_filtered(api: Api) -> None:
    channel, source = make_channel(api), new_id()
    make_delivery(api, channel, recipient="one", state="dead", source_id=source)
    make_delivery(api, channel, recipient="two", state="delivered")
    make_delivery(api, make_channel(api, name="other"), recipient="three", state="dead")

    def found(query: str) -> set[str]:
        return {row["recipient"] for row in api.client.get(f"/api/v1/deliveries?{query}").json()["results"]}

    assert found("state=dead") == {"one", "three"}
    assert found("state=dead&state=delivered") == {"one", "two", "three"}
    assert found(f"channel={channel}") == {"one", "two"}
    assert found(f"source={source}") == {"one"}
    assert found("recipient=two") == {"two"}
    assert api.client.get("/api/v1/deliveries?state=lost").status_code == 400


def test_a_delivery_shows_its_attempts(api: Api) -> None:
    delivery = make_delivery(api, make_channel(api))
    with tenant_context(api.tenant.pk):
        for token in (1, 2):
            DeliveryAttempt.objects.create(delivery=delivery, lease_token=token, outcome="retryable", http_status=500)
    found = api.client.get(f"/api/v1/deliveries/{delivery.pk}").json()
    assert [attempt["http_status"] for attempt in found["attempt_log"]] == [500, 500]


def test_only_a_dead_letter_is_replayed(api: Api) -> None:
    channel = make_channel(api)
    dead, done = make_delivery(api, channel, state="dead"), make_delivery(api, channel, state="delivered")
    answer = api.client.post(f"/api/v1/deliveries/{dead.pk}/replay", {}, JSON)
    assert (answer.status_code, answer.json()["state"], answer.json()["replay_no"]) == (202, "pending", 1)
    assert api.client.post(f"/api/v1/deliveries/{done.pk}/replay", {}, JSON).status_code == 409


def test_only_a_dead_letter_is_laid_aside(api: Api) -> None:
    channel = make_channel(api)
    dead, done = make_delivery(api, channel, state="dead"), make_delivery(api, channel, state="delivered")
    answer = api.client.post(f"/api/v1/deliveries/{dead.pk}/dismiss", {}, JSON)
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert api.client.post(f"/api/v1/deliveries/{done.pk}/dismiss", {}, JSON).status_code == 409


def test_replaying_needs_its_scope(api: Api) -> None:
    dead = make_delivery(api, make_channel(api), state="dead")
    reader = make_api(api.tenant, scopes=["alerts:read"])
    assert reader.client.post(f"/api/v1/deliveries/{dead.pk}/replay").status_code == 403


@pytest.mark.parametrize("act", ["", "/test"])
def test_a_channel_of_another_tenant_does_not_exist(api: Api, act: str) -> None:
    url = f"{URL}/{make_channel(make_api())}{act}"
    assert (api.client.post(url, {}, JSON) if act else api.client.get(url)).status_code == 404


def test_a_grant_on_one_channel_lets_a_viewer_change_just_that(api: Api) -> None:
    granted, other = make_channel(api), make_channel(api, name="other")
    viewer = make_member(api.tenant, "viewer")
    with tenant_context(api.tenant.pk):
        assign_perm("channels.change_channel", viewer, Channel.objects.get(pk=granted))
    client = Client(raise_request_exception=False)
    client.force_login(viewer)
    statuses = [client.patch(f"{URL}/{one}", {"locale": "fr"}, JSON).status_code for one in (granted, other)]
    assert statuses == [200, 403]
    assert client.delete(f"{URL}/{granted}").status_code == 403


def test_a_key_that_reads_neither_changes_nor_tests(api: Api) -> None:
    url, reader = f"{URL}/{make_channel(api)}", make_api(api.tenant, scopes=["config:read"])
    assert reader.client.patch(url, {"name": "x"}, JSON).status_code == 403
    assert reader.client.post(f"{url}/test", {}, JSON).status_code == 403


@pytest.mark.parametrize("url", [URL, "/api/v1/deliveries"])
def test_lists_take_the_same_statements_however_long(api: Api, url: str) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.client.get(url).status_code == 200
        return len(captured)

    make_delivery(api, make_channel(api))
    statements()
    few = statements()
    for number in range(6):
        make_delivery(api, make_channel(api, name=f"c{number}"))
    assert statements() == few
