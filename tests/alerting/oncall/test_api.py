"""On-call and escalation over REST."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from alerting.models import ContactMethod, EscalationPolicy, Route, ScheduleOverride
from channels.message import Message
from channels.models import Channel, Delivery
from tenants.context import tenant_context
from tests.alerting.escalation.scenes import Call, level, member_target, schedule_target
from tests.alerting.scenes import alert
from tests.factories import PASSWORD, Api, make_api, make_member

pytestmark = pytest.mark.django_db
V1 = "/api/v1"
JSON = "application/json"


def layer(*people: Any, **more: Any) -> dict[str, Any]:
    fields = {"name": "all", "people": [str(one.pk) for one in people], "unit": "weekly"}
    return fields | {"starts_at": "2026-01-05T09:00:00"} | more


@pytest.fixture
def api() -> Api:
    return make_api()


def made(api: Api, path: str, body: dict[str, Any], code: int = 201) -> dict[str, Any]:
    answer = api.client.post(f"{V1}/{path}", body, content_type=JSON)
    assert answer.status_code == code, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def test_a_schedule_says_who_is_on_call_and_who_follows(api: Api) -> None:
    ann, bob = make_member(api.tenant), make_member(api.tenant)
    schedule = made(api, "on-call-schedules", {"name": "ops", "time_zone": "Europe/Paris", "layers": [layer(ann, bob)]})
    who = api.client.get(f"{V1}/on-call-schedules/{schedule['id']}/who", {"at": "2026-03-24T12:00:00Z"}).json()
    assert who["shift"]["person"] == str(bob.pk)
    assert who["shift"]["name"] == str(bob)
    # Monday at nine after the night the clocks changed.
    assert who["next_hand_over"] == "2026-03-30T07:00:00Z"
    final = api.client.get(
        f"{V1}/on-call-schedules/{schedule['id']}/final", {"from": "2026-03-23T08:00:00Z", "to": "2026-04-06T07:00:00Z"}
    ).json()
    assert [(one["person"], one["starts_at"], one["ends_at"]) for one in final["shifts"]] == [
        (str(bob.pk), "2026-03-23T08:00:00Z", "2026-03-30T07:00:00Z"),
        (str(ann.pk), "2026-03-30T07:00:00Z", "2026-04-06T07:00:00Z"),
    ]


def test_layers_are_judged(api: Api) -> None:
    stranger = make_member(make_api().tenant)
    ann = make_member(api.tenant)
    for wrong in (
        layer(stranger),
        layer(),
        layer(ann, every=0),
        layer(ann, starts_at="2026-01-05T09:00:00+02:00"),
        layer(ann, ends_at="2025-01-05T09:00:00"),
        layer(ann, restrictions=[{"start": "09:00:00", "end": "17:00:00", "weekdays": [7]}]),
        layer(ann, unit="monthly"),
        {"name": "half"},
    ):
        answer = api.client.post(f"{V1}/on-call-schedules", {"name": "x", "layers": [wrong]}, content_type=JSON)
        assert answer.status_code == 400, wrong
        assert answer.json()["errors"][0]["pointer"] == "/layers"


def test_overrides_and_swaps_change_who_is_on_call(api: Api) -> None:
    ann, bob, cid = (make_member(api.tenant) for _ in range(3))
    path = f"on-call-schedules/{made(api, 'on-call-schedules', {'name': 'ops', 'layers': [layer(ann, bob)]})['id']}"
    schedule = path.split("/")[1]
    span = {"starts_at": "2026-06-02T00:00:00Z", "ends_at": "2026-06-03T00:00:00Z"}
    made(api, "overrides", {"schedule": schedule, "person": str(cid.pk), **span})

    def on_call(at: str) -> str:
        person = api.client.get(f"{V1}/{path}/who", {"at": at}).json()["shift"]["person"]
        return {str(ann.pk): "ann", str(bob.pk): "bob", str(cid.pk): "cid"}[person]

    assert [on_call(f"2026-06-0{day}T12:00:00Z") for day in (1, 2, 3)] == ["bob", "cid", "bob"]
    swapped = made(
        api,
        f"{path}/swap",
        {
            "first": str(bob.pk),
            "first_from": "2026-06-04T00:00:00Z",
            "first_until": "2026-06-05T00:00:00Z",
            "second": str(ann.pk),
            "second_from": "2026-06-09T00:00:00Z",
            "second_until": "2026-06-10T00:00:00Z",
        },
    )
    assert len(swapped["overrides"]) == 2
    assert [on_call(f"2026-06-{day:02}T12:00:00Z") for day in (3, 4, 5, 8, 9, 10)] == [
        "bob",
        "ann",
        "bob",
        "ann",
        "bob",
        "ann",
    ]
    listed = api.client.get(f"{V1}/overrides", {"schedule": schedule}).json()
    assert len(listed["results"] if "results" in listed else listed["items"]) == 3


def test_another_tenants_people_and_schedules_do_not_exist(api: Api) -> None:
    other = make_api()
    schedule = made(other, "on-call-schedules", {"name": "theirs", "layers": []})
    assert api.client.get(f"{V1}/on-call-schedules/{schedule['id']}/who").status_code == 404
    body = {
        "schedule": schedule["id"],
        "person": str(make_member(api.tenant).pk),
        "starts_at": "2026-06-02T00:00:00Z",
        "ends_at": "2026-06-03T00:00:00Z",
    }
    assert api.client.post(f"{V1}/overrides", body, content_type=JSON).status_code == 400
    with tenant_context(api.tenant.pk):
        assert not ScheduleOverride.objects.exists()


def test_the_feed_needs_no_key_and_dies_with_its_number(api: Api) -> None:
    ann = make_member(api.tenant)
    schedule = made(api, "on-call-schedules", {"name": "ops, all; day", "layers": [layer(ann)]})
    address = schedule["feed_url"][schedule["feed_url"].index("/api/") :]
    answer = Client().get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/calendar")
    text = answer.content.decode()
    assert f"SUMMARY:{ann} (ops\\, all\\; day)".replace("\r\n ", "") in text.replace("\r\n ", "")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    renewed = made(api, f"on-call-schedules/{schedule['id']}/renew_feed", {}, code=200)
    assert Client().get(address).status_code == 404
    assert Client().get(renewed["feed_url"][renewed["feed_url"].index("/api/") :]).status_code == 200
    assert Client().get(address.replace("feeds/", "feeds/0")).status_code == 404


def email_channel(api: Api) -> str:
    with tenant_context(api.tenant.pk):
        settings = {"host": "mail.example.org", "to": ["ops@example.org"], "from_address": "alerts@example.org"}
        return str(Channel.objects.create(name="mail", kind="email", settings=settings).pk)


def code_sent(api: Api) -> str:
    with tenant_context(api.tenant.pk):
        delivery = Delivery.objects.filter(kind="verification").order_by("-created_at").first()
        assert delivery is not None
        assert delivery.recipient == "ann@example.org"
        return Message.from_json(bytes(delivery.message)).title.split()[-1]


def test_a_contact_counts_once_its_code_came_back(api: Api) -> None:
    ann = make_member(api.tenant)
    body = {"person": str(ann.pk), "channel": email_channel(api), "address": "ann@example.org"}
    contact = made(api, "contacts", body)
    assert contact["verified_at"] is None
    path = f"{V1}/contacts/{contact['id']}"
    assert api.client.post(f"{path}/send_code", {}, content_type=JSON).status_code == 202
    assert api.client.post(f"{path}/send_code", {}, content_type=JSON).status_code == 409
    code = code_sent(api)
    wrong = {"code": f"{(int(code) + 1) % 1_000_000:06d}"}
    assert api.client.post(f"{path}/verify", wrong, content_type=JSON).json()["is_verified"] is False
    assert api.client.post(f"{path}/verify", {"code": code}, content_type=JSON).json()["is_verified"] is True
    assert api.client.get(path).json()["verified_at"] is not None
    # Another address is another proof.
    changed = api.client.patch(path, {"address": "else@example.org"}, content_type=JSON)
    assert changed.json()["verified_at"] is None


def test_a_code_cannot_be_guessed(api: Api) -> None:
    ann = make_member(api.tenant)
    contact = made(
        api, "contacts", {"person": str(ann.pk), "channel": email_channel(api), "address": "ann@example.org"}
    )
    path = f"{V1}/contacts/{contact['id']}"
    api.client.post(f"{path}/send_code", {}, content_type=JSON)
    code = code_sent(api)
    wrong = {"code": f"{(int(code) + 1) % 1_000_000:06d}"}
    for _try in range(5):
        api.client.post(f"{path}/verify", wrong, content_type=JSON)
    assert api.client.post(f"{path}/verify", {"code": code}, content_type=JSON).json()["is_verified"] is False


def test_addresses_fit_their_kind(api: Api) -> None:
    ann, channel = make_member(api.tenant), email_channel(api)
    body = {"person": str(ann.pk), "channel": channel, "address": "not an address"}
    made(api, "contacts", body, code=400)


def test_members_change_only_their_own_contacts(api: Api) -> None:
    ann, bob = make_member(api.tenant, "responder"), make_member(api.tenant, "responder")
    channel = email_channel(api)
    browser = Client(raise_request_exception=False)
    assert browser.login(username=ann.username, password=PASSWORD)
    own = {"person": str(ann.pk), "channel": channel, "address": "ann@example.org"}
    others = own | {"person": str(bob.pk)}
    assert browser.post(f"{V1}/contacts", others, content_type=JSON).status_code == 403
    answer = browser.post(f"{V1}/contacts", own, content_type=JSON)
    assert answer.status_code == 201, answer.json()
    stolen = browser.patch(f"{V1}/contacts/{answer.json()['id']}", {"person": str(bob.pk)}, content_type=JSON)
    assert stolen.status_code == 403
    with tenant_context(api.tenant.pk):
        assert ContactMethod.objects.get().person_id == ann.pk


def test_a_policy_is_made_used_by_a_route_and_shields_its_schedule(api: Api) -> None:
    ann = make_member(api.tenant)
    schedule = made(api, "on-call-schedules", {"name": "ops", "layers": [layer(ann)]})
    levels = [{"wait": 0, "targets": [{"kind": "schedule", "id": schedule["id"]}]}]
    policy = made(api, "escalation-policies", {"name": "ops", "levels": levels, "acknowledge_timeout": 1800})
    assert policy["levels"][0]["importance"] == "urgent"
    route = made(api, "routes", {"name": "root", "parent": None, "policy": policy["id"]})
    assert route["policy"] == policy["id"]
    assert api.client.delete(f"{V1}/on-call-schedules/{schedule['id']}").status_code == 409
    assert api.client.delete(f"{V1}/escalation-policies/{policy['id']}").status_code == 204
    with tenant_context(api.tenant.pk):
        assert Route.objects.get().policy_id is None
        assert not EscalationPolicy.objects.exists()


def test_levels_name_only_what_is_there(api: Api) -> None:
    stranger = make_member(make_api().tenant)
    levels = [{"wait": 0, "targets": [{"kind": "member", "id": str(stranger.pk)}]}]
    made(api, "escalation-policies", {"name": "ops", "levels": levels}, code=400)


@pytest.mark.parametrize(("kind", "via"), [("member", "pigeon"), ("channel", "sms")])
def test_a_way_nobody_can_be_told_on_is_refused(api: Api, kind: str, via: str) -> None:
    whom = str(make_member(api.tenant).pk) if kind == "member" else email_channel(api)
    levels = [{"wait": 0, "targets": [{"kind": kind, "id": whom, "via": via}]}]
    body = {"name": "ops", "levels": levels}
    answer = api.client.post(f"{V1}/escalation-policies", body, content_type=JSON)
    assert answer.status_code == 400
    assert "“via” is" in answer.json()["detail"]


def test_the_next_steps_of_a_group_and_who_would_be_called() -> None:
    call = Call()
    api = make_api(call.tenant)
    ann, bob, deaf = call.person("ann"), call.person("bob"), call.person("deaf", contact=False)
    schedule = call.schedule(bob)
    call.routed(level(0, member_target(ann)), level(5, schedule_target(schedule), member_target(deaf)))
    call.feed(alert(severity="critical"))
    call.flush()
    call.step()
    answer = api.client.get(f"{V1}/groups/{call.group().pk}/next-steps")
    steps = answer.json()["steps"]
    assert [(one["whom"], one["level"], one["schedule"], one["nobody"]) for one in steps] == [
        ("bob", 2, "primary", ""),
        ("deaf", 2, "", "no_contact"),
    ]
    late = datetime.fromisoformat(steps[0]["at"]) - datetime.now(UTC)
    assert timedelta(minutes=4) < late < timedelta(minutes=5, seconds=1)
    body = {"labels": {"alertname": "Any"}, "at": "2026-07-01T00:00:00Z"}
    told = made(api, "who-would-be-called", body, code=200)["steps"]
    assert [(one["whom"], one["at"]) for one in told] == [
        ("ann", "2026-07-01T00:00:00Z"),
        ("bob", "2026-07-01T00:05:00Z"),
        ("deaf", "2026-07-01T00:05:00Z"),
    ]
    assert make_api().client.get(f"{V1}/groups/{call.group().pk}/next-steps").status_code == 404


def test_what_would_go_wrong_is_found_before_it_matters(api: Api) -> None:
    ann = make_member(api.tenant)
    office = [{"start": "00:00:00", "end": "12:00:00", "weekdays": []}]
    schedule = made(
        api, "on-call-schedules", {"name": "ops", "layers": [layer(ann, restrictions=office)], "time_zone": "UTC"}
    )
    found = api.client.get(f"{V1}/on-call-schedules/{schedule['id']}/findings").json()["findings"]
    kinds = [one["kind"] for one in found]
    assert kinds.count("gap") in (14, 15)
    assert kinds.count("unreachable") == 1
    assert found[-1]["person"] == str(ann.pk)
