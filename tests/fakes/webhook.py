"""A webhook receiver that checks the Standard-Webhooks signature of what arrives."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.http import Reply, Request

MAX_KEPT = 500
MAX_AGE_SECONDS = 300


@dataclass(frozen=True)
class WebhookArrival:
    """One request; `signature` says valid, invalid, missing or unchecked."""

    request: Request
    signature: str

    @property
    def webhook_id(self) -> str:
        """The id that stays the same over every try of one delivery."""
        return self.request.headers.get("webhook-id", "")


class FakeWebhook:
    """Keeps every request; scripted replies go first, then 200."""

    def __init__(
        self,
        *,
        secrets: list[str] | None = None,
        on_arrival: Callable[[WebhookArrival], None] | None = None,
    ) -> None:
        self.secrets = secrets or []
        self.on_arrival = on_arrival
        self.arrived: deque[WebhookArrival] = deque(maxlen=MAX_KEPT)
        self.script: deque[Reply] = deque()

    def __call__(self, request: Request) -> Reply:
        arrival = WebhookArrival(request, verify(request, self.secrets))
        self.arrived.append(arrival)
        if self.on_arrival is not None:
            self.on_arrival(arrival)
        return self.script.popleft() if self.script else Reply(200, b'{"ok":true}')


def verify(request: Request, secrets: list[str]) -> str:
    """Check id, time and body against each secret, as a receiver that follows the rule does."""
    given = request.headers.get("webhook-signature", "")
    sent_at = request.headers.get("webhook-timestamp", "")
    if not given:
        return "missing"
    if not secrets:
        return "unchecked"
    if not sent_at.isdigit() or abs(time.time() - int(sent_at)) > MAX_AGE_SECONDS:
        return "invalid"
    signed = b".".join([request.headers.get("webhook-id", "").encode(), sent_at.encode(), request.body])
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if any(hmac.compare_digest(f"v1,{mac}", part) for part in given.split(" ")):
            return "valid"
    return "invalid"
