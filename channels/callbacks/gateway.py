"""Calls of SMS gateways other than Twilio: the signature over the raw body, receipts in its own words, answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from channels.callbacks.errors import Malformed, Refused
from channels.callbacks.twilio import Answer, read_command
from channels.sms.http_gateway import value_at
from channels.sms.numbers import InvalidNumber, read_number

MAX_FIELDS: Final = 100
MAX_ERROR_DIGITS: Final = 9
#: How far each state is, as with Twilio: one is taken only when it is further than the one that is known.
RANKS: Final = {"queued": 1, "sending": 2, "sent": 3, "delivered": 4, "undelivered": 4, "failed": 4, "read": 5}
#: What gateways say: our own names, the words of SMPP 3.4 (also cut to seven letters), and what many call the same.
USUAL_WORDS: Final = {name: name for name in RANKS} | {
    "accepted": "queued",
    "acceptd": "queued",
    "scheduled": "queued",
    "buffered": "sending",
    "enroute": "sending",
    "submitted": "sent",
    "delivrd": "delivered",
    "undeliv": "undelivered",
    "undeliverable": "undelivered",
    "expired": "undelivered",
    "deleted": "failed",
    "rejected": "failed",
    "rejectd": "failed",
    "canceled": "failed",
}
_SCHEME: Final = re.compile(r"^(?:sha256|v1)=", re.IGNORECASE)


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """How far a message got; `message_id` is the gateway's id of it or ours, which it was given."""

    message_id: str
    state: str
    rank: int
    error_code: int | None = None


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """Where a gateway's calls hold what, as paths such as `message.id`, and what its states are called here."""

    id: str
    status: str
    error: str
    states: Mapping[str, str]


def verify(secrets: Sequence[str], body: bytes, given: str) -> None:
    """Raise `Refused` unless one of the secrets signed the body: HMAC-SHA256 in hex or base64."""
    offered = _SCHEME.sub("", given.strip()).encode("utf-8", "replace")
    good = False
    for secret in secrets:
        mac = hmac.new(secret.encode(), body, hashlib.sha256).digest()
        good |= hmac.compare_digest(mac.hex().encode(), offered.lower())
        good |= hmac.compare_digest(base64.b64encode(mac), offered)
    if not good:
        raise Refused


def read_states(lines: Iterable[str]) -> dict[str, str]:
    """Return the gateway's words with ours, from lines such as `DELIVRD=delivered`; raises `ValueError` naming one."""
    found = {}
    for line in lines:
        theirs, mark, ours = (part.strip().lower() for part in line.partition("="))
        if not mark or not theirs or ours not in RANKS:
            raise ValueError(line[:40])
        found[theirs] = ours
    return found


def read_receipt(body: bytes, fields: Fields) -> Receipt | None:
    """Return the receipt in a verified call, JSON or a form; None for a word that says nothing about the way.

    Raises `Malformed` where it names no message or no state.
    """
    call = _decode(body)
    message_id, said = value_at(call, fields.id), value_at(call, fields.status)
    if not message_id or not said:
        raise Malformed("no receipt")
    words = USUAL_WORDS | dict(fields.states)
    state = words.get(said.strip().lower())
    if state is None:
        return None
    code = value_at(call, fields.error).strip()
    known = code.isascii() and code.isdigit() and len(code) <= MAX_ERROR_DIGITS
    return Receipt(message_id=message_id[:200], state=state, rank=RANKS[state], error_code=int(code) if known else None)


def read_answer(body: bytes, id_path: str, from_path: str, text_path: str) -> Answer:
    """Return what somebody wrote back, in a verified call; raises `Malformed` without a writer or an id."""
    call = _decode(body)
    sid, number = value_at(call, id_path).strip(), value_at(call, from_path).strip()
    try:
        number = read_number(number if number.startswith("+") else f"+{number}")
    except InvalidNumber as error:
        raise Malformed("no number") from error
    if not sid:
        raise Malformed("no id")
    command, code = read_command(value_at(call, text_path))
    return Answer(sid=sid[:100], number=number, command=command, code=code)


def _decode(body: bytes) -> object:
    if body.lstrip()[:1] in (b"{", b"["):
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(str(error)[:100]) from error
    try:
        return dict(parse_qsl(body.decode(), strict_parsing=True, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except (UnicodeDecodeError, ValueError) as error:
        raise Malformed(str(error)[:100]) from error
