"""Twilio's calls: the signature over the whole public address, delivery receipts, and what people answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from channels.callbacks.errors import Malformed, Refused

MAX_FIELDS = 100
#: How far each state is; a state is taken only when it is further than the one that is known.
RANKS: Final = {
    "accepted": 0,
    "scheduled": 0,
    "queued": 1,
    "sending": 2,
    "sent": 3,
    "delivered": 4,
    "undelivered": 4,
    "failed": 4,
    "canceled": 4,
    "read": 5,
}
SHOWN: Final = {"accepted": "queued", "scheduled": "queued", "canceled": "failed"}
STOP_WORDS: Final = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
START_WORDS: Final = frozenset({"start", "yes", "unstop"})
ACK_WORDS: Final = ("acknowledge", "ack", "ok", "a", "1")
RESOLVE_WORDS: Final = ("resolved", "resolve", "res", "r", "2")
UNDO_WORDS: Final = ("unack", "unacknowledge", "u", "3")
CODE = re.compile(r"\d{5}")


class Command(StrEnum):
    """What an answer asks for."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    RESOLVE = "resolve"
    STOP = "stop"
    START = "start"
    UNKNOWN = "unknown"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """How far a message got."""

    sid: str
    state: str
    rank: int
    error_code: int | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote back; `code` names a message, empty means the last one."""

    sid: str
    number: str
    command: Command
    code: str = ""


def read_form(body: bytes) -> dict[str, str]:
    """Return the fields of a form; raises `Malformed` for anything else or a field given twice."""
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MAX_FIELDS
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise Malformed(str(error)[:100]) from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed("a field is given twice")
    return fields


def verify(tokens: Sequence[str], url: str, fields: Mapping[str, str], signature: str) -> None:
    """Raise `Refused` unless one of the tokens signed the address with the fields.

    `url` is the address that Twilio was given, built from the public base, never from the Host header.
    """
    given = signature.encode("utf-8", "replace")
    signed = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    good = False
    for token in tokens:
        mac = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
        good |= hmac.compare_digest(base64.b64encode(mac), given)
    if not good:
        raise Refused


def read_receipt(fields: Mapping[str, str]) -> Receipt:
    """Return the delivery receipt in a status callback."""
    sid, state = fields.get("MessageSid") or fields.get("SmsSid", ""), fields.get("MessageStatus", "").lower()
    if not sid or state not in RANKS:
        raise Malformed("no receipt")
    code = fields.get("ErrorCode", "")
    return Receipt(
        sid=sid[:64],
        state=SHOWN.get(state, state),
        rank=RANKS[state],
        error_code=int(code) if code.isascii() and code.isdigit() and len(code) <= 9 else None,
    )


def read_answer(fields: Mapping[str, str]) -> Answer:
    """Return what somebody wrote."""
    sid, number = fields.get("MessageSid", ""), fields.get("From", "")
    if not sid or not number:
        raise Malformed("no message")
    command, code = read_command(fields.get("Body", ""))
    if opted := fields.get("OptOutType", "").upper():
        command = {"STOP": Command.STOP, "START": Command.START}.get(opted, command)
    return Answer(sid=sid[:64], number=number[:20], command=command, code=code)


def read_command(text: str) -> tuple[Command, str]:
    """Read `ack`, `1`, `res 12345`, `12345 ack`, or a code alone, which acknowledges."""
    words = re.findall(r"\w+", text.lower(), re.ASCII)[:4]
    code = next((word for word in words if CODE.fullmatch(word)), "")
    rest = [word for word in words if word != code]
    if len(rest) > 1:
        return Command.UNKNOWN, code
    if not rest:
        return (Command.ACKNOWLEDGE if code else Command.UNKNOWN), code
    for command, known in (
        (Command.ACKNOWLEDGE, ACK_WORDS),
        (Command.RESOLVE, RESOLVE_WORDS),
        (Command.UNACKNOWLEDGE, UNDO_WORDS),
        (Command.STOP, STOP_WORDS),
        (Command.START, START_WORDS),
    ):
        if rest[0] in known:
            return command, code
    return Command.UNKNOWN, code
