"""A fake of Twilio's messaging API that keeps messages and refuses what Twilio refuses."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from math import ceil
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.http import Reply, Request
from tests.fakes.pace import Pace

MAX_KEPT, MAX_BODY = 500, 1600
ACCOUNT = "AC" + "0123456789abcdef" * 2
E164 = re.compile(r"\+[1-9]\d{6,14}")
ADDRESS = re.compile(r"/2010-04-01/Accounts/(?P<account>AC[0-9a-f]{32})(?P<rest>/Messages)?\.json")
# The GSM alphabet as 3GPP 23.038 prints it, typed here anew so that the service's own table is checked.
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
DOUBLE = set("^{}\\[~]|€\f")


@dataclass
class TwilioMessage:
    """One message as Twilio keeps it."""

    sid: str
    to: str
    sender: str
    body: str
    segments: int
    sent_at: datetime
    status: str = "queued"
    status_callback: str = ""
    account: str = ""
    token: str = ""


@dataclass
class ScriptedTwilio:
    """How the next send goes; `accept` keeps the message although the answer fails."""

    reply: Reply
    accept: bool = False
    method: str = "POST"


class FakeTwilio:
    """Answers under `prefix`. With `open_house` any token will do."""

    def __init__(
        self,
        *,
        token: str = "test-token",
        open_house: bool = False,
        prefix: str = "",
        on_message: Callable[[TwilioMessage], None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        # Twilio counts the requests of an account.
        self.pace = pace
        self.token, self.open_house, self.prefix, self.on_message = token, open_house, prefix, on_message
        self.messages: deque[TwilioMessage] = deque(maxlen=MAX_KEPT)
        self.calls: deque[Request] = deque(maxlen=MAX_KEPT)
        self.script: deque[ScriptedTwilio] = deque()
        self.opted_out: set[str] = set()
        self.account_status = "active"
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        found = ADDRESS.fullmatch(request.path.removeprefix(self.prefix))
        with self._lock:
            self.calls.append(request)
            scripted = None
            if self.script and self.script[0].method == request.method:
                scripted = self.script.popleft()
            if scripted is not None and not scripted.accept:
                return scripted.reply
            if found is None:
                return refuse(404, 20404, "The requested resource was not found")
            reply = self._answer(request, found)
        return scripted.reply if scripted is not None else reply

    def _answer(self, request: Request, found: re.Match[str]) -> Reply:
        if not self._may_enter(request, found["account"]):
            return refuse(401, 20003, "Authenticate")
        if self.pace and (wait := self.pace.wait(found["account"])):
            return refuse(429, 20429, "Too Many Requests", {"Retry-After": str(wait)})
        if not found["rest"]:
            return _json(200, {"sid": found["account"], "status": self.account_status, "friendly_name": "Fake"})
        if request.method == "POST":
            return self._create(request, found["account"])
        return self._list(request, found["account"])

    def _may_enter(self, request: Request, account: str) -> bool:
        user, password = _login(request)
        if not user:
            return False
        return self.open_house or ((user == account or user.startswith("SK")) and password == self.token)

    def _create(self, request: Request, account: str) -> Reply:
        form = {name: values[-1] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}
        if fault := self._fault(form):
            return fault
        number = len(self.messages) + len(self.calls)
        message = TwilioMessage(
            sid="SM" + hashlib.md5(f"{number}{form}".encode()).hexdigest(),
            to=form["To"],
            sender=form.get("From") or form.get("MessagingServiceSid", ""),
            body=form["Body"],
            segments=count_segments(form["Body"]),
            sent_at=datetime.now(UTC),
            status_callback=form.get("StatusCallback", ""),
            account=account,
            token=_login(request)[1],
        )
        self.messages.append(message)
        if self.on_message is not None:
            self.on_message(message)
        return _json(201, shown(message, account))

    def _fault(self, form: dict[str, str]) -> Reply | None:
        if not form.get("To"):
            return refuse(400, 21604, "A 'To' phone number is required.")
        if not E164.fullmatch(form["To"]):
            return refuse(400, 21211, f"Invalid 'To' Phone Number: {form['To'][:-4]}XXXX")
        if not form.get("From") and not form.get("MessagingServiceSid"):
            return refuse(400, 21603, "A 'From' phone number is required.")
        if not form.get("Body"):
            return refuse(400, 21602, "Message body is required.")
        if len(form["Body"]) > MAX_BODY:
            return refuse(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        callback = form.get("StatusCallback", "")
        if callback and urlsplit(callback).scheme not in {"http", "https"}:
            return refuse(400, 21609, "The 'StatusCallback' URL is not a valid URL.")
        if form["To"] in self.opted_out:
            return refuse(400, 21610, "Attempt to send to unsubscribed recipient")
        return None

    def _list(self, request: Request, account: str) -> Reply:
        wanted, since = request.query.get("To", ""), request.query.get("DateSent>", "")
        size, page = int(request.query.get("PageSize", "50")), int(request.query.get("Page", "0"))
        day = since[:10]
        found = [
            message
            for message in reversed(self.messages)
            if message.to == wanted and (not day or f"{message.sent_at:%Y-%m-%d}" >= day)
        ]
        part = found[page * size : (page + 1) * size]
        more = len(found) > (page + 1) * size
        here = f"/2010-04-01/Accounts/{account}/Messages.json?To={wanted.replace('+', '%2B')}&PageSize={size}"
        next_page = f"{here}&Page={page + 1}&DateSent%3E={since}" if more else None
        return _json(
            200,
            {"messages": [shown(one, account) for one in part], "page": page, "next_page_uri": next_page, "uri": here},
        )


def _login(request: Request) -> tuple[str, str]:
    kind, _blank, given = request.headers.get("authorization", "").partition(" ")
    if kind != "Basic" or not given:
        return "", ""
    user, _colon, password = base64.b64decode(given).decode().partition(":")
    return user, password


def count_segments(text: str) -> int:
    """Count as Twilio bills: 160 or 153 septets, 70 or 67 UTF-16 units."""
    if all(char in GSM or char in DOUBLE for char in text):
        total = sum(2 if char in DOUBLE else 1 for char in text)
        return 1 if total <= 160 else ceil(total / 153)
    total = len(text.encode("utf-16-le")) // 2
    return 1 if total <= 70 else ceil(total / 67)


def sign(token: str, url: str, form: Mapping[str, str]) -> str:
    """Return the X-Twilio-Signature of a form posted to a URL."""
    signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def shown(message: TwilioMessage, account: str) -> dict[str, Any]:
    """Return a message as the API shows it."""
    return {
        "sid": message.sid,
        "account_sid": account,
        "to": message.to,
        "from": message.sender,
        "body": message.body,
        "status": message.status,
        "num_segments": str(message.segments),
        "date_created": format_datetime(message.sent_at),
        "date_sent": format_datetime(message.sent_at),
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "price": None,
        "price_unit": "USD",
        "api_version": "2010-04-01",
    }


def refuse(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    """Return an error as Twilio writes it."""
    body = {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}"}
    return _json(status, {**body, "status": status}, headers)


def _json(status: int, answer: dict[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(answer).encode(), {"Content-Type": "application/json", **(headers or {})})
