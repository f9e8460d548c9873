"""Speaks to readers in their language, numbers and time zone; what is named here needs no Django."""

from channels.languages.book import NOBODYS_WORDS, TenantWords, leaves
from channels.languages.catalogue import CatalogueError, catalogue, languages
from channels.languages.voice import Voice, current, speaking, voice_of

__all__ = [
    "NOBODYS_WORDS",
    "CatalogueError",
    "TenantWords",
    "Voice",
    "catalogue",
    "current",
    "languages",
    "leaves",
    "speaking",
    "voice_of",
]
