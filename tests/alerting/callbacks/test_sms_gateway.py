"""Receipts of a gateway other than Twilio over HTTP: forward only, by its id or ours, and what is lost hurries."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client

from channels.delivery import deliver_due
from channels.models import Channel, Delivery, SmsMessage, SmsOptOut
from tests.alerting.escalation.scenes import Call, level, member_target
from tests.alerting.scenes import Scene, alert
from tests.fakes.http import FakeServer
from tests.fakes.sms_gateway import SIGNATURE_HEADER, FakeGateway, sign

pytestmark = pytest.mark.django_db
SECRET, SECOND = "0123456789abcdef", "the next secret of it"
ANN, BOB = "+436641234567", "+436641234569"


@pytest.fixture
def gateway(settings: Any) -> Iterator[FakeGateway]:
    settings.EGRESS_ALLOW_HTTP = settings.EGRESS_ALLOW_LOOPBACK = True
    fake = FakeGateway()
    with FakeServer(fake) as server:
        fake.url = server.url
        yield fake


@pytest.fixture
def call(gateway: FakeGateway) -> Call:
    """Ann is called first, an hour later Bob."""
    call = Call()
    with call.context():
        make_phones(call.pager, gateway.url)
    ann, bob = call.person("ann", contact=False), call.person("bob", contact=False)
    call.contact(ann, ANN)
    call.contact(bob, BOB)
    call.routed(level(0, member_target(ann)), level(60, member_target(bob)))
    call.feed(alert("DiskFull", severity="critical"))
    call.flush()
    work(call)
    assert [text.to for text in gateway.texts] == [ANN]
    return call


def make_phones(channel: Channel, url: str, secrets: tuple[str, ...] = (SECRET, SECOND)) -> None:
    channel.kind = "sms"
    channel.settings = {
        "to": [ANN],
        "gateway": "http",
        "url": url,
        "id_field": "message.id",
        "receipt_header": SIGNATURE_HEADER,
        "receipt_id": "message.id",
        "receipt_status": "message.state",
        "receipt_error": "message.code",
        "receipt_states": ["ARRIVED=delivered"],
    }
    channel.credentials = json.dumps({"webhook_secrets": list(secrets)})
    channel.save()


def work(call: Call) -> None:
    call.step()
    while deliver_due(call.id):
        pass


def tell(
    scene: Any, message_id: str, state: str, *, secret: str = SECRET, channel: Any = None, slug: str = ""
) -> HttpResponse:
    body = json.dumps({"message": {"id": message_id, "state": state, "code": 27}}).encode()
    path = f"/callbacks/sms/{slug or scene.tenant.slug}/{channel or scene.pager.pk}"
    headers = {SIGNATURE_HEADER: sign(secret, body)}
    client = Client(raise_request_exception=False)
    return client.post(path, body, content_type="application/json", headers=headers)


def receipt(call: Call, number: str = ANN) -> tuple[str, int | None]:
    with call.context():
        return SmsMessage.objects.values_list("receipt", "error_code").get(number=number)


def test_a_receipt_only_moves_forward(call: Call, gateway: FakeGateway) -> None:
    (text,) = gateway.texts
    seen = []
    for state in ("ACCEPTD", "ARRIVED", "ENROUTE", "UNDELIV", "read", "ARRIVED"):
        assert tell(call, text.id, state).status_code == 200
        seen.append(receipt(call)[0])
    assert seen == ["queued", "delivered", "delivered", "delivered", "read", "read"]


def test_our_own_id_and_the_next_secret_do_as_well(call: Call, gateway: FakeGateway) -> None:
    (text,) = gateway.texts
    answer = tell(call, text.reference, "ENROUTE", secret=SECOND)
    assert (answer.status_code, answer.content) == (200, b"taken\n")
    assert receipt(call) == ("sending", 27)
    assert tell(call, text.id, "billed").content == b"ignored\n"
    assert tell(call, text.id, "ACCEPTD").content == b"known\n"


def test_a_lost_sms_calls_the_next_at_once(call: Call, gateway: FakeGateway) -> None:
    tell(call, gateway.texts[0].id, "UNDELIV")
    work(call)
    assert [text.to for text in gateway.texts] == [ANN, BOB]
    with call.context():
        first = Delivery.objects.get(recipient=ANN)
    assert "(27)" in first.state_reason


def test_what_arrived_lets_the_next_sleep(call: Call, gateway: FakeGateway) -> None:
    tell(call, gateway.texts[0].id, "ARRIVED")
    tell(call, gateway.texts[0].id, "UNDELIV")
    work(call)
    assert [text.to for text in gateway.texts] == [ANN]


def test_an_id_that_is_not_known_yet_is_asked_for_again(call: Call) -> None:
    assert tell(call, "gw-0", "ARRIVED").status_code == 404


def test_what_is_not_surely_the_gateways_changes_nothing(call: Call, gateway: FakeGateway) -> None:
    (text,) = gateway.texts
    other = Scene()
    twilio, silent = other.channel("twilio"), call.channel("silent")
    with call.context():
        make_phones(silent, gateway.url, secrets=())
    tries = [
        tell(call, text.id, "ARRIVED", secret="guessed guessed guessed"),
        tell(call, text.id, "ARRIVED", slug="nobody"),
        tell(call, text.id, "ARRIVED", slug=other.tenant.slug),
        tell(call, text.id, "ARRIVED", channel=twilio.pk),
        tell(call, text.id, "ARRIVED", channel=silent.pk, secret=""),
    ]
    assert {(one.status_code, one.content) for one in tries} == {(403, b"refused\n")}
    assert receipt(call)[0] == ""


def test_a_channel_moves_only_what_it_sent(call: Call, gateway: FakeGateway) -> None:
    neighbour = call.channel("neighbour")
    with call.context():
        make_phones(neighbour, gateway.url)
    assert tell(call, gateway.texts[0].id, "ARRIVED", channel=neighbour.pk).status_code == 404
    assert receipt(call)[0] == ""


def test_a_body_that_is_no_receipt_is_a_400(call: Call) -> None:
    body = b"hello"
    path = f"/callbacks/sms/{call.tenant.slug}/{call.pager.pk}"
    headers = {SIGNATURE_HEADER: sign(SECRET, body)}
    assert Client().post(path, body, content_type="text/plain", headers=headers).status_code == 400
    assert Client().get(path).status_code == 405


def write(call: Call, text: str, number: str = ANN, sid: str = "in-1", secret: str = SECRET) -> HttpResponse:
    """Somebody writes back; this gateway tells of it as a form."""
    body = urlencode({"id": sid, "from": number, "text": text}).encode()
    path = f"/callbacks/sms/{call.tenant.slug}/{call.pager.pk}/answers"
    headers = {SIGNATURE_HEADER: sign(secret, body, in_hex=False)}
    kind = "application/x-www-form-urlencoded"
    return Client(raise_request_exception=False).post(path, body, content_type=kind, headers=headers)


def test_an_answer_acts_once_and_says_so(call: Call, gateway: FakeGateway) -> None:
    assert "1=ACK 2=RES" in gateway.texts[0].text
    answer = write(call, "1", number=ANN.removeprefix("+"))
    assert (answer.status_code, answer.content.decode()) == (200, f"Acknowledged: {call.group().title}")
    assert call.group().status == "acknowledged"
    assert write(call, "1").content == b"", "the same call again"
    write(call, "3", sid="in-2")
    assert call.group().status == "firing"


def test_who_was_not_told_or_proves_nothing_cannot_act(call: Call) -> None:
    assert write(call, "ack", secret="guessed guessed guessed").status_code == 403
    assert b"no message to you" in write(call, "ack", number="+436649999999").content
    assert write(call, "ack", number="Ann", sid="in-3").status_code == 400
    assert call.group().status == "firing"


def test_stop_is_remembered(call: Call) -> None:
    write(call, "STOP")
    with call.context():
        assert SmsOptOut.objects.get().number == ANN
    write(call, "START", sid="in-2")
    with call.context():
        assert not SmsOptOut.objects.exists()
