"""Which address of the inbox does what."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, quote

from config.inbox import callers
from config.inbox.page import draw_page
from config.inbox.slack_player import SlackPlayer, read_form
from config.inbox.store import Inbox, Item
from tests.fakes.http import Reply, Request
from tests.fakes.pagerduty import FakePagerDuty
from tests.fakes.slack import FakeSlack, SlackMessage
from tests.fakes.twilio import FakeTwilio, TwilioMessage
from tests.fakes.webhook import FakeWebhook

SLACK_PREFIX = "/slack/api/"
SLACK_DOORS = ("/slack/press", "/slack/submit", "/slack/command", "/slack/answers/")
WEBHOOK_PREFIX = "/hooks/"
TWILIO_PREFIX = "/twilio"
PAGERDUTY_PREFIX = "/pagerduty"
HTML_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self';"
        # Charts of messages come from the service, which answers on another port of this machine.
        " img-src data: http://127.0.0.1:*; frame-src 'self'"
    ),
}
# Reloads only when something new came, and never while a reader has a mail or source open.
SCRIPT = """
const seen = Number(document.body.dataset.total);
setInterval(async () => {
  if (document.hidden || document.querySelector('details[open]')) return;
  const answer = await fetch('/count', {cache: 'no-store'}).catch(() => null);
  if (answer && answer.ok && Number(await answer.text()) !== seen) location.reload();
}, 2000);
for (const frame of document.querySelectorAll('iframe')) {
  const fit = () => {
    const page = frame.contentDocument && frame.contentDocument.documentElement;
    if (page) frame.style.height = Math.min(page.scrollHeight + 2, 1400) + 'px';
  };
  frame.addEventListener('load', fit);
  fit();
}
"""


class Doors:
    """Routes a request to the page, to the fake of a provider or to the webhook receiver."""

    def __init__(self, inbox: Inbox, secrets: list[str], own_url: str = "http://127.0.0.1:8025") -> None:
        self._inbox = inbox
        self._slack = FakeSlack(
            open_house=True,
            prefix=SLACK_PREFIX,
            on_message=self._keep_slack,
            on_update=lambda _message: inbox.touch(),
            channels={},
        )
        self._player = SlackPlayer(self._slack, own_url)
        self._webhook = FakeWebhook(secrets=secrets, on_arrival=inbox.add_webhook)
        self._twilio = FakeTwilio(open_house=True, prefix=TWILIO_PREFIX, on_message=self._keep_sms)
        self._pagerduty = FakePagerDuty(
            open_house=True, prefix=PAGERDUTY_PREFIX, on_event=inbox.add_incident, on_change=inbox.add_change
        )

    def __call__(self, request: Request) -> Reply:
        if request.path.startswith(SLACK_PREFIX):
            return self._slack(request)
        if request.path.startswith(WEBHOOK_PREFIX):
            return self._webhook(request)
        if request.path.startswith(f"{TWILIO_PREFIX}/"):
            return self._twilio(request)
        if request.path.startswith(f"{PAGERDUTY_PREFIX}/"):
            return self._pagerduty(request)
        if request.path in {"/answer", "/act"} and request.method == "POST":
            return self._play(request)
        if request.path.startswith(SLACK_DOORS) and request.method == "POST":
            return self._play_slack(request)
        if request.path == "/clear" and request.method == "POST":
            self._inbox.clear()
            return Reply(HTTPStatus.SEE_OTHER, headers={"Location": "/"})
        if request.method != "GET":
            return _text(HTTPStatus.METHOD_NOT_ALLOWED, "method not allowed")
        return self._read(request)

    def _read(self, request: Request) -> Reply:
        channel = request.query.get("channel", "")
        if request.path == "/":
            items = self._inbox.newest_first(channel)
            page = draw_page(items, channel=channel, total=self._inbox.total, said=request.query.get("said", ""))
            return Reply(body=page.encode("utf-8", "replace"), headers=HTML_HEADERS)
        if request.path == "/messages.json":
            listed = [_plain(item) for item in self._inbox.newest_first(channel)]
            return Reply(body=json.dumps(listed, default=str).encode(), headers={"Content-Type": "application/json"})
        if request.path == "/inbox.js":
            return Reply(body=SCRIPT.encode(), headers={"Content-Type": "text/javascript"})
        if request.path == "/count":
            return _text(HTTPStatus.OK, str(self._inbox.total))
        if request.path == "/healthz":
            return _text(HTTPStatus.OK, "ok")
        return _text(HTTPStatus.NOT_FOUND, "not found")

    def _play(self, request: Request) -> Reply:
        """Do what a reader would: answer an SMS or work on an incident; show what the service said to it."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        item = self._inbox.find(int(form["number"]) if form.get("number", "").isdigit() else 0)
        said = "This message is gone."
        if item is not None and request.path == "/answer" and "message" in item.detail:
            said = callers.answer(item.detail["message"], form.get("text", ""))
        elif item is not None and request.path == "/act" and "incident" in item.detail:
            said = callers.act(item.detail["incident"], form.get("what", ""))
        place = f"#m{item.number}" if item is not None else ""
        return Reply(HTTPStatus.SEE_OTHER, headers={"Location": f"/?said={quote(said[:300])}{place}"})

    def _play_slack(self, request: Request) -> Reply:
        """Press a button, fill a dialog, or take what the service tells whoever clicked."""
        if request.path.startswith("/slack/answers/"):
            self._player.take_answer(request)
            return Reply()
        form = read_form(request)
        if request.path == "/slack/command":
            return _said(self._player.command(form.get("text", "")), "/?channel=slack&")
        message = next((one for one in self._slack.messages if one.ts == form.get("ts")), None)
        page = ""
        if message is None:
            said = "This message is gone."
        elif request.path == "/slack/press":
            said, page = self._player.press(message, form.get("value", ""))
        else:
            said = self._player.submit(message, form)
        if page:
            return Reply(body=page.encode("utf-8", "replace"), headers=HTML_HEADERS)
        return _said(said)

    def _keep_sms(self, message: TwilioMessage) -> None:
        self._inbox.add_sms(message)
        callers.send_receipts(message)

    def _keep_slack(self, message: SlackMessage) -> None:
        self._inbox.add_slack(message, self._slack.channels.get(message.channel, message.channel))


def _plain(item: Item) -> dict[str, object]:
    detail = {
        name: asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        for name, value in item.detail.items()
    }
    # What the service logged in with is nobody's to read here.
    for secret, holder in (("token", detail.get("message")), ("routing_key", detail.get("event"))):
        if isinstance(holder, dict):
            detail = {name: _without(value, secret) if value is holder else value for name, value in detail.items()}
    if isinstance(incident := detail.get("incident"), dict):
        incident["event"] = _without(incident["event"], "routing_key")
    return {
        "number": item.number,
        "at": item.at.isoformat(),
        "channel": item.channel,
        "to": item.to,
        "title": item.title,
        "text": item.text,
        **detail,
    }


def _said(words: str, place: str = "/?") -> Reply:
    """Lead back to the page, which shows what the service answered."""
    return Reply(HTTPStatus.SEE_OTHER, headers={"Location": f"{place}said={quote(words[:1500])}"})


def _without(values: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in values.items() if key != name}


def _text(status: int, text: str) -> Reply:
    return Reply(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
