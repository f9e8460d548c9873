"""How one message speaks: its phrases, and its numbers and times, as its reader writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from channels.languages import formats, wording
from channels.languages.book import NOBODYS_WORDS, TenantWords, look_up
from channels.languages.locales import normalise
from channels.languages.phrase import COUNT

if TYPE_CHECKING:
    from channels.message import Message, Saying

SEVERITIES = {10: "info", 20: "warning", 30: "error", 40: "critical"}
UNKNOWN = "\u2013"
JOINED = " · "
WIDTHS = ("long", "short", "narrow")
STYLES = ("auto", "full", "date", "time")


class Voice:
    """Speaks one language to one reader about one moment. `kind` is the kind of channel, which decides on brevity."""

    __slots__ = ("_book", "kind", "locale", "now", "time_zone")

    def __init__(
        self,
        locale: str,
        time_zone: str = "UTC",
        now: datetime | None = None,
        *,
        kind: str = "",
        words: TenantWords = NOBODYS_WORDS,
    ) -> None:
        self.locale = normalise(locale) or normalise(words.default) or "en"
        self.time_zone = time_zone
        self.now = now
        self.kind = kind
        self._book = words.book(self.locale)

    def t(self, key: str, **values: object) -> str:
        """Return the phrase of that key; `n` chooses its plural form and is written as a number."""
        phrase = look_up(self._book, key)
        if phrase.plain is not None and "{" not in phrase.plain:
            return phrase.plain
        count = values.get(COUNT)
        text = phrase.text(count)
        if "{" not in text:
            return text
        if count is not None:
            values[COUNT] = self.number(count)
        try:
            return text.format_map(values)
        except KeyError:
            return text.format_map(_Open(values))

    def say(self, saying: Saying) -> str:
        """Return a phrase with its times and spans written for the reader; empty when there is no such phrase."""
        if not self.has(saying.key):
            return ""
        values: dict[str, object] = dict(saying.values)
        values |= {name: self.when(at, "full") for name, at in saying.times.items()}
        values |= {name: self.duration(seconds) for name, seconds in saying.spans.items()}
        return self.t(saying.key, **values)

    def has(self, key: str) -> bool:
        """Say whether there is such a phrase in any language of the chain."""
        return key in self._book

    def number(self, value: object, digits: int = formats.DIGITS) -> str:
        """Write a number."""
        return formats.number(value, self.locale, digits)

    def money(self, value: object, currency: str) -> str:
        """Write an amount in a currency."""
        return formats.money(value, currency, self.locale)

    def unit(self, value: object, name: str = "") -> str:
        """Write a measured value with its unit."""
        return formats.unit(value, name, self.locale)

    def when(self, value: object, style: str = "auto") -> str:
        """Write a time in the reader's zone; nothing for what is no time."""
        at = formats.read_time(value)
        if at is None:
            return ""
        chosen = cast(formats.When, style if style in STYLES else "auto")
        return formats.when(at, self.now, self.time_zone, self.locale, chosen)

    def ago(self, value: object, width: str = "long") -> str:
        """Say how long before (or after) the message a time is."""
        at = formats.read_time(value)
        if at is None or self.now is None:
            return ""
        return formats.ago((self.now - at).total_seconds(), self.locale, _width(width))

    def duration(self, seconds: object, width: str = "long") -> str:
        """Say a number of seconds."""
        parsed = formats.read_number(seconds)
        return "" if parsed is None else formats.duration(float(parsed), self.locale, _width(width))

    def status(self, status: str) -> str:
        """Name a status; one we have no word for is named as it came."""
        return self.t(f"status.{status}") if self.has(f"status.{status}") else status

    def severity(self, severity: object, name: str = "") -> str:
        """Name a severity by its number."""
        known = SEVERITIES.get(severity) if isinstance(severity, int) else None
        return self.t(f"severity.{known}") if known else name

    def reason(self, reason: str, otherwise: str) -> str:
        """Say why a message goes out."""
        return self.t(f"reason.{reason}") if self.has(f"reason.{reason}") else otherwise

    def sentences(self, alert: Mapping[str, Any]) -> list[str]:
        """Return what there is to say about an alert, as much as the channel has room for."""
        return wording.sentences(alert, self.kind, self)

    def heading(self, alert: Mapping[str, Any], title: str) -> str:
        """Return a title for a message about this alert alone: the given one where there is no better."""
        return wording.heading(alert, title, self.kind, self)


def in_words(sayings: Iterable[Saying], voice: Voice) -> str:
    """Return what these phrases say, one after the other."""
    return JOINED.join(text for saying in sayings if (text := voice.say(saying)))


class _Open(dict[str, object]):
    """Values of which some are missing; a hole is shown as a dash, not as a name in braces."""

    def __missing__(self, name: str) -> str:
        return UNKNOWN


def _width(width: str) -> formats.Width:
    return cast(formats.Width, width if width in WIDTHS else "long")


current: ContextVar[Voice | None] = ContextVar("voice", default=None)


def speaking() -> Voice:
    """Return the voice of the rendering that runs, else plain English."""
    return current.get() or Voice("en")


def voice_of(message: Message, kind: str = "", words: TenantWords = NOBODYS_WORDS) -> Voice:
    """Return the voice that a message asks for."""
    return Voice(message.locale, message.time_zone, message.created_at, kind=kind, words=words)
