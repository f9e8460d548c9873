"""The parts of a Slack message as functions that a template calls, and what a template wrote with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import islice
from re import DOTALL
from re import compile as pattern
from typing import Any, Final

import jinja2
import msgspec

from channels.sandbox.budget import bounded
from channels.sandbox.filters import Ready
from channels.sandbox.speech import Function
from channels.sanitise import escape_mrkdwn, http_url, one_line, shorten

MAX_HEADER, MAX_SECTION = 150, 3000
MAX_FIELDS, MAX_NAME, MAX_VALUE = 10, 80, 200
MAX_CONTEXT, MAX_WORDS = 10, 300
MAX_ALT, MAX_BUTTON = 300, 75
MAX_PIECES: Final = 100
# Characters that `clean` takes out of every foreign text, so that no label can pretend to be a piece.
OPEN, CLOSE = "\x01", "\x02"
_PIECE = pattern(f"{OPEN}(.*?){CLOSE}", DOTALL)


class Piece(msgspec.Struct, frozen=True):
    """One part of a message; without `texts` it shows what the built-in message has there."""

    kind: str
    texts: tuple[str, ...] | None = None


STANDARD: Final = tuple(map(Piece, ("header", "body", "fields", "image", "context", "actions", "links")))


class Block(Function):
    """A function whose result is a piece and not a text to be escaped."""

    __slots__ = ()

    def __call__(self, *args: Any, **values: Any) -> Ready:
        return Ready(bounded(self._call(*args, **values)))


def header(text: object = None) -> str:
    """A heading; without a text the title of the message."""
    return _write("header", None if text is None else [one_line(_plain(text), MAX_HEADER)])


def body() -> str:
    """The text of the message, as the part `text` says it."""
    return _write("body")


def section(text: object) -> str:
    """A paragraph; its marks are taken from the template alone, and only outside of functions."""
    return _write("section", [shorten(_marked(text), MAX_SECTION)])


def fields(values: object = None) -> str:
    """Names and values in two columns; without values the labels of the group."""
    if values is None:
        return _write("fields")
    pairs = values.items() if isinstance(values, Mapping) else ()
    found: list[str] = []
    for name, value in islice(pairs, MAX_FIELDS):
        found += [one_line(_plain(name), MAX_NAME), one_line(_plain(value), MAX_VALUE)]
    return _write("fields", found)


def context(*texts: object) -> str:
    """Small print; without texts tenant, counts and why this is told."""
    marked = [shorten(_marked(text), MAX_WORDS) for text in texts[:MAX_CONTEXT]]
    return _write("context", marked if texts else None)


def image(url: object = None, alt: object = "") -> str:
    """A picture; without an address the chart that the alert links to, if it has one."""
    if url is None:
        return _write("image")
    return _write("image", [http_url(_plain(url)), one_line(_plain(alt), MAX_ALT)])


def divider() -> str:
    """A line across."""
    return _write("divider")


def actions(*acts: object) -> str:
    """The buttons that act on the group, all that make sense or those named."""
    return _write("actions", [_plain(act)[:40] for act in acts[:MAX_FIELDS]] if acts else None)


def link_buttons() -> str:
    """Buttons that open the group and the links of its alerts."""
    return _write("links")


def button(text: object, url: object) -> str:
    """A button that opens an address."""
    return _write("button", [one_line(_plain(text), MAX_BUTTON), http_url(_plain(url))])


CALLS: Final[tuple[Callable[..., str], ...]] = (
    header,
    body,
    section,
    fields,
    context,
    image,
    divider,
    actions,
    link_buttons,
    button,
)


def functions() -> dict[str, Function]:
    """Return every function by name."""
    return {call.__name__: Block(call) for call in CALLS}


@lru_cache(maxsize=256)
def read(written: str) -> tuple[Piece, ...]:
    """Return what a template wrote; text between the pieces is a paragraph of its own."""
    found: list[Piece] = []
    # The pattern has one group, so texts and pieces take turns.
    for number, part in enumerate(_PIECE.split(written)):
        if number % 2:
            found += _decoded(part)
        elif part.strip():
            found.append(Piece("section", (part.strip(),)))
    return tuple(found[:MAX_PIECES])


def _decoded(part: str) -> list[Piece]:
    try:
        return [msgspec.json.decode(part, type=Piece)]
    except msgspec.DecodeError:
        return []


def _write(kind: str, texts: Iterable[str] | None = None) -> str:
    piece = Piece(kind, None if texts is None else tuple(texts))
    return f"{OPEN}{msgspec.json.encode(piece).decode()}{CLOSE}"


def _plain(value: object) -> str:
    return "" if value is None or isinstance(value, jinja2.Undefined) else str(value)


def _marked(value: object) -> str:
    return value if isinstance(value, Ready) else escape_mrkdwn(_plain(value))
