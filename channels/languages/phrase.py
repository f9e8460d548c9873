"""One phrase of a catalogue: its texts by plural form and the names it leaves open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from string import Formatter

from babel import Locale

OTHER = "other"
FORMS = ("zero", "one", "two", "few", "many", OTHER)
COUNT = "n"
MAX_TEXT = 300
SMALL = 1_000
NAME = re.compile(r"[a-z][a-z_]{0,29}")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class PhraseError(ValueError):
    """A phrase that cannot be used; the text says why."""


class Phrase:
    """Texts by plural form; a phrase without plurals has the form `other` alone."""

    __slots__ = ("_plural", "forms", "language", "names", "plain")

    def __init__(self, language: str, forms: Mapping[str, str]) -> None:
        self.language = language
        self.forms = dict(forms)
        self.names = frozenset(name for text in forms.values() for name in names_of(text))
        #: The text where there is nothing to fill in or to choose, as on a button; else None.
        self.plain = self.forms.get(OTHER) if len(self.forms) == 1 and not self.names else None
        self._plural = Locale.parse(language, sep="-").plural_form

    @property
    def is_plural(self) -> bool:
        """Say whether the text depends on a count."""
        return len(self.forms) > 1

    def text(self, count: object = None) -> str:
        """Return the text for a count, by the rules of the phrase's own language."""
        forms = self.forms
        if len(forms) == 1 or not isinstance(count, int | float):
            return forms[OTHER]
        return forms.get(self._form(abs(count)), forms[OTHER])

    def _form(self, count: float) -> str:
        # Counts are few and small; working out the form costs more than all the rest of a phrase.
        return _small_form(self.language, count) if type(count) is int and count < SMALL else self._plural(count)

    def with_form(self, form: str, text: str) -> Phrase:
        """Return the phrase with one text replaced."""
        return Phrase(self.language, {**self.forms, form: text})


@lru_cache(maxsize=4096)
def _small_form(language: str, count: int) -> str:
    return Locale.parse(language, sep="-").plural_form(count)


def names_of(text: str) -> set[str]:
    """Return the names in braces; raises `PhraseError` where a text holds anything but plain names."""
    names = set()
    try:
        pieces = list(Formatter().parse(text))
    except ValueError as error:
        raise PhraseError(f"The braces of this text do not match: {text!r}.") from error
    for _literal, name, form, conversion in pieces:
        if name is None:
            continue
        if form or conversion or not NAME.fullmatch(name):
            raise PhraseError(f"A placeholder is a plain name in braces: {text!r}.")
        names.add(name)
    return names


def check_text(text: str) -> None:
    """Raise `PhraseError` unless the text is one line that a message may hold."""
    if not text.strip() or len(text) > MAX_TEXT or CONTROLS.search(text):
        raise PhraseError(f"A phrase is one line of 1 to {MAX_TEXT} characters.")
    names_of(text)


def needed_forms(language: str) -> frozenset[str]:
    """Return the plural forms that CLDR knows for a language."""
    return Locale.parse(language, sep="-").plural_form.tags | {OTHER}
