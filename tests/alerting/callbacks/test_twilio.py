"""Twilio's calls over HTTP: receipts, answers, STOP; forged, repeated and late ones."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from alerting import lifecycle
from alerting.models import ContactMethod, TimelineEvent
from channels.delivery import deliver_due
from channels.models import Channel, Delivery, ProviderEvent, SmsMessage, SmsOptOut
from channels.sms.composing import short_id
from channels.sms.receipts import reached
from tenants.models import Membership, User
from tests.alerting.scenes import Scene, alert
from tests.factories import make_member
from tests.fakes.twilio import ACCOUNT, FakeTwilio, sign

pytestmark = pytest.mark.django_db
NUMBER, STRANGER, TOKEN = "+436641234567", "+436649999999", "test-token"
BASE = "https://alerts.example.com"


@pytest.fixture
def twilio(twilio: FakeTwilio, settings: Any) -> FakeTwilio:
    settings.PUBLIC_BASE_URL = BASE
    return twilio


@pytest.fixture
def scene(twilio: FakeTwilio) -> Scene:
    scene = Scene()
    channel = scene.channel("phones")
    with scene.context():
        channel.kind = "sms"
        channel.settings = {"to": [NUMBER], "sender": "+15005550006", "account_sid": ACCOUNT}
        channel.credentials = json.dumps({"auth_token": TOKEN})
        channel.save()
    scene.route(channel)
    scene.flush()
    scene.run(alert(host="a", severity="critical"))
    deliver_due(scene.id)
    return scene


def post(path: str, form: dict[str, str], *, token: str = TOKEN, base: str = BASE, **extra: Any) -> HttpResponse:
    signature = sign(token, f"{base}{path}", form)
    headers = {"X-Twilio-Signature": signature} | extra.pop("headers", {})
    kind = "application/x-www-form-urlencoded"
    return Client(raise_request_exception=False).post(path, urlencode(form), content_type=kind, headers=headers)


def status(scene: Scene, state: str, **extra: Any) -> HttpResponse:
    (delivery,) = scene.deliveries()
    path = f"/callbacks/twilio/{scene.tenant.slug}/status/{delivery.pk}"
    return post(path, {"MessageSid": "SM1", "MessageStatus": state, "ErrorCode": "30003"}, **extra)


def answer(scene: Scene, text: str, number: str = NUMBER, sid: str = "SM-in", **extra: Any) -> HttpResponse:
    with scene.context():
        channel = Channel.objects.get(name="phones")
    path = f"/callbacks/twilio/{scene.tenant.slug}/answers/{channel.pk}"
    return post(path, {"MessageSid": sid, "From": number, "To": "+15005550006", "Body": text}, **extra)


def receipt(scene: Scene) -> tuple[str, int | None]:
    with scene.context():
        return SmsMessage.objects.values_list("receipt", "error_code").get()


def test_the_address_in_the_message_takes_its_receipts(scene: Scene, twilio: FakeTwilio) -> None:
    (message,) = twilio.messages
    (delivery,) = scene.deliveries()
    assert message.status_callback == f"{BASE}/callbacks/twilio/{scene.tenant.slug}/status/{delivery.pk}"
    assert status(scene, "sent").status_code == 204
    assert receipt(scene)[0] == "sent"


def test_a_receipt_only_moves_forward(scene: Scene) -> None:
    seen = []
    for state in ("queued", "delivered", "sent", "undelivered", "queued", "read"):
        assert status(scene, state).status_code == 204
        seen.append(receipt(scene)[0])
    assert seen == ["queued", "delivered", "delivered", "delivered", "delivered", "read"]


def test_why_it_did_not_arrive_is_kept(scene: Scene) -> None:
    status(scene, "undelivered")
    assert receipt(scene) == ("undelivered", 30003)


def test_whether_it_reached_the_phone_can_be_asked(scene: Scene) -> None:
    (delivery,) = scene.deliveries()
    for state, confirmed, lost in (("sent", False, False), ("undelivered", False, True), ("read", True, False)):
        status(scene, state)
        with scene.context():
            known = reached([delivery.pk, scene.id])
        assert list(known) == [delivery.pk]
        assert (known[delivery.pk].is_confirmed, known[delivery.pk].is_lost) == (confirmed, lost)


@pytest.mark.parametrize(
    "extra", [{"token": "guessed"}, {"base": "https://evil.example.com"}, {"headers": {"X-Twilio-Signature": ""}}]
)
def test_a_forged_call_changes_nothing(scene: Scene, extra: dict[str, Any]) -> None:
    assert status(scene, "delivered", **extra).status_code == 403
    assert answer(scene, "ack", **extra).status_code == 403
    assert receipt(scene)[0] == ""
    assert scene.group().status == "firing"


def test_the_host_header_decides_nothing(scene: Scene) -> None:
    (delivery,) = scene.deliveries()
    path = f"/callbacks/twilio/{scene.tenant.slug}/status/{delivery.pk}"
    form = {"MessageSid": "SM1", "MessageStatus": "sent"}
    client = Client(raise_request_exception=False, SERVER_NAME="localhost")
    kind = "application/x-www-form-urlencoded"
    forged = sign(TOKEN, f"http://localhost{path}", form)
    headers = {"X-Twilio-Signature": forged}
    assert client.post(path, urlencode(form), content_type=kind, headers=headers).status_code == 403


def test_unknown_tenants_channels_and_deliveries_sound_alike(scene: Scene) -> None:
    other = Scene()
    (delivery,) = scene.deliveries()
    form = {"MessageSid": "SM1", "MessageStatus": "sent"}
    paths = [
        f"/callbacks/twilio/nobody/status/{delivery.pk}",
        f"/callbacks/twilio/{other.tenant.slug}/status/{delivery.pk}",
        f"/callbacks/twilio/{scene.tenant.slug}/status/{other.id}",
        f"/callbacks/twilio/{scene.tenant.slug}/answers/{other.id}",
    ]
    answers = {(response.status_code, response.content) for response in (post(path, form) for path in paths)}
    assert answers == {(403, b"refused\n")}


def test_a_malformed_call_is_a_400(scene: Scene) -> None:
    assert status(scene, "odd").status_code == 400
    (delivery,) = scene.deliveries()
    path = f"/callbacks/twilio/{scene.tenant.slug}/status/{delivery.pk}"
    client = Client(raise_request_exception=False)
    for body in (b"\xff", b"a=1&a=1", b"x" * 300_000):
        assert client.post(path, body, content_type="application/x-www-form-urlencoded").status_code == 400
    assert client.get(path).status_code == 405


def test_ack_acknowledges_and_says_so(scene: Scene) -> None:
    response = answer(scene, "Ack")
    assert response.status_code == 200
    assert b"<Message>Acknowledged: Down</Message>" in response.content
    group = scene.group()
    assert (group.status, group.acknowledged_by) == ("acknowledged", f"{NUMBER} (SMS)")
    assert b"taken back" in answer(scene, "3", sid="SM-2").content
    assert scene.group().status == "firing"
    assert b"Resolved: Down" in answer(scene, "RES", sid="SM-3").content
    assert scene.group().status == "resolved"
    assert b"Down" in answer(scene, "ack", sid="SM-4").content
    assert scene.group().status == "resolved"


def test_the_code_says_which_message_is_meant(scene: Scene, twilio: FakeTwilio) -> None:
    scene.run(alert("Slow", host="b", severity="critical"))
    deliver_due(scene.id)
    assert len(twilio.messages) == 2
    first = twilio.messages[0].body[-6:-1]
    answer(scene, f"ack {first}")
    assert [group.status for group in scene.groups()] == ["acknowledged", "firing"]
    answer(scene, "1", sid="SM-2")
    assert [group.status for group in scene.groups()] == ["acknowledged", "acknowledged"]
    assert b"no message to you" in answer(scene, "ack 00000", sid="SM-3").content


def test_the_same_answer_twice_acts_once(scene: Scene) -> None:
    assert b"Acknowledged" in answer(scene, "ack").content
    lifecycle.unacknowledge(scene.principal, scene.group().pk)
    assert b"<Message>" not in answer(scene, "ack").content
    assert scene.group().status == "firing"
    with scene.context():
        assert list(ProviderEvent.objects.values_list("event_id", "outcome")) == [("SM-in", "acknowledge")]


def test_a_stranger_cannot_act(scene: Scene) -> None:
    assert b"no message to you" in answer(scene, "ack", number=STRANGER).content
    assert scene.group().status == "firing"


def test_an_answer_that_means_nothing_is_explained(scene: Scene) -> None:
    assert b"Answer 1 or ACK" in answer(scene, "what?").content


def test_stop_and_start(scene: Scene) -> None:
    assert b"<Message>" not in answer(scene, "STOP").content
    with scene.context():
        assert SmsOptOut.objects.filter(number=NUMBER, source="STOP").exists()
    scene.run(alert("Slow", host="b", severity="critical"))
    deliver_due(scene.id)
    assert scene.deliveries()[-1].state == "expired"
    answer(scene, "START", sid="SM-2")
    with scene.context():
        assert not SmsOptOut.objects.exists()


def test_one_address_serves_all_numbers_of_an_account(scene: Scene) -> None:
    path = f"/callbacks/twilio/{scene.tenant.slug}/answers"
    form = {"MessageSid": "SM-in", "From": NUMBER, "To": "+15005550006", "Body": "ack", "AccountSid": ACCOUNT}
    assert post(path, form | {"AccountSid": "AC0"}).status_code == 403
    assert b"Acknowledged" in post(path, form).content
    assert scene.group().status == "acknowledged"


def test_a_channel_may_not_want_answers(scene: Scene) -> None:
    with scene.context():
        channel = Channel.objects.get(name="phones")
        channel.settings = channel.settings | {"replies": False}
        channel.save()
    assert b"<Message>" not in answer(scene, "ack").content
    assert scene.group().status == "firing"


def test_the_short_link_leads_to_the_group(scene: Scene, twilio: FakeTwilio) -> None:
    group = scene.group()
    assert f"{BASE}/g/{short_id(group.pk)}" in twilio.messages[0].body
    client = Client()
    assert client.get(f"/g/{short_id(group.pk)}").url == f"/admin/alerting/alertgroup/{group.pk}/change/"
    assert client.get("/g/").url == "/admin/alerting/alertgroup/"
    assert client.get("/g/nonsense").status_code == 404
    with scene.context():
        assert Delivery.objects.count() == 1


def own(scene: Scene, role: str = "responder", **person: Any) -> User:
    """A member who has proved that the number is theirs."""
    member = make_member(scene.tenant, role)
    User.objects.filter(pk=member.pk).update(**person)
    with scene.context():
        channel = Channel.objects.get(name="phones")
        ContactMethod.objects.create(person=member, channel=channel, address=NUMBER, verified_at=timezone.now())
    return member


class TestWhoseNumber:
    def test_a_member_acts_in_their_own_name(self, scene: Scene) -> None:
        member = own(scene)
        assert b"Acknowledged" in answer(scene, "ack").content
        assert scene.group().acknowledged_by == f"{member.username} (SMS)"

    def test_a_member_may_do_by_sms_what_they_may_do_elsewhere(self, scene: Scene) -> None:
        own(scene, "viewer")
        assert b"role does not allow" in answer(scene, "ack").content
        assert scene.group().status == "firing"

    def test_an_address_that_was_not_proved_is_nobodys(self, scene: Scene) -> None:
        own(scene, "viewer")
        with scene.context():
            ContactMethod.objects.update(verified_at=None)
        assert b"Acknowledged" in answer(scene, "ack").content
        assert scene.group().acknowledged_by == f"{NUMBER} (SMS)"

    def test_who_left_the_tenant_acts_for_nobody(self, scene: Scene) -> None:
        member = own(scene, "viewer")
        with scene.context():
            Membership.objects.filter(user=member).delete()
        answer(scene, "ack")
        assert scene.group().acknowledged_by == f"{NUMBER} (SMS)"

    def test_it_is_written_to_in_its_owners_language(self, scene: Scene, twilio: FakeTwilio) -> None:
        own(scene, locale="fr", time_zone="Europe/Paris")
        scene.run(alert("Slow", host="b", severity="critical"))
        deliver_due(scene.id)
        first, second = (message.body for message in twilio.messages)
        assert first.startswith("CRITICAL")
        assert second.startswith("CRITIQUE")


def test_a_number_that_cannot_be_reached_stands_in_the_timeline(scene: Scene) -> None:
    status(scene, "sent")
    status(scene, "undelivered")
    status(scene, "undelivered")
    with scene.context():
        [event] = TimelineEvent.objects.filter(kind="not_delivered")
        assert event.reason == "undelivered"
        assert "30003" in event.data["why"]
        assert Delivery.objects.get().state == "delivered", "the gateway took it: that stays true"
