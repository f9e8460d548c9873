"""A fake of Slack's Web API that keeps messages and refuses what Slack refuses."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.fakes.http import Reply, Request
from tests.fakes.pace import Pace
from tests.fakes.slack_limits import find_fault

MAX_KEPT = 500
JSON_FIELDS = {"blocks", "metadata", "attachments", "view"}


@dataclass
class SlackMessage:
    """One message in a channel; `ts` is its id."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str = ""
    is_broadcast: bool = False
    edits: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass
class Scripted:
    """How the next call of `method` goes; `accept` keeps the message although the answer fails."""

    reply: Reply
    method: str = "chat.postMessage"
    accept: bool = False


class FakeSlack:
    """Answers `/api/<method>`. With `open_house` any token and any channel will do."""

    def __init__(
        self,
        *,
        token: str = "xoxb-test",
        channels: dict[str, str] | None = None,
        open_house: bool = False,
        prefix: str = "/api/",
        on_message: Callable[[SlackMessage], None] | None = None,
        on_update: Callable[[SlackMessage], None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        # Slack takes about one message a second for each channel, and short bursts.
        self.pace = pace
        self.token = token
        self.channels = channels if channels is not None else {"C0ALERTS": "alerts"}
        self.open_house = open_house
        self.prefix = prefix
        self.on_message = on_message
        self.on_update = on_update
        self.archived: set[str] = set()
        self.views: deque[dict[str, Any]] = deque(maxlen=MAX_KEPT)
        self.messages: deque[SlackMessage] = deque(maxlen=MAX_KEPT)
        self.calls: deque[tuple[str, dict[str, Any]]] = deque(maxlen=MAX_KEPT)
        self.script: deque[Scripted] = deque()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        method = request.path.removeprefix(self.prefix)
        arguments = _arguments(request)
        with self._lock:
            self.calls.append((method, arguments))
            scripted = self._take(method)
            if scripted is not None and not scripted.accept:
                return scripted.reply
            if method == "chat.postMessage" and self.pace and (wait := self.pace.wait(str(arguments.get("channel")))):
                return Reply(429, b'{"ok":false,"error":"ratelimited"}', {"Retry-After": str(wait)})
            answer = self._answer(method, arguments, request.headers)
        return scripted.reply if scripted is not None else _json(answer)

    def _take(self, method: str) -> Scripted | None:
        if self.script and self.script[0].method == method:
            return self.script.popleft()
        return None

    def _answer(self, method: str, arguments: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return _refuse("not_authed")
        if token != self.token and not self.open_house:
            return _refuse("invalid_auth")
        known = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "views.open": self._open_view,
            "conversations.list": self._list,
        }
        return known[method](arguments) if method in known else _refuse("unknown_method")

    def _auth_test(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "team": "Fake", "team_id": "T0FAKE", "user_id": "U0BOT"}

    def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(str(arguments.get("channel", "")))
        if channel is None:
            return _refuse("channel_not_found")
        if channel in self.archived:
            return _refuse("is_archived")
        if fault := find_fault(arguments):
            return _refuse(fault)
        message = SlackMessage(
            channel=channel,
            ts=f"{time.time():.0f}.{next(self._numbers):06d}",
            text=str(arguments.get("text", "")),
            blocks=arguments.get("blocks") or [],
            attachments=arguments.get("attachments") or [],
            thread_ts=str(arguments.get("thread_ts") or ""),
            is_broadcast=str(arguments.get("reply_broadcast")).lower() in {"true", "1"},
            metadata=arguments.get("metadata") or {},
            arguments=arguments,
        )
        self.messages.append(message)
        if self.on_message is not None:
            self.on_message(message)
        return {"ok": True, "channel": channel, "ts": message.ts, "message": _shown(message, True)}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        for message in self.messages:
            if (message.channel, message.ts) == (arguments.get("channel"), arguments.get("ts")):
                if fault := find_fault(arguments):
                    return _refuse(fault)
                message.text = str(arguments.get("text", ""))
                message.blocks = arguments.get("blocks") or []
                message.attachments = arguments.get("attachments") or []
                message.edits += 1
                if self.on_update is not None:
                    self.on_update(message)
                return {"ok": True, "channel": message.channel, "ts": message.ts}
        return _refuse("message_not_found")

    def delete(self, ts: str) -> None:
        """Take a message away, as a person with the right to may do at any time."""
        kept = [message for message in self.messages if message.ts != ts]
        self.messages.clear()
        self.messages.extend(kept)

    def _replies(self, arguments: dict[str, Any]) -> dict[str, Any]:
        thread = str(arguments.get("ts", ""))
        if not any(message.ts == thread for message in self.messages):
            return _refuse("thread_not_found")
        return self._history(arguments, thread)

    def _open_view(self, arguments: dict[str, Any]) -> dict[str, Any]:
        view = arguments.get("view")
        if not arguments.get("trigger_id") or not isinstance(view, dict) or view.get("type") != "modal":
            return _refuse("invalid_arguments")
        if not 1 <= len(view.get("title", {}).get("text", "")) <= 24 or len(view.get("private_metadata", "")) > 3000:
            return _refuse("invalid_arguments")
        self.views.append(view)
        return {"ok": True, "view": {"id": f"V{len(self.views)}", **view}}

    def _history(self, arguments: dict[str, Any], thread: str = "") -> dict[str, Any]:
        channel = str(arguments.get("channel", ""))
        if channel not in self.channels:
            return _refuse("channel_not_found")
        with_metadata = str(arguments.get("include_all_metadata", "")).lower() in {"true", "1"}
        oldest = float(arguments.get("oldest") or 0)
        limit = int(arguments.get("limit") or 100)
        start = int(arguments.get("cursor") or 0)
        found = [
            _shown(message, with_metadata)
            for message in reversed(self.messages)
            if message.channel == channel and float(message.ts) >= oldest and _is_in(message, thread)
        ]
        rest = str(start + limit) if len(found) > start + limit else ""
        return {
            "ok": True,
            "messages": found[start : start + limit],
            "has_more": bool(rest),
            "response_metadata": {"next_cursor": rest},
        }

    def _list(self, arguments: dict[str, Any]) -> dict[str, Any]:
        listed = [{"id": id, "name": name} for id, name in self.channels.items()]
        return {"ok": True, "channels": listed, "response_metadata": {"next_cursor": ""}}

    def _channel(self, wanted: str) -> str | None:
        if wanted in self.channels:
            return wanted
        name = wanted.removeprefix("#")
        for channel, known in self.channels.items():
            if known == name:
                return channel
        if self.open_house and name:
            made = f"C{len(self.channels):08d}"
            self.channels[made] = name
            return made
        return None


def _arguments(request: Request) -> dict[str, Any]:
    arguments: dict[str, Any] = dict(request.query)
    if request.headers.get("content-type", "").startswith("application/json"):
        arguments.update(json.loads(request.body or b"{}"))
        return arguments
    for name, value in parse_qsl(request.body.decode()):
        arguments[name] = json.loads(value) if name in JSON_FIELDS else value
    return arguments


def _is_in(message: SlackMessage, thread: str) -> bool:
    """Say whether a message is listed: in its thread, or in the channel unless it only answers in a thread."""
    if thread:
        return thread in {message.thread_ts, message.ts}
    return not message.thread_ts or message.is_broadcast


def _shown(message: SlackMessage, with_metadata: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": "message", "ts": message.ts, "text": message.text}
    shown["blocks"] = message.blocks
    if message.attachments:
        shown["attachments"] = message.attachments
    if message.thread_ts:
        shown["thread_ts"] = message.thread_ts
    if with_metadata and message.metadata:
        shown["metadata"] = message.metadata
    return shown


def _refuse(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}


def _json(answer: dict[str, Any]) -> Reply:
    return Reply(body=json.dumps(answer).encode(), headers={"Content-Type": "application/json"})


def interaction(
    secret: str, payload: dict[str, Any], *, at: float | None = None, command: bool = False
) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a call as Slack makes it: a click or dialog, or with `command` a slash command."""
    fields = payload if command else {"payload": json.dumps(payload)}
    body = urlencode(fields).encode()
    timestamp = str(int(time.time() if at is None else at))
    mac = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return body, {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={mac}",
    }
