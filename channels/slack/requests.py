"""Slack's calls: the signature over the raw body, the time in it, and what they ask; pure functions."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from channels.callbacks.errors import Malformed, Refused

VERSION: Final = "v0"
#: A call as old as this, or from the future, is refused: Slack's own advice.
MAX_AGE_SECONDS: Final = 300.0
MAX_FIELDS: Final = 100


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a verified call asks: `kind` is challenge, event, command, action, submission or other."""

    kind: str
    user_id: str = ""
    user_name: str = ""
    act_value: str = ""
    text: str = ""
    challenge: str = ""
    trigger_id: str = ""
    response_url: str = ""
    inputs: dict[str, Any] = {}


class Unverified(Refused):
    """The call is not surely Slack's; `why` is for the tenant's own diagnosis page, never for the caller."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature that Slack sends with a body."""
    mac = hmac.new(secret.encode(), f"{VERSION}:{timestamp}:".encode() + body, hashlib.sha256)
    return f"{VERSION}={mac.hexdigest()}"


def verify(secret: str, body: bytes, timestamp: str, signature: str, now: float) -> None:
    """Raise `Unverified` unless the body was signed with the secret within the last five minutes."""
    if not secret:
        raise Unverified("no_secret")
    if not timestamp or not signature:
        raise Unverified("not_signed")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Unverified("odd_time")
    good = hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode("utf-8", "replace"))
    if not good:
        raise Unverified("wrong_secret")
    if abs(now - int(timestamp)) > MAX_AGE_SECONDS:
        raise Unverified("too_old")


def read_call(body: bytes, content_type: str) -> Call:
    """Return what a verified body asks; raises `Malformed`."""
    try:
        if content_type.startswith("application/json"):
            return _event(_dict(msgspec.json.decode(body)))
        fields = dict(parse_qsl(body.decode(), max_num_fields=MAX_FIELDS, strict_parsing=True))
        if "payload" in fields:
            return _interaction(_dict(msgspec.json.decode(fields["payload"])))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise Malformed(type(error).__name__) from error
    if "command" not in fields:
        raise Malformed("no command")
    return Call(
        kind="command",
        user_id=fields.get("user_id", "")[:64],
        user_name=fields.get("user_name", "")[:120],
        text=fields.get("text", "")[:500],
        trigger_id=fields.get("trigger_id", ""),
        response_url=fields.get("response_url", ""),
    )


def _event(body: dict[str, Any]) -> Call:
    if body.get("type") == "url_verification":
        return Call(kind="challenge", challenge=str(body["challenge"])[:500])
    return Call(kind="event", text=str(body.get("type", ""))[:40])


def _interaction(payload: dict[str, Any]) -> Call:
    user = _dict(payload.get("user") or {})
    who: dict[str, Any] = {
        "user_id": str(user.get("id", ""))[:64],
        "user_name": str(user.get("username") or user.get("name") or "")[:120],
        "response_url": str(payload.get("response_url", ""))[:500],
        "trigger_id": str(payload.get("trigger_id", ""))[:200],
    }
    if payload.get("type") == "block_actions":
        action = _dict(payload["actions"][0])
        chosen = _dict(action.get("selected_option") or {})
        value = str(chosen.get("value") or action.get("value") or "")
        # A button that only opens a link tells of the click too; there is nothing to do.
        return Call(kind="action" if value else "other", act_value=value, **who)
    if payload.get("type") == "view_submission":
        view = _dict(payload["view"])
        inputs = {
            block: element
            for block, elements in _dict(_dict(view.get("state") or {}).get("values") or {}).items()
            for element in list(_dict(elements).values())[:1]
        }
        # A dialog's answer has no address to answer at: it brings along that of the click that opened it.
        value, _, url = str(view.get("private_metadata", "")).partition(" ")
        return Call(kind="submission", act_value=value, inputs=inputs, **{**who, "response_url": url[:500]})
    return Call(kind="other", **who)


def _dict(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return value
