"""An SMS that does not reach the phone makes the next one ring: lost at once, unconfirmed after two minutes."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client

from channels.delivery import deliver_due
from channels.models import SmsMessage
from tests.alerting.escalation.scenes import Call, level, member_target
from tests.alerting.scenes import alert
from tests.fakes.twilio import ACCOUNT, FakeTwilio, sign

pytestmark = pytest.mark.django_db
TOKEN, BASE = "test-token", "https://alerts.example.com"
ANN, ANNS_OTHER, BOB = "+436641234567", "+436641234568", "+436641234569"


@pytest.fixture
def twilio(twilio: FakeTwilio, settings: Any) -> FakeTwilio:
    settings.PUBLIC_BASE_URL = BASE
    return twilio


@pytest.fixture
def call(twilio: FakeTwilio) -> Call:
    """Ann is called first, an hour later Bob."""
    call = Call()
    with call.context():
        call.pager.kind = "sms"
        call.pager.settings = {"to": [ANN], "sender": "+15005550006", "account_sid": ACCOUNT}
        call.pager.credentials = json.dumps({"auth_token": TOKEN})
        call.pager.save()
    ann, bob = call.person("ann", contact=False), call.person("bob", contact=False)
    call.contact(ann, ANN)
    call.contact(bob, BOB)
    call.routed(level(0, member_target(ann)), level(60, member_target(bob)))
    call.feed(alert("DiskFull", severity="critical"))
    call.flush()
    work(call)
    assert called(twilio) == [ANN]
    return call


def work(call: Call) -> None:
    """Let the escalation and the delivery engine do what is due."""
    call.step()
    while deliver_due(call.id):
        pass


def called(twilio: FakeTwilio) -> list[str]:
    return [message.to for message in twilio.messages]


def status(call: Call, state: str) -> None:
    with call.context():
        delivery_id = SmsMessage.objects.order_by("admitted_at").values_list("delivery_id", flat=True)[0]
    path = f"/callbacks/twilio/{call.tenant.slug}/status/{delivery_id}"
    form = {"MessageSid": "SM1", "MessageStatus": state}
    headers = {"X-Twilio-Signature": sign(TOKEN, f"{BASE}{path}", form)}
    kind = "application/x-www-form-urlencoded"
    assert Client().post(path, urlencode(form), content_type=kind, headers=headers).status_code == 204


def wait(call: Call, minutes: float) -> None:
    """Let time go by for the SMS and the timers."""
    call.age(minutes)
    with call.context(), connection.cursor() as cursor:
        cursor.execute("UPDATE sms_message SET admitted_at = admitted_at - %s * interval '1 minute'", [minutes])


@pytest.mark.parametrize("state", ["undelivered", "failed"])
def test_a_lost_sms_calls_the_next_at_once(call: Call, twilio: FakeTwilio, state: str) -> None:
    status(call, "sent")
    status(call, state)
    work(call)
    assert called(twilio) == [ANN, BOB]


def test_a_message_on_the_phone_lets_the_next_sleep(call: Call, twilio: FakeTwilio) -> None:
    status(call, "sent")
    status(call, "delivered")
    wait(call, 5)
    work(call)
    assert called(twilio) == [ANN]


def test_what_nobody_confirms_calls_the_next_after_two_minutes_and_once(call: Call, twilio: FakeTwilio) -> None:
    status(call, "sent")
    wait(call, 1)
    work(call)
    assert called(twilio) == [ANN]
    wait(call, 1.5)
    work(call)
    work(call)
    assert called(twilio) == [ANN, BOB]
    with call.context():
        assert SmsMessage.objects.get(number=ANN).receipt == "unconfirmed"


def test_without_any_word_of_the_gateway_silence_means_nothing(call: Call, twilio: FakeTwilio) -> None:
    wait(call, 10)
    work(call)
    assert called(twilio) == [ANN]


def test_a_late_confirmation_is_taken(call: Call) -> None:
    status(call, "sent")
    wait(call, 3)
    work(call)
    status(call, "delivered")
    with call.context():
        assert SmsMessage.objects.get(number=ANN).receipt == "delivered"
