"""Says in words which part of which row of a list is not written as it must be, after msgspec found it so."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec
from django.utils.translation import gettext as _

_PLACE: Final = re.compile(r"`\$\[(\d+)\]([^`]*)`$")
_MISSING: Final = re.compile(r"missing required field `(\w+)`")
_UNKNOWN: Final = re.compile(r"unknown field `(\w+)`")
_LAST: Final = re.compile(r"(\w+)(?:\[[^\]]*\])*$")


def row_of(error: msgspec.ValidationError) -> int | None:
    """The number of the row, from one; None when the whole is no list of rows."""
    place = _PLACE.search(str(error))
    return int(place[1]) + 1 if place else None


def fault_of(error: msgspec.ValidationError, allowed: Mapping[str, str]) -> str:
    """What is wrong in that row; `allowed` lists the words that a part may be."""
    text = str(error)
    if (missing := _MISSING.search(text)) is not None:
        return _("“%(part)s” is missing.") % {"part": missing[1]}
    if (unknown := _UNKNOWN.search(text)) is not None:
        return _("“%(part)s” is not known here.") % {"part": unknown[1]}
    place = _PLACE.search(text)
    last = _LAST.search(place[2]) if place else None
    if last is None:
        return _("It is no object.")
    if last[1] in allowed:
        return _("“%(part)s” is one of %(allowed)s.") % {"part": last[1], "allowed": allowed[last[1]]}
    return _("“%(part)s” is not written as it must be.") % {"part": last[1]}
