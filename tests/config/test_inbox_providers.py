"""The inbox plays Twilio and PagerDuty: what it draws, and what it calls the service with."""

import json
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, parse_qsl, urlencode

import pytest

from channels.callbacks import pagerduty as pagerduty_calls
from channels.callbacks import twilio as twilio_calls
from config.inbox.doors import Doors
from config.inbox.store import Inbox
from tests.fakes.http import FakeServer, Reply, Request
from tests.fakes.twilio import ACCOUNT

KEY = "k" * 32


class Service:
    """Stands for the service that the providers call."""

    def __init__(self) -> None:
        self.calls: list[Request] = []
        self.url = ""
        self.says = b"<Response><Message>Acknowledged: Disk</Message></Response>"

    def __call__(self, request: Request) -> Reply:
        self.calls.append(request)
        return Reply(200, self.says)


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()
    with FakeServer(found) as server:
        found.url = server.url
        yield found


@pytest.fixture
def doors() -> Doors:
    return Doors(Inbox(), secrets=[])


def send_sms(doors: Doors, service: Service, body: str = "CRITICAL: Disk https://a.example.com/g/x [12345]") -> None:
    form = {"To": "+436641234567", "From": "+15005550006", "Body": body}
    form["StatusCallback"] = f"{service.url}/callbacks/twilio/demo/status/1"
    path, headers = f"/twilio/2010-04-01/Accounts/{ACCOUNT}/Messages.json", {"authorization": "Basic QUM6dG9rZW4="}
    assert doors(Request("POST", path, {}, headers, urlencode(form).encode())).status == 201


def send_event(doors: Doors, service: Service, action: str = "trigger") -> None:
    payload = {"summary": "Disk <b>full</b>", "source": "db", "severity": "critical"}
    event = {"routing_key": KEY, "event_action": action, "dedup_key": "demo:1", "payload": payload}
    event["client_url"] = f"{service.url}/admin/1"
    assert doors(Request("POST", "/pagerduty/v2/enqueue", {}, {}, json.dumps(event).encode())).status == 202


def page(doors: Doors, **query: str) -> str:
    return doors(Request("GET", "/", query, {}, b"")).body.decode()


def press(doors: Doors, path: str, **form: str) -> str:
    reply = doors(Request("POST", path, {}, {}, urlencode(form).encode()))
    assert reply.status == 303
    return reply.headers["Location"]


def test_an_sms_is_a_bubble_and_reaches_the_phone(doors: Doors, service: Service) -> None:
    send_sms(doors, service)
    shown = page(doors, channel="sms")
    assert '<div class="bubble">CRITICAL: Disk <a href="https://a.example.com/g/x"' in shown
    assert "1 segment, GSM-7" in shown
    (listed,) = json.loads(doors(Request("GET", "/messages.json", {}, {}, b"")).body)
    assert listed["message"]["to"] == "+436641234567"
    assert "token" not in listed["message"]
    deadline = time.monotonic() + 5
    while len(service.calls) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    states = [dict(parse_qsl(call.body.decode()))["MessageStatus"] for call in service.calls]
    assert states == ["sent", "delivered"]
    for call in service.calls:
        fields = dict(parse_qsl(call.body.decode()))
        twilio_calls.verify(["token"], f"{service.url}{call.path}", fields, call.headers["x-twilio-signature"])


def test_an_answer_is_sent_as_twilio_would(doors: Doors, service: Service) -> None:
    send_sms(doors, service)
    place = press(doors, "/answer", number="1", text="ACK")
    (call,) = [one for one in service.calls if one.path.endswith("/answers")]
    fields = dict(parse_qsl(call.body.decode()))
    assert (fields["From"], fields["To"], fields["Body"]) == ("+436641234567", "+15005550006", "ACK")
    twilio_calls.verify(
        ["token"], f"{service.url}/callbacks/twilio/demo/answers", fields, call.headers["x-twilio-signature"]
    )
    said = parse_qs(place.removeprefix("/?").partition("#")[0])["said"][0]
    assert "Acknowledged: Disk" in page(doors, said=said)


def test_an_incident_is_worked_on_as_in_pagerduty(doors: Doors, service: Service) -> None:
    send_event(doors, service)
    shown = page(doors, channel="pagerduty")
    assert "Disk &lt;b&gt;full&lt;/b&gt;" in shown
    assert "trigger \u2192 triggered" in shown
    assert KEY not in shown
    assert KEY not in doors(Request("GET", "/messages.json", {}, {}, b"")).body.decode()
    service.says = b"acknowledge"
    press(doors, "/act", number="1", what="acknowledge")
    (call,) = service.calls
    assert call.path == "/callbacks/pagerduty/demo"
    pagerduty_calls.verify([KEY], call.body, call.headers["x-pagerduty-signature"])
    happening = pagerduty_calls.read_happening(call.body)
    assert (happening.act, happening.dedup_key, happening.by_person) == ("acknowledge", "demo:1", True)
    assert "Unacknowledge" in page(doors)


def test_a_press_on_what_is_gone_says_so(doors: Doors, service: Service) -> None:
    assert "gone" in press(doors, "/answer", number="99", text="ACK")
    assert "gone" in press(doors, "/act", number="x", what="resolve")
    send_event(doors, service)
    assert "no%20address" in press(doors, "/act", number="1", what="explode")
    assert page(doors, said="<script>").count("<script>") == 0
