"""An SMS gateway with an HTTP interface: takes texts, and tells how far they got by calls that it signs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from dataclasses import dataclass

from tests.fakes.http import Reply, Request

SIGNATURE_HEADER = "X-Gateway-Signature"


@dataclass(frozen=True)
class GatewayText:
    """One text that was taken, with the gateway's own id of it."""

    id: str
    to: str
    text: str
    reference: str


class FakeGateway:
    """Refuses what names no reader or no text, as real ones do; ids are its own."""

    def __init__(self, authorization: str = "") -> None:
        self.authorization = authorization
        self.url = ""
        self.texts: list[GatewayText] = []
        self._numbers = itertools.count(4711)

    def __call__(self, request: Request) -> Reply:
        if self.authorization and request.headers.get("authorization") != self.authorization:
            return Reply(401, b'{"error":"unauthorized"}')
        try:
            asked = json.loads(request.body)
        except ValueError:
            return Reply(400, b'{"error":"no JSON"}')
        if not str(asked.get("to", "")).startswith("+") or not asked.get("text"):
            return Reply(422, b'{"error":"to and text are required"}')
        one = GatewayText(f"gw-{next(self._numbers)}", asked["to"], asked["text"], str(asked.get("reference", "")))
        self.texts.append(one)
        return Reply(200, json.dumps({"message": {"id": one.id}, "status": "ACCEPTD"}).encode())


def sign(secret: str, body: bytes, *, in_hex: bool = True) -> str:
    """Return what such gateways put into their header: HMAC-SHA256 over the body."""
    mac = hmac.new(secret.encode(), body, hashlib.sha256)
    return f"sha256={mac.hexdigest()}" if in_hex else base64.b64encode(mac.digest()).decode()
