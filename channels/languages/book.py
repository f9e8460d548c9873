"""The phrases one reader gets: the tenant's words over the catalogues of the fallback chain, merged once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType

import msgspec
import structlog

from channels.languages.catalogue import SOURCE, Catalogue, catalogue
from channels.languages.locales import chain, own_chain
from channels.languages.measures import FALLBACKS
from channels.languages.phrase import FORMS, OTHER, Phrase, PhraseError, check_text

log = structlog.get_logger(__name__)
OWN, DEFAULT, ENGLISH, MISSING = "own", "tenant_default", "english", "missing"
MAX_BOOKS = 32
# What a reader gets when even English has no such phrase.
LAST_RESORT = Phrase(SOURCE, {OTHER: "See the alert for details"})


class Entry(msgspec.Struct, frozen=True):
    """A phrase and how far down the chain it was found."""

    phrase: Phrase
    level: str


Book = Mapping[str, Entry]


class TenantWords:
    """What one tenant says in its own words, and its default language; immutable, shared by threads.

    `texts` maps locale, then leaf key (`counts.alerts.one`), to a text.
    """

    def __init__(self, default: str = "", texts: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self.default = default
        self.texts = texts or {}
        self._books: dict[str, Book] = {}

    def book(self, locale: str) -> Book:
        """Return the merged phrases for a reader's locale."""
        if not self.texts:
            return _plain_book(locale, self.default)
        found = self._books.get(locale)
        if found is None:
            if len(self._books) >= MAX_BOOKS:
                self._books.clear()
            found = self._books[locale] = make_book(locale, self.default, self.texts)
        return found


NOBODYS_WORDS = TenantWords()


@lru_cache(maxsize=256)
def _plain_book(locale: str, default: str) -> Book:
    return make_book(locale, default, {})


def make_book(locale: str, default: str, texts: Mapping[str, Mapping[str, str]]) -> Book:
    """Merge from the last resort upwards, so that the better word wins.

    Within the reader's own language the tenant's words beat those of the service.
    """
    own = own_chain(locale) or (SOURCE,)
    rest = [tag for tag in chain(locale, default) if tag not in own]
    layers = [[tag] for tag in reversed(rest)] + [list(reversed(own))]
    merged: dict[str, Entry] = {}
    for tags in layers:
        level = _level(tags[-1], own)
        for tag in tags:
            merged |= {key: Entry(phrase, level) for key, phrase in catalogue(tag).items()}
        for tag in tags:
            _override(merged, texts.get(tag, {}), tag, level)
    return MappingProxyType(merged)


def _level(tag: str, own: tuple[str, ...]) -> str:
    if tag in own:
        return OWN
    return ENGLISH if tag == SOURCE else DEFAULT


def _override(merged: dict[str, Entry], texts: Mapping[str, str], tag: str, level: str) -> None:
    for leaf, text in texts.items():
        key, form = split_leaf(leaf)
        known = merged.get(key)
        if known is None or not _is_usable(text, known.phrase):
            continue
        # A replaced form of a plural leaves the others as they are, in whatever language they are.
        base = known.phrase if known.phrase.is_plural and known.phrase.language == tag else None
        phrase = base.with_form(form, text) if base else Phrase(tag, {OTHER: text})
        merged[key] = Entry(phrase, level)


def _is_usable(text: str, phrase: Phrase) -> bool:
    try:
        check_text(text)
        return Phrase(phrase.language, {OTHER: text}).names <= phrase.names
    except PhraseError:
        return False


def split_leaf(leaf: str) -> tuple[str, str]:
    """Return key and plural form of a leaf."""
    key, _dot, form = leaf.rpartition(".")
    return (key, form) if form in FORMS else (leaf, OTHER)


@cache
def leaves(tag: str = SOURCE) -> Mapping[str, frozenset[str]]:
    """Return every text that may be replaced in a language, with the names it may use."""
    found: dict[str, frozenset[str]] = {}
    phrases: Catalogue = next((made for tag in (*own_chain(tag), SOURCE) if (made := catalogue(tag))), {})
    for key, phrase in phrases.items():
        for form in phrase.forms:
            found[f"{key}.{form}" if phrase.is_plural else key] = phrase.names
    return MappingProxyType(found)


def look_up(book: Book, key: str) -> Phrase:
    """Return the phrase; where there is none, a sentence that a person can read."""
    entry = book.get(key)
    if entry is None:
        FALLBACKS.labels(level=MISSING).inc()
        log.error("phrase missing", key=key[:80])
        return LAST_RESORT
    if entry.level != OWN:
        FALLBACKS.labels(level=entry.level).inc()
    return entry.phrase
