"""Which address of the inbox does what."""

from __future__ import annotations

import json
from http import HTTPStatus

from config.inbox.page import draw_page
from config.inbox.store import Inbox, Item
from tests.fakes.http import Reply, Request
from tests.fakes.slack import FakeSlack, SlackMessage
from tests.fakes.webhook import FakeWebhook

SLACK_PREFIX = "/slack/api/"
WEBHOOK_PREFIX = "/hooks/"
HTML_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self';"
        " img-src data:; frame-src 'self'"
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
    """Routes a request to the page, to the fake of Slack or to the webhook receiver."""

    def __init__(self, inbox: Inbox, secrets: list[str]) -> None:
        self._inbox = inbox
        self._slack = FakeSlack(open_house=True, prefix=SLACK_PREFIX, on_message=self._keep_slack, channels={})
        self._webhook = FakeWebhook(secrets=secrets, on_arrival=inbox.add_webhook)

    def __call__(self, request: Request) -> Reply:
        if request.path.startswith(SLACK_PREFIX):
            return self._slack(request)
        if request.path.startswith(WEBHOOK_PREFIX):
            return self._webhook(request)
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
            page = draw_page(items, channel=channel, total=self._inbox.total)
            return Reply(body=page.encode("utf-8", "replace"), headers=HTML_HEADERS)
        if request.path == "/messages.json":
            listed = [_plain(item) for item in self._inbox.newest_first(channel)]
            return Reply(body=json.dumps(listed).encode(), headers={"Content-Type": "application/json"})
        if request.path == "/inbox.js":
            return Reply(body=SCRIPT.encode(), headers={"Content-Type": "text/javascript"})
        if request.path == "/count":
            return _text(HTTPStatus.OK, str(self._inbox.total))
        if request.path == "/healthz":
            return _text(HTTPStatus.OK, "ok")
        return _text(HTTPStatus.NOT_FOUND, "not found")

    def _keep_slack(self, message: SlackMessage) -> None:
        self._inbox.add_slack(message, self._slack.channels.get(message.channel, message.channel))


def _plain(item: Item) -> dict[str, object]:
    return {
        "number": item.number,
        "at": item.at.isoformat(),
        "channel": item.channel,
        "to": item.to,
        "title": item.title,
        "text": item.text,
        **item.detail,
    }


def _text(status: int, text: str) -> Reply:
    return Reply(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
