"""Counts the segments of an SMS: GSM 7-bit with its extension table, else UCS-2."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Each of these takes an escape and itself: two septets.
EXTENSION: Final = frozenset("\f^{}\\[~]|€")


class Encoding(StrEnum):
    """How a text travels."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


#: Units of one message alone, and of each part of a longer one, which carries a header.
SINGLE: Final = {Encoding.GSM7: 160, Encoding.UCS2: 70}
PART: Final = {Encoding.GSM7: 153, Encoding.UCS2: 67}


@dataclass(frozen=True, slots=True)
class Size:
    """What a text takes: units are septets or UTF-16 code units."""

    encoding: Encoding
    units: int
    segments: int


def is_gsm7(text: str) -> bool:
    """Say whether every character has a place in the GSM alphabet or its extension."""
    return all(char in BASIC or char in EXTENSION for char in text)


def encoding_of(text: str) -> Encoding:
    """Return how a text would travel."""
    return Encoding.GSM7 if is_gsm7(text) else Encoding.UCS2


def units(char: str, encoding: Encoding) -> int:
    """Return what one character takes."""
    if encoding is Encoding.GSM7:
        return 2 if char in EXTENSION else 1
    return 2 if ord(char) > 0xFFFF else 1


def measure(text: str) -> Size:
    """Return encoding, units and segments; no segment ends inside an escape or a surrogate pair."""
    encoding = encoding_of(text)
    widths = [units(char, encoding) for char in text]
    total = sum(widths)
    if total <= SINGLE[encoding]:
        return Size(encoding, total, 1 if total else 0)
    segments, room = 1, PART[encoding]
    for width in widths:
        if width > room:
            segments, room = segments + 1, PART[encoding]
        room -= width
    return Size(encoding, total, segments)


def cut(text: str, encoding: Encoding, limit: int) -> str:
    """Return the longest beginning of a text that takes at most `limit` units."""
    taken = 0
    for place, char in enumerate(text):
        taken += units(char, encoding)
        if taken > limit:
            return text[:place]
    return text


def capacity(encoding: Encoding, segments: int) -> int:
    """Return the units that surely fit into so many segments, whatever stands at their borders."""
    # A pair that does not fit at the end of a part leaves one unit of it empty.
    return SINGLE[encoding] if segments <= 1 else segments * (PART[encoding] - 1)
