"""Fits a text into as few segments as a reader would want: plain characters first, then fewer words."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from channels.sms.segments import SINGLE, Encoding, capacity, cut, encoding_of, is_gsm7, measure, units

#: Signs of typography and what says the same in the GSM alphabet.
PLAIN: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u2022\u00b7\u25cf\u25aa", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2008\u2009\u200a\u202f\u3000\t", " "),
        **dict.fromkeys("\u200b\u200c\u200d\ufe0e\ufe0f\u00ad", ""),
        "\u2026": "...",
        "\u2039": "<",
        "\u203a": ">",
        "\u2044": "/",
        "\u00d7": "x",
        "\u00f7": "/",
        "\u2264": "<=",
        "\u2265": ">=",
        "\u2260": "!=",
        "\u2248": "~",
        "\u2192": "->",
        "\u2190": "<-",
        "\u00b0": " deg",
        "\u00b5": "u",
        "\u2030": " per mille",
        "\u2122": "(TM)",
        "\u00a9": "(c)",
        "\u00ae": "(R)",
        "\u0152": "OE",
        "\u0153": "oe",
        "\u00de": "Th",
        "\u00fe": "th",
        "\u0141": "L",
        "\u0142": "l",
        "\u0110": "D",
        "\u0111": "d",
        "\u0131": "i",
        "\u00d0": "D",
        "\u00f0": "d",
    }
)
SHORTENED: Final = {Encoding.GSM7: "...", Encoding.UCS2: "\u2026"}
#: Below this much text nothing is said; the ending gives way first.
LEAST_TEXT: Final = 24


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text as it goes out."""

    text: str
    encoding: Encoding
    segments: int
    is_shortened: bool


def fit(text: str, ending: str = "", max_segments: int = 1) -> Fitted:
    """Return the text with its ending, in at most `max_segments`; what is cut is marked.

    The ending (a link, a code to reply with) is never cut through: where there is no room it is left out.
    A script that the GSM alphabet cannot spell stays as it is and takes UCS-2; accents give way before
    words do.
    """
    text = " ".join(text.translate(PLAIN).split())
    ending = " ".join(ending.translate(PLAIN).split())
    chosen = _choose_letters(text, ending)
    whole = f"{chosen} {ending}".strip()
    size = measure(whole)
    if size.segments <= max_segments:
        return Fitted(whole, size.encoding, size.segments, is_shortened=False)
    return _shorten(chosen, ending, max_segments)


def _choose_letters(text: str, ending: str) -> str:
    whole = f"{text} {ending}".strip()
    if is_gsm7(whole) or measure(whole).units <= SINGLE[Encoding.UCS2]:
        return text
    folded = fold(text)
    return folded if folded is not None else text


def fold(text: str) -> str | None:
    """Return the text in GSM letters, without accents and pictures; None where letters would be lost."""
    pieces: list[str] = []
    for char in text:
        if is_gsm7(char):
            pieces.append(char)
            continue
        plain = "".join(one for one in unicodedata.normalize("NFKD", char) if not unicodedata.combining(one))
        plain = plain.translate(PLAIN)
        if plain and is_gsm7(plain):
            pieces.append(plain)
        elif unicodedata.category(char)[0] in "LN":
            return None
    return " ".join("".join(pieces).split())


def _shorten(text: str, ending: str, max_segments: int) -> Fitted:
    encoding = encoding_of(f"{text} {ending}")
    room = capacity(encoding, max_segments)
    mark = SHORTENED[encoding]
    tail = f" {ending}" if ending else ""
    left = room - sum(units(char, encoding) for char in mark + tail)
    if left < min(LEAST_TEXT, len(text)):
        tail, left = "", room - len(mark)
    short = cut(text, encoding, left).rstrip(" ,;:.-")
    whole = f"{short}{mark}{tail}"
    size = measure(whole)
    return Fitted(whole, size.encoding, size.segments, is_shortened=True)
