"""Why a provider's call is not taken."""

from __future__ import annotations


class Malformed(Exception):
    """The call cannot be read: 400."""


class Refused(Exception):
    """The call is not surely from whom it says: 403, with the same words whatever was wrong."""
