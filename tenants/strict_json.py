"""JSON read strictly: what one reader takes one way and another otherwise is refused, with a pointer to it."""

from __future__ import annotations

import json
import math
import re
from array import array
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from django.utils.translation import gettext as _

from tenants.faults import InputRefused, ItemError, pointer_to, shown

MAX_DEPTH = 32
MAX_FAULTS = 100
LARGEST_INTEGER = 2**63 - 1
_INTEGER_DIGITS = 20

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_OPENING_UP_CLOSING_DOWN = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NOT_A_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Unusable:
    """Stands in the parsed value for a number that JSON readers disagree about."""

    def __init__(self, code: str, literal: str) -> None:
        self.code = code
        self.literal = literal


class _Repeating(dict[str, Any]):
    """An object some of whose keys were given more than once."""

    repeated: list[str]


def depth(body: bytes) -> int:
    """How deep arrays and objects nest, counted over bytes: no parser is entered, so none can overflow."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return body.count(b"[") + body.count(b"{")
    brackets = _STRING.sub(b"", body).translate(_OPENING_UP_CLOSING_DOWN, _NOT_A_BRACKET)
    return max(accumulate(array("b", brackets)), default=0)


def check_depth(body: bytes) -> None:
    """Refuse a body that nests deeper than MAX_DEPTH."""
    if depth(body) > MAX_DEPTH:
        message = _("This nests arrays and objects more than %(limit)d deep; send a flatter document.")
        raise InputRefused(400, "too_deep", message % {"limit": MAX_DEPTH})


def text_of(body: bytes) -> str:
    """The body as text; JSON between systems is UTF-8 without a byte order mark (RFC 8259)."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        message = _("This is not UTF-8: byte %(at)d cannot be read. Encode it as UTF-8.")
        raise InputRefused(400, "not_utf8", message % {"at": error.start}) from error
    if text.startswith("\ufeff"):
        raise InputRefused(400, "malformed_json", _("This begins with a byte order mark; send it without one."))
    return text


def loads(body: bytes) -> Any:
    """The value of a JSON document, or InputRefused with a pointer to each fault."""
    value, faults = examine(body)
    if faults:
        raise InputRefused(400, faults[0].code, faults[0].message, faults[:MAX_FAULTS])
    return value


def examine(body: bytes, pointer: str = "", index: int | None = None) -> tuple[Any, list[ItemError]]:
    """The value together with the faults in it; only what is no JSON at all raises.

    `pointer` and `index` say where this value stands in the document the client sent.
    """
    check_depth(body)
    text = text_of(body)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        message = _("This is not valid JSON: it cannot be read at line %(line)d, column %(column)d.")
        raise InputRefused(400, "malformed_json", message % {"line": error.lineno, "column": error.colno}) from error
    faults: list[ItemError] = []
    _walk(value, pointer, lambda where, code, message: faults.append(ItemError(index, where, code, message)))
    return value, faults


Report = Callable[[str, str, str], None]


def _walk(value: Any, pointer: str, report: Report) -> None:
    if isinstance(value, str):
        _check_text(value, pointer, report)
    elif isinstance(value, dict):
        _walk_object(value, pointer, report)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            _walk(item, pointer_to(pointer, position), report)
    elif isinstance(value, _Unusable):
        report(pointer, value.code, _unusable(value))
    elif isinstance(value, float) and not math.isfinite(value):
        report(pointer, "number_out_of_range", _("The number is too large for a 64-bit float; send a smaller one."))


def _walk_object(value: dict[str, Any], pointer: str, report: Report) -> None:
    if isinstance(value, _Repeating):
        for name in value.repeated:
            message = _('The key "%(name)s" occurs more than once; send it once.')
            report(pointer_to(pointer, name), "duplicate_key", message % {"name": shown(name)})
    for name, item in value.items():
        where = pointer_to(pointer, name)
        _check_text(name, where, report)
        _walk(item, where, report)


def _check_text(text: str, pointer: str, report: Report) -> None:
    if text.isascii() and "\0" not in text:
        return
    if "\0" in text:
        report(pointer, "nul_character", _("The text holds a NUL character (\\u0000); remove it."))
    if _SURROGATE.search(text):
        report(pointer, "lone_surrogate", _("The text holds half of a surrogate pair; send whole characters."))


def _unusable(value: _Unusable) -> str:
    if value.code == "not_a_number":
        return _("%(literal)s is no JSON number; send a finite number or null.") % {"literal": shown(value.literal)}
    message = _("The integer has %(digits)d digits; the largest is %(largest)d.")
    return message % {"digits": len(value.literal.lstrip("-")), "largest": LARGEST_INTEGER}


def dumps(value: Any) -> bytes:
    """The bytes of a value that `examine` gave, what is wrong with it included where JSON can say it."""
    return json.dumps(value, default=lambda unusable: unusable.literal).encode()


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    seen: set[str] = set()
    repeating = _Repeating(value)
    repeating.repeated = list(dict.fromkeys(name for name, _v in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
    return repeating


def _integer(literal: str) -> int | _Unusable:
    if len(literal) <= _INTEGER_DIGITS:
        number = int(literal)
        if abs(number) <= LARGEST_INTEGER:
            return number
    return _Unusable("number_out_of_range", literal)


def _constant(literal: str) -> _Unusable:
    return _Unusable("not_a_number", literal)


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer, parse_constant=_constant)
