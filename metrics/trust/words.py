"""The reasons for telling and ending in words."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TOLD: Final[dict[str, Promise]] = {
    "always": _("alerted: this threshold always does"),
    "earned": _("alerted: its precision is good enough"),
    "never": _("only shown: this threshold never alerts"),
    "not_earned": _("only shown: its precision is not proven yet"),
    "poor_data": _("only shown: the data is in doubt"),
}
ENDED: Final[dict[str, Promise]] = {
    "recovered": _("it is back to normal"),
    "returned": _("it is back to what it was before the change"),
    "settled": _("it stayed as it is, which counts as usual now"),
    "no_data": _("nothing comes any more, so nobody can tell"),
    "gone": _("the series has been silent for days"),
    "switched_off": _("the threshold was switched off"),
}


def told_title(because: str) -> Promise | str:
    """Why it became an alert, or why not."""
    return TOLD.get(because, because)


def ended_title(because: str) -> Promise | str:
    """Why it is over."""
    return ENDED.get(because, because)
