"""The query parameters of alerts and groups, and what they mean."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerting import severity
from alerting.filters import Wanted
from alerting.matchers import Matcher, MatcherError, parse
from alerting.matchers.matcher import MAX_MATCHERS
from tenants.api.filters import PERIOD, Filter, row_id, words, yes_or_no
from tenants.api.problems import Problem
from tenants.api.query import one_of
from tenants.faults import ItemError

NAMES = list(severity.LABELS.values())
MATCHER_TEXT = gettext_lazy(
    'A label matcher such as team="a", env!="test", instance=~"db.*"; give it several times and all must hold.'
)


def _matchers(value: str) -> tuple[Matcher, ...]:
    try:
        found = parse(value, "matcher")
    except MatcherError as error:
        raise ValueError(error.message) from error
    if not found:
        raise ValueError(_('Write a matcher such as team="a".'))
    return found


def _severity(value: str) -> int:
    one_of(*NAMES)(value)
    found = severity.parse(value)
    return int(found or severity.DEFAULT)


def statuses(*known: str) -> Filter:
    """One or several statuses."""
    return Filter(one_of(*known), {"type": "string", "enum": list(known)}, is_repeatable=True)


def _level(description: str | Promise, *, is_repeatable: bool = False) -> Filter:
    return Filter(_severity, {"type": "string", "enum": NAMES}, description, is_repeatable)


COMMON: Mapping[str, Filter] = {
    "severity": _level(gettext_lazy("Exactly this severity; several are taken as any of them."), is_repeatable=True),
    "severity_min": _level(gettext_lazy("This severity or a higher one.")),
    "matcher": Filter(_matchers, {"type": "string", "minLength": 1}, MATCHER_TEXT, is_repeatable=True),
    "q": words(200, gettext_lazy("Text to look for, in any case.")),
    "flapping": yes_or_no(),
    **PERIOD,
}
ALERTS: Mapping[str, Filter] = {
    "status": statuses("firing", "resolved"),
    "muted": yes_or_no(),
    "group": row_id(gettext_lazy("Only alerts of this group.")),
    **COMMON,
}
GROUPS: Mapping[str, Filter] = {"status": statuses("firing", "acknowledged", "resolved"), **COMMON}


def wanted_of(query: Mapping[str, Any]) -> Wanted:
    """What the query of a request asks for; refuses a combination that makes no sense."""
    matchers = [matcher for found in query.get("matcher", ()) for matcher in found]
    if len(matchers) > MAX_MATCHERS:
        raise _bad("matcher", _("At most %(limit)d matchers.") % {"limit": MAX_MATCHERS})
    since, until = query.get("since"), query.get("until")
    if since is not None and until is not None and until <= since:
        raise _bad("until", _("The end of the range lies after its beginning."))
    return Wanted(
        status=query.get("status", ()),
        severity=query.get("severity", ()),
        severity_min=query.get("severity_min"),
        matchers=matchers,
        since=since,
        until=until,
        text=query.get("q", ""),
        is_muted=query.get("muted"),
        is_flapping=query.get("flapping"),
        exact={"group_id": query["group"]} if "group" in query else {},
    )


def _bad(name: str, message: str) -> Problem:
    text = f"{name}: {message}"
    return Problem("bad_query", text, errors=[ItemError(None, f"?{name}", "bad_parameter", text)])
