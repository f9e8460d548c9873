"""The filters and tests that templates may use, each bounded in time and size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jinja2
from jinja2.filters import FILTERS as STANDARD_FILTERS
from jinja2.runtime import Context
from jinja2.tests import TESTS as STANDARD_TESTS

from channels.languages.formats import read_time, time_zone
from channels.sandbox import speech
from channels.sandbox.budget import MAX_STRING, TOO_LONG, BudgetExceeded, bounded
from channels.sanitise import escape_mrkdwn, http_url, one_line, shorten

TIME_FORMAT = "%d %b %Y, %H:%M %Z"
MAX_FORMAT = 40
EMOJI = ((40, "\U0001f534"), (30, "\U0001f7e0"), (20, "\U0001f7e1"), (0, "\U0001f535"))
COLOURS = ((40, "#d92d20"), (30, "#e8590c"), (20, "#eaaa08"), (0, "#2e72d2"))
RESOLVED = ("\u2705", "#12874b")
STANDARD = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float",
    "int", "last", "length", "lower", "reverse", "round", "sort", "string", "title", "trim",
    "unique", "upper", "urlencode",
)  # fmt: skip
STANDARD_TESTS_USED = (
    "defined", "undefined", "none", "string", "number", "mapping", "sequence", "odd", "even",
    "divisibleby", "eq", "equalto", "ne", "lt", "le", "gt", "ge", "in", "true", "false",
)  # fmt: skip


class Ready(str):
    """Text that is already written for its channel, such as a link made by a filter."""

    __slots__ = ()


def join(items: Iterable[Any], separator: str = "") -> str:
    """Join texts, stopping as soon as the result is too long."""
    pieces: list[str] = []
    mark, length = str(separator), 0
    for item in items:
        pieces.append(str(item))
        length += len(pieces[-1]) + len(mark)
        if length > MAX_STRING + len(mark):
            raise BudgetExceeded(TOO_LONG)
    return bounded(mark.join(pieces))


def replace(text: object, old: str, new: str) -> str:
    """Replace, refusing before the work is done when the result would be too long."""
    value, old, new = str(text), str(old), str(new)
    if not old:
        return value
    if len(value) + value.count(old) * (len(new) - len(old)) > MAX_STRING:
        raise BudgetExceeded(TOO_LONG)
    return value.replace(old, new)


def truncate(text: object, length: int = 255) -> str:
    """Cut to a length with an ellipsis."""
    return shorten(str(text), max(0, min(int(length), 8_000)))


@jinja2.pass_context
def localtime(context: Context, value: object, form: str = TIME_FORMAT) -> str:
    """Show an ISO time in the reader's time zone."""
    at = read_time(value)
    if at is None:
        return ""
    return at.astimezone(time_zone(str(context.get("time_zone") or ""))).strftime(str(form)[:MAX_FORMAT])


def emoji(severity: object, status: str = "") -> str:
    """Return a coloured mark for a severity number; resolved wins."""
    return RESOLVED[0] if status == "resolved" else _by_severity(severity, EMOJI)


def colour(severity: object, status: str = "") -> str:
    """Return a colour for a severity number; resolved wins."""
    return RESOLVED[1] if status == "resolved" else _by_severity(severity, COLOURS)


def url(value: object) -> str:
    """Return a web address, or nothing when it is none."""
    return http_url(str(value))


def line(value: object, length: int = 200) -> str:
    """Put a text on one line of bounded length."""
    return one_line(str(value), max(1, min(int(length), 2_000)))


def mrkdwn(value: object) -> Ready:
    """Escape for Slack by hand; values are escaped anyway, once."""
    return value if isinstance(value, Ready) else Ready(escape_mrkdwn(str(value)))


def link(address: object, text: object = "") -> Ready:
    """Make a Slack link, or only its text when the address is none."""
    plain = escape_mrkdwn(one_line(str(text))).replace("|", "\u2502")
    safe = http_url(str(address)).replace("&", "&amp;")
    if not safe:
        return Ready(plain)
    return Ready(f"<{safe}|{plain or safe}>")


def pairs(value: object) -> str:
    """Write a mapping as `a=b, c=d`."""
    items = value.items() if isinstance(value, Mapping) else ()
    return join((f"{name}={item}" for name, item in items), ", ")


def allowed_filters() -> dict[str, Any]:
    """Return every filter by name."""
    own = (join, replace, truncate, localtime, emoji, colour, url, line, mrkdwn)
    filters: dict[str, Any] = {name: STANDARD_FILTERS[name] for name in STANDARD}
    filters |= {function.__name__: function for function in (*own, link, pairs)}
    return filters | speech.filters()


def allowed_tests() -> dict[str, Any]:
    """Return every test by name."""
    return {name: STANDARD_TESTS[name] for name in STANDARD_TESTS_USED}


def _by_severity(severity: object, table: tuple[tuple[int, str], ...]) -> str:
    number = severity if isinstance(severity, int | float) else 0
    return next((value for floor, value in table if number >= floor), table[-1][1])
