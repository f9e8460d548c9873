"""The one form every alert has once it is inside: NativeAlert, and how a request's alerts are stored."""

import zlib
from datetime import datetime
from enum import IntFlag

import msgspec

from tenants.faults import ItemError


class Flag(IntFlag):
    """What the door had to mend in an alert so that it could come in."""

    TIME_CLAMPED = 1
    TEXT_CLEANED = 2
    SEVERITY_UNKNOWN = 4
    URL_DROPPED = 8


class NativeAlert(msgspec.Struct, array_like=True, gc=False):
    """An alert, validated: times are aware UTC, severity is the ordered number, text is free of control characters.

    Stored as an array, so the order of the fields is part of the storage format: append only.
    """

    labels: dict[str, str]
    annotations: dict[str, str]
    severity: int
    status: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    generator_url: str | None = None
    metric_name: str | None = None
    metric_value: float | None = None
    flags: int = 0


class Decoded(msgspec.Struct):
    """What a body held: the good alerts, the faults of the others, and the others' own bytes by position."""

    alerts: list[NativeAlert]
    rejected: list[ItemError]
    raw: dict[int, bytes] = {}

    @property
    def rejected_count(self) -> int:
        """How many items were turned away; one item may have several faults."""
        return len(self.raw)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[NativeAlert])
_WORTH_COMPRESSING = 1_024
_ZLIB = b"\x78"

#: In this order the first text that is there names the alert for people.
_TITLES = (
    ("annotations", "summary"),
    ("annotations", "title"),
    ("labels", "alertname"),
    ("labels", "name"),
    ("annotations", "description"),
)


def encode_body(alerts: list[NativeAlert]) -> bytes:
    """The alerts of one request as they stand in the intake row; compressed where that pays."""
    body = _ENCODER.encode(alerts)
    return body if len(body) < _WORTH_COMPRESSING else zlib.compress(body, 1)


def decode_body(body: bytes | memoryview) -> list[NativeAlert]:
    """The alerts of one intake row."""
    # No MessagePack array begins with zlib's first byte. A driver's memoryview may count in bytes, not numbers.
    return _DECODER.decode(zlib.decompress(body) if bytes(body[:1]) == _ZLIB else body)


def title_of(labels: dict[str, str], annotations: dict[str, str]) -> str:
    """The line that names an alert for people, on one line."""
    places = {"annotations": annotations, "labels": labels}
    for place, name in _TITLES:
        if text := places[place].get(name):
            return " ".join(text.split())
    return ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))
