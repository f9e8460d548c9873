"""Severity of an alert: an ordered small integer with names and the synonyms other tools use."""

from enum import IntEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Severity(IntEnum):
    """How bad it is; the gaps leave room for levels in between without a migration."""

    INFO = 10
    WARNING = 20
    ERROR = 30
    CRITICAL = 40

    @property
    def label(self) -> str:
        """The name as it stands in labels, payloads and the API."""
        return LABELS[self]

    @property
    def title(self) -> Promise:
        """The name as a person reads it, translated when shown."""
        return TITLES[self]


LABELS: Final[dict[int, str]] = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.ERROR: "error",
    Severity.CRITICAL: "critical",
}

TITLES: Final[dict[int, Promise]] = {
    Severity.INFO: _("info"),
    Severity.WARNING: _("warning"),
    Severity.ERROR: _("error"),
    Severity.CRITICAL: _("critical"),
}

CHOICES: Final = [(level.value, TITLES[level]) for level in Severity]

#: Without a word about severity an alert is a warning: seen, but nobody is woken for it.
DEFAULT: Final = Severity.WARNING

_WORDS: Final[dict[Severity, str]] = {
    Severity.INFO: "info information informational notice debug trace none ok low minor sev4 sev5 s4 s5 p4 p5",
    Severity.WARNING: "warning warn moderate medium average sev3 s3 p3",
    Severity.ERROR: "error err high major severe sev2 s2 p2",
    Severity.CRITICAL: "critical crit page fatal emergency emerg alert panic disaster blocker highest urgent"
    " sev0 sev1 s0 s1 p0 p1",
}

SYNONYMS: Final[dict[str, Severity]] = {word: level for level, words in _WORDS.items() for word in words.split()}

_BY_VALUE: Final[dict[int, Severity]] = {level.value: level for level in Severity}
_STRIPPED: Final = str.maketrans("", "", " -_")


def parse(value: str | int | None) -> Severity | None:
    """Map a name, a synonym (any case, `SEV-1`, `sev 1`) or a known number to a Severity; None when unknown."""
    if isinstance(value, int):
        return None if isinstance(value, bool) else _BY_VALUE.get(value)
    if not value:
        return None
    known = SYNONYMS.get(value)
    if known is not None:
        return known
    if len(value) > 32:
        return None
    word = value.casefold().translate(_STRIPPED)
    if word.isascii() and word.isdigit():
        return _BY_VALUE.get(int(word))
    return SYNONYMS.get(word)
