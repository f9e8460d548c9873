"""Plays the providers' part: receipts, answers of a reader and acts on an incident, signed as the real ones sign."""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from html import unescape
from urllib.parse import urlencode, urlsplit

from tests.fakes import pagerduty, twilio
from tests.fakes.pagerduty import Incident
from tests.fakes.twilio import TwilioMessage

SECONDS = 5.0
ANSWER = re.compile(r"<Message>(.*?)</Message>", re.DOTALL)
STATES = ("sent", "delivered")
ACTS = {"acknowledge": "acknowledged", "unacknowledge": "unacknowledged", "resolve": "resolved"}


def send_receipts(message: TwilioMessage) -> None:
    """Tell the service, in a thread of its own, that the message reached the phone."""
    if message.status_callback:
        threading.Thread(target=_tell_states, args=[message], daemon=True).start()


def answer(message: TwilioMessage, text: str) -> str:
    """Send a reader's words to the service; return what it answers."""
    place, mark, _rest = message.status_callback.partition("/status/")
    if not mark:
        return "The message named no address for answers."
    form = {
        "MessageSid": f"SM{uuid.uuid4().hex}",
        "AccountSid": message.account,
        "From": message.to,
        "To": message.sender,
        "Body": text,
    }
    said = _post_form(f"{place}/answers", form, message.token)
    found = ANSWER.search(said)
    return unescape(found[1]) if found else "" if said.endswith("<Response></Response>") else said


def act(incident: Incident, what: str) -> str:
    """Do to an incident what a person could do in PagerDuty, and tell the service by webhook."""
    parts = urlsplit(str(incident.event.get("client_url", "")))
    if not parts.netloc or what not in ACTS:
        return "The incident names no address of the service."
    event = {
        "id": uuid.uuid4().hex,
        "event_type": f"incident.{ACTS[what]}",
        "resource_type": "incident",
        "occurred_at": datetime.now(UTC).isoformat(),
        "agent": {"id": "PINBOX", "type": "user_reference", "summary": "Inbox"},
        "data": {"id": "QINBOX", "type": "incident", "incident_key": incident.key},
    }
    body = json.dumps({"event": event}).encode()
    slug = incident.key.partition(":")[0]
    # The demo's channel keeps its routing key as the webhook's secret, which the inbox therefore knows.
    headers = {
        "Content-Type": "application/json",
        "X-PagerDuty-Signature": pagerduty.sign([str(incident.event["routing_key"])], body),
    }
    said = post(f"{parts.scheme}://{parts.netloc}/callbacks/pagerduty/{slug}", body, headers)
    if said in ACTS:
        incident.status = {"unacknowledge": "triggered"}.get(what, ACTS[what])
    return said


def _tell_states(message: TwilioMessage) -> None:
    for state in STATES:
        form = {"MessageSid": message.sid, "MessageStatus": state, "To": message.to, "AccountSid": message.account}
        _post_form(message.status_callback, form, message.token)
        message.status = state


def _post_form(url: str, form: dict[str, str], token: str) -> str:
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": twilio.sign(token, url, form),
    }
    return post(url, urlencode(form).encode(), headers)


def post(url: str, body: bytes, headers: dict[str, str]) -> str:
    """Call the service; return what it says, or how it failed."""
    if urlsplit(url).scheme not in {"http", "https"}:
        return "This is no web address."
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - the scheme was checked
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            return str(response.read(4096).decode("utf-8", "replace")).strip()
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except OSError as error:
        return str(error)
