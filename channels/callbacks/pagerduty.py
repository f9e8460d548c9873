"""PagerDuty's v3 webhooks: signatures over the raw body, and what happened to which incident."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from channels.callbacks.errors import Malformed, Refused

PREFIX: Final = "v1="
PEOPLE: Final = frozenset({"user", "user_reference"})
MAX_SIGNATURES = 10
ACTS: Final = {
    "incident.acknowledged": "acknowledge",
    "incident.unacknowledged": "unacknowledge",
    "incident.resolved": "resolve",
}


class _Agent(msgspec.Struct):
    id: str = ""
    type: str = ""
    summary: str = ""


class _Incident(msgspec.Struct):
    id: str = ""
    incident_key: str | None = None


class _Event(msgspec.Struct):
    id: str
    event_type: str
    occurred_at: datetime
    agent: _Agent | None = None
    data: _Incident = msgspec.field(default_factory=_Incident)


class _Payload(msgspec.Struct):
    event: _Event


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One event: `act` is what it asks of us (empty for all others), `dedup_key` the one we gave the incident."""

    id: str
    act: str
    occurred_at: datetime
    dedup_key: str
    by_person: bool
    who: str


def verify(secrets: Sequence[str], body: bytes, header: str) -> None:
    """Raise `Refused` unless one of the signatures is ours, `Malformed` when there is none to compare.

    While a secret is changed PagerDuty sends several signatures, and we may hold several secrets.
    """
    given = [part.strip() for part in header.split(",")][:MAX_SIGNATURES]
    offered = [part.removeprefix(PREFIX).encode("utf-8", "replace") for part in given if part.startswith(PREFIX)]
    if not offered:
        raise Malformed("no signature")
    good = False
    for secret in secrets:
        mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
        for one in offered:
            good |= hmac.compare_digest(mac, one)
    if not good:
        raise Refused


def read_happening(body: bytes) -> Happening:
    """Return the event of a body that was verified."""
    try:
        event = msgspec.json.decode(body, type=_Payload).event
    except msgspec.DecodeError as error:
        raise Malformed(str(error)[:100]) from error
    if not event.id or event.occurred_at.tzinfo is None:
        raise Malformed("no id or no time")
    agent = event.agent or _Agent()
    return Happening(
        id=event.id[:120],
        act=ACTS.get(event.event_type, ""),
        occurred_at=event.occurred_at,
        dedup_key=event.data.incident_key or "",
        by_person=agent.type in PEOPLE,
        who=(agent.summary or "PagerDuty")[:80],
    )
