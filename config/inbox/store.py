"""What arrived, newest last, bounded in number and size."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.fakes.pagerduty import Incident
from tests.fakes.slack import SlackMessage
from tests.fakes.smtp import Mail
from tests.fakes.twilio import TwilioMessage
from tests.fakes.webhook import WebhookArrival

MAX_KEPT = 500
MAX_TEXT = 256 * 1024


@dataclass(frozen=True)
class Item:
    """One arrival. `to` is the reader, `title` one line, `text` all words, `detail` the rest."""

    number: int
    at: datetime
    channel: str
    to: str
    title: str
    text: str
    detail: dict[str, Any]


class Inbox:
    """Keeps the last arrivals; safe to use from the threads of all doors."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque(maxlen=MAX_KEPT)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.total = 0

    def newest_first(self, channel: str = "") -> list[Item]:
        """Return what is kept, of one channel or of all."""
        with self._lock:
            items = list(self._items)
        return [item for item in reversed(items) if not channel or item.channel == channel]

    def touch(self) -> None:
        """Let open pages see that something they show has changed."""
        with self._lock:
            self.total += 1

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()

    def add_slack(self, message: SlackMessage, channel_name: str) -> None:
        """Keep a Slack message with its blocks."""
        title = message.text.partition("\n")[0]
        detail = {"blocks": message.blocks, "metadata": message.metadata, "ts": message.ts, "slack": message}
        self._add("slack", f"#{channel_name}", title, message.text, detail)

    def add_mail(self, mail: Mail) -> None:
        """Keep a mail with both bodies and the headers a reader may want to see."""
        parsed = mail.message
        headers = {name: str(value) for name, value in parsed.items()}
        detail = {"html": mail.body("html")[:MAX_TEXT], "headers": headers, "from": mail.sender}
        title = str(parsed.get("Subject", ""))
        self._add("email", ", ".join(mail.recipients), title, mail.body("plain"), detail)

    def add_webhook(self, arrival: WebhookArrival) -> None:
        """Keep a webhook call with the state of its signature."""
        request = arrival.request
        detail = {"signature": arrival.signature, "headers": request.headers}
        body = request.body.decode("utf-8", "replace")
        self._add("webhook", request.path, arrival.webhook_id, body, detail)

    def add_sms(self, message: TwilioMessage) -> None:
        """Keep an SMS; its state goes on changing as its receipts are told."""
        self._add("sms", message.to, message.body, message.body, {"message": message})

    def add_incident(self, incident: Incident, action: str) -> None:
        """Keep what was done to an incident."""
        summary = str(incident.payload.get("summary", ""))
        self._add("pagerduty", "PagerDuty", f"{action}: {summary}", summary, {"incident": incident, "action": action})

    def add_change(self, event: dict[str, Any]) -> None:
        """Keep a change event."""
        summary = str(event["payload"].get("summary", ""))
        self._add("pagerduty", "PagerDuty", f"change: {summary}", summary, {"event": event, "action": "change"})

    def find(self, number: int) -> Item | None:
        """Return one arrival that is still kept."""
        with self._lock:
            return next((item for item in self._items if item.number == number), None)

    def _add(self, channel: str, to: str, title: str, text: str, detail: dict[str, Any]) -> None:
        with self._lock:
            self.total += 1
            self._items.append(
                Item(
                    number=next(self._numbers),
                    at=datetime.now(UTC),
                    channel=channel,
                    to=to,
                    title=title,
                    text=text[:MAX_TEXT],
                    detail=detail,
                )
            )
