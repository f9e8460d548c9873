"""Says what is wrong with a phrase that a tenant wants to say in its own words."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from channels.languages.book import leaves
from channels.languages.locales import normalise
from channels.languages.phrase import MAX_TEXT, PhraseError, check_text, names_of


def phrase_faults(locale: str, key: str, text: str) -> dict[str, str]:
    """Return what is wrong by field; nothing when the phrase may be used."""
    if normalise(locale) != locale or locale.partition("-")[0] not in dict(settings.LANGUAGES):
        known = ", ".join(code for code, _name in settings.LANGUAGES)
        return {"locale": _("Give one of %(known)s, or one of them with a region such as fr-CA.") % {"known": known}}
    names = leaves(locale).get(key)
    if names is None:
        return {"key": _("There is no phrase named %(name)s.") % {"name": key[:80]}}
    try:
        check_text(text)
        unknown = sorted(names_of(text) - names)
    except PhraseError:
        return {"text": _("Write one line of 1 to %(most)d characters, with names in braces.") % {"most": MAX_TEXT}}
    if unknown:
        return {"text": _("This phrase has no value named %(name)s.") % {"name": unknown[0]}}
    return {}
