"""Slack for several tenants at once: one address, a workspace for each token, and a mood for each workspace."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.http import Reply, Request
from tests.fakes.slack import FakeSlack, SlackMessage

Mood = Callable[[str, bytes], "Reply | None"]
#: The connection ends before Slack has looked at what came.
LOST = Reply(drop=True)
TOO_FAST = b'{"ok":false,"error":"ratelimited"}'


def well(method: str, body: bytes) -> Reply | None:
    """Answer as ever."""
    return None


@dataclass
class Workspace:
    """What one tenant's people see; `mood` says what becomes of a call before Slack looks at it."""

    fake: FakeSlack
    mood: Mood = well
    # Slack has looked, and the answer gets lost on its way for so many posts.
    lose_answers: int = 0
    told: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    pace: float = 0.0
    lost_answers: int = 0

    def note(self, message: SlackMessage) -> None:
        """Write down which deliveries people have read."""
        payload = message.metadata["event_payload"]
        for delivery in {payload["delivery_id"], *str(payload.get("told", "")).split()}:
            self.told[delivery] += 1


class Slacks:
    """An application for `FakeServer`."""

    def __init__(self) -> None:
        self.workspaces: dict[str, Workspace] = {}
        self._lock = threading.Lock()

    def open(self, token: str) -> Workspace:
        """Make a workspace of its own for a token."""
        fake = FakeSlack(token=token)
        workspace = Workspace(fake)
        fake.on_message = workspace.note
        self.workspaces[token] = workspace
        return workspace

    def __call__(self, request: Request) -> Reply:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        workspace = self.workspaces.get(token)
        if workspace is None:
            return Reply(body=json.dumps({"ok": False, "error": "invalid_auth"}).encode())
        method = request.path.rpartition("/")[2]
        with self._lock:
            workspace.calls[method] += 1
            reply = workspace.mood(method, request.body)
            if reply is not None:
                return reply
            is_lost = method == "chat.postMessage" and workspace.lost_answers < workspace.lose_answers
            workspace.lost_answers += is_lost
        answer = workspace.fake(request)
        if is_lost:
            return LOST
        return Reply(answer.status, answer.body, answer.headers, hang=workspace.pace)
