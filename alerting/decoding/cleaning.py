"""Takes out of text what could forge a line, hide a word or turn the direction of reading."""

import re
from typing import Final

# Controls (C0, DEL, C1), the marks, embeddings, overrides and isolates of bidirectional text, line and paragraph
# separators and the byte order mark. Joiners (U+200C, U+200D) stay: Persian, Indic scripts and emoji need them.
_HIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_HIDDEN_BUT_LINES: Final = re.compile(_HIDDEN.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))
_BREAKS: Final = re.compile("\r\n|[\t\n\v\f\r\x85\u2028\u2029]")


def clean_line(text: str) -> str:
    """Text for one line: breaks and tabs become a blank, hidden characters go."""
    if text.isprintable():
        return text
    return _HIDDEN.sub("", _BREAKS.sub(" ", text))


def clean_text(text: str) -> str:
    """Text that may run over lines: line feeds and tabs stay, hidden characters go."""
    if text.isprintable():
        return text
    return _HIDDEN_BUT_LINES.sub("", text.replace("\r\n", "\n"))


def clean_labels(labels: dict[str, str]) -> tuple[dict[str, str], bool]:
    """Labels with clean values and without empty ones (an empty label equals a missing one), and if text changed."""
    cleaned = {name: clean_line(value) for name, value in labels.items()}
    return {name: value for name, value in cleaned.items() if value}, cleaned != labels


def clean_annotations(annotations: dict[str, str]) -> tuple[dict[str, str], bool]:
    """Annotations with clean values, and whether anything but line endings changed."""
    cleaned = {name: clean_text(value) for name, value in annotations.items()}
    if cleaned == annotations:
        return annotations, False
    return cleaned, any(cleaned[name] != value.replace("\r\n", "\n") for name, value in annotations.items())
