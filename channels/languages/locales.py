"""Names of locales: written one way, their fallbacks, and what Babel calls them."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale, UnknownLocaleError

SOURCE = "en"
# Plain English is read all over the world: day before month, 24 hours. en-US says otherwise.
FORMATS = {"en": "en-GB"}


@lru_cache(maxsize=512)
def normalise(tag: str) -> str:
    """Write a tag as BCP 47 does (fr, fr-CA); empty when it names no locale that Babel knows."""
    try:
        locale = Locale.parse(tag.strip().replace("_", "-"), sep="-") if tag else None
    except (UnknownLocaleError, ValueError):
        locale = None
    if locale is None:
        language = tag.replace("_", "-").partition("-")[0]
        return normalise(language) if language != tag else ""
    parts = (locale.language, locale.script, locale.territory)
    return "-".join(part for part in parts if part)


@lru_cache(maxsize=512)
def own_chain(tag: str) -> tuple[str, ...]:
    """Return the locale and its language: fr-CA, fr."""
    known = normalise(tag)
    parts = known.split("-") if known else []
    return tuple("-".join(parts[:count]) for count in range(len(parts), 0, -1))


@lru_cache(maxsize=512)
def chain(tag: str, default: str = "") -> tuple[str, ...]:
    """Return the locales to look in: the reader's, then the tenant's, then English."""
    return tuple(dict.fromkeys((*own_chain(tag), *own_chain(default), SOURCE)))


@lru_cache(maxsize=512)
def babel_locale(tag: str) -> Locale:
    """Return the locale whose forms of numbers and dates are used; unknown ones are English."""
    known = normalise(tag) or SOURCE
    return Locale.parse(FORMATS.get(known, known), sep="-")
