"""PagerDuty in both directions: what people do there happens here, once, and does not go back and forth."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from alerting import lifecycle
from channels.delivery import deliver_due
from channels.models import Channel, ProviderEvent
from tenants.isolation import new_id
from tests.alerting.scenes import Scene, alert
from tests.fakes.pagerduty import FakePagerDuty, sign

pytestmark = pytest.mark.django_db
SECRET, KEY = "s" * 40, "r" * 32
PERSON = {"id": "P1", "type": "user_reference", "summary": "Earline"}
MACHINE = {"id": "P2", "type": "service_reference", "summary": "Our integration"}


@pytest.fixture
def scene(pagerduty: FakePagerDuty) -> Scene:
    scene = Scene()
    channel = scene.channel("incidents")
    with scene.context():
        channel.kind, channel.settings = "pagerduty", {}
        channel.credentials = json.dumps({"routing_key": KEY, "webhook_secrets": [SECRET]})
        channel.save()
    scene.route(channel, scene.channel("hook"))
    scene.flush()
    scene.run(alert(host="a"))
    deliver(scene)
    return scene


def deliver(scene: Scene) -> None:
    scene.hurry()
    scene.flush()
    # The other channel's address leads nowhere; only PagerDuty's deliveries matter here.
    while deliver_due(scene.id):
        pass


def happen(scene: Scene, what: str, *, minutes: float = 0, secret: str = SECRET, **changes: Any) -> HttpResponse:
    with scene.context():
        channel = Channel.objects.get(name="incidents")
    inner: dict[str, Any] = {
        "id": str(new_id()),
        "event_type": f"incident.{what}",
        "occurred_at": (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(),
        "agent": PERSON,
        "data": {"id": "Q1", "incident_key": f"{scene.tenant.slug}:{scene.groups()[-1].pk}"},
    }
    body = json.dumps({"event": inner | changes}).encode()
    path = f"/callbacks/pagerduty/{scene.tenant.slug}/{channel.pk}"
    headers = {"X-PagerDuty-Signature": sign([secret], body)}
    return Client(raise_request_exception=False).post(path, body, content_type="application/json", headers=headers)


def said(response: HttpResponse) -> tuple[int, str]:
    return response.status_code, response.content.decode().strip()


def test_the_incident_follows_what_people_do_here(scene: Scene, pagerduty: FakePagerDuty) -> None:
    (incident,) = pagerduty.incidents
    assert incident.key == f"{scene.tenant.slug}:{scene.group().pk}"
    lifecycle.acknowledge(scene.principal, scene.group().pk)
    deliver(scene)
    assert incident.status == "acknowledged"
    assert ("incidents", "acknowledged") in scene.told()
    assert ("hook", "acknowledged") not in scene.told()
    assert "told:acknowledged" in scene.kinds()
    lifecycle.resolve(scene.principal, scene.group().pk)
    deliver(scene)
    assert incident.actions == ["trigger", "acknowledge", "resolve"]


def test_an_incident_ends_by_itself_with_its_alerts(scene: Scene, pagerduty: FakePagerDuty) -> None:
    scene.run(alert(host="a", status="resolved"))
    deliver(scene)
    assert pagerduty.incidents[0].status == "resolved"


def test_what_people_do_in_pagerduty_happens_here(scene: Scene) -> None:
    assert said(happen(scene, "acknowledged")) == (200, "acknowledge")
    group = scene.group()
    assert (group.status, group.acknowledged_by) == ("acknowledged", "Earline (PagerDuty)")
    assert said(happen(scene, "unacknowledged", minutes=1)) == (200, "unacknowledge")
    assert scene.group().status == "firing"
    assert said(happen(scene, "resolved", minutes=2)) == (200, "resolve")
    assert scene.group().status == "resolved"


def test_what_pagerduty_did_is_not_sent_back_but_told_to_others(scene: Scene, pagerduty: FakePagerDuty) -> None:
    before = len(pagerduty.calls)
    happen(scene, "acknowledged")
    deliver(scene)
    happen(scene, "resolved", minutes=1)
    deliver(scene)
    assert len(pagerduty.calls) == before
    assert ("hook", "all_resolved") in scene.told()
    assert [reason for name, reason in scene.told() if name == "incidents"] == ["first"]


def test_what_we_did_is_not_applied_when_it_comes_back(scene: Scene) -> None:
    lifecycle.acknowledge(scene.principal, scene.group().pk)
    deliver(scene)
    lifecycle.unacknowledge(scene.principal, scene.group().pk)
    assert said(happen(scene, "acknowledged", agent=MACHINE)) == (200, "echo")
    assert said(happen(scene, "acknowledged", agent=None)) == (200, "echo")
    assert scene.group().status == "firing"
    assert said(happen(scene, "acknowledged")) == (200, "acknowledge")


def test_the_end_of_an_acknowledgement_by_time_is_no_echo(scene: Scene) -> None:
    happen(scene, "acknowledged")
    assert said(happen(scene, "unacknowledged", minutes=30, agent=MACHINE)) == (200, "unacknowledge")


def test_an_event_counts_once_and_in_its_order(scene: Scene) -> None:
    assert said(happen(scene, "acknowledged", id="E1")) == (200, "acknowledge")
    lifecycle.unacknowledge(scene.principal, scene.group().pk)
    assert said(happen(scene, "acknowledged", id="E1")) == (200, "repeated")
    assert said(happen(scene, "resolved", minutes=-5)) == (200, "late")
    assert scene.group().status == "firing"
    with scene.context():
        assert sorted(ProviderEvent.objects.values_list("outcome", flat=True)) == ["acknowledge", "late"]


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"incident_key": "somebody:else"}},
        {"data": {"incident_key": None}},
        {"event_type": "pagey.ping"},
        {"event_type": "incident.priority_updated"},
    ],
)
def test_what_is_not_ours_is_passed_over(scene: Scene, changes: dict[str, Any]) -> None:
    assert said(happen(scene, "acknowledged", **changes)) == (200, "not_ours")
    assert scene.group().status == "firing"


def test_a_group_of_another_tenant_is_out_of_reach(scene: Scene) -> None:
    other = Scene()
    other.route(other.channel())
    other.flush()
    other.run(alert(host="z"))
    foreign = {"incident_key": f"{other.tenant.slug}:{other.group().pk}"}
    assert said(happen(scene, "resolved", data=foreign)) == (200, "not_ours")
    mine = {"incident_key": f"{scene.tenant.slug}:{other.group().pk}"}
    assert said(happen(scene, "resolved", data=mine)) == (200, "gone")
    assert other.group().status == "firing"


def test_a_channel_may_not_want_it_and_a_conflict_is_no_error(scene: Scene) -> None:
    lifecycle.resolve(scene.principal, scene.group().pk)
    assert said(happen(scene, "acknowledged")) == (200, "conflict")
    with scene.context():
        channel = Channel.objects.get(name="incidents")
        channel.settings = {"act_on_groups": False}
        channel.save()
    assert said(happen(scene, "acknowledged", minutes=1)) == (200, "not_wanted")


def test_bad_signatures_are_403_and_malformed_calls_400(scene: Scene) -> None:
    assert happen(scene, "resolved", secret="guessed" * 5).status_code == 403
    assert happen(scene, "resolved", id="").status_code == 400
    with scene.context():
        channel = Channel.objects.get(name="incidents")
    path, client = f"/callbacks/pagerduty/{scene.tenant.slug}/{channel.pk}", Client(raise_request_exception=False)
    assert client.post(path, b"{}", content_type="application/json").status_code == 400
    for wrong in (path.replace(scene.tenant.slug, "nobody"), path.replace(str(channel.pk), str(new_id()))):
        headers = {"X-PagerDuty-Signature": sign([SECRET], b"{}")}
        assert client.post(wrong, b"{}", content_type="application/json", headers=headers).status_code == 403
    assert scene.group().status == "firing"


def test_one_address_serves_all_services(scene: Scene) -> None:
    event = {
        "id": "E1",
        "event_type": "incident.resolved",
        "occurred_at": datetime.now(UTC).isoformat(),
        "agent": PERSON,
        "data": {"id": "Q1", "incident_key": f"{scene.tenant.slug}:{scene.group().pk}"},
    }
    body = json.dumps({"event": event}).encode()
    path = f"/callbacks/pagerduty/{scene.tenant.slug}"
    for secret, status in (("guessed" * 5, 403), (SECRET, 200)):
        headers = {"X-PagerDuty-Signature": sign([secret], body)}
        response = Client(raise_request_exception=False).post(
            path, body, content_type="application/json", headers=headers
        )
        assert response.status_code == status
    assert scene.group().status == "resolved"
