"""The textual form of matchers: `{team="a", env=~"prod|stage"}`."""

import re
from collections.abc import Iterable
from typing import Final, cast

from django.utils.translation import gettext as _

from alerting.matchers.expression import MatcherError
from alerting.matchers.matcher import MAX_MATCHERS, Matcher, Operator, check

MAX_TEXT: Final = 32_768

# Ours, not a tenant's, and each alternative starts differently, so it cannot back-track far.
_ITEM: Final = re.compile(
    r"""\s*(?:"(?P<quoted_name>(?:[^"\\]|\\.)*)"|(?P<name>[^\s"=!~,{}]+))"""
    r"""\s*(?P<op>=~|!~|!=|=)"""
    r"""\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<value>[^\s",{}=!~][^\s",{}]*)?)\s*""",
    re.DOTALL,
)
_BARE_NAME: Final = re.compile(r"[A-Za-z_:][\w:.\-/]*", re.ASCII)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


def parse(text: str, field: str = "matchers") -> tuple[Matcher, ...]:
    """Read the textual form, with or without braces; raise MatcherError saying where it went wrong."""
    if len(text) > MAX_TEXT:
        raise MatcherError(
            _("The matchers are longer than %(limit)d characters.") % {"limit": MAX_TEXT},
            field,
        )
    position, end = _inside_braces(text, field)
    matchers: list[Matcher] = []
    while position < end and text[position:end].strip():
        found = _ITEM.match(text, position, end)
        if found is None:
            raise _unreadable(text, position, field)
        matcher = _from_match(found)
        check(matcher, f"{field}/{len(matchers)}")
        matchers.append(matcher)
        if len(matchers) > MAX_MATCHERS:
            raise MatcherError(
                _("A rule has at most %(limit)d matchers.") % {"limit": MAX_MATCHERS},
                field,
            )
        position = found.end()
        if position < end:
            if text[position] != ",":
                raise _unreadable(text, position, field)
            position += 1
    return tuple(matchers)


def format_matchers(matchers: Iterable[Matcher]) -> str:
    """Write the textual form; `parse` reads it back to the same matchers."""
    return "{" + ", ".join(format_matcher(matcher) for matcher in matchers) + "}"


def format_matcher(matcher: Matcher) -> str:
    """Write one matcher, with quotes where they are needed."""
    name = matcher.name if _BARE_NAME.fullmatch(matcher.name) else _quote(matcher.name)
    return f"{name}{matcher.op}{_quote(matcher.value)}"


def _inside_braces(text: str, field: str) -> tuple[int, int]:
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    opened = text.startswith("{", start)
    if opened != (end > start and text[end - 1] == "}"):
        raise MatcherError(_("Write both braces around the matchers, or none."), field)
    return (start + 1, end - 1) if opened else (start, end)


def _from_match(found: re.Match[str]) -> Matcher:
    quoted_name, quoted = found["quoted_name"], found["quoted"]
    name = found["name"] if quoted_name is None else _unquote(quoted_name)
    value = (found["value"] or "") if quoted is None else _unquote(quoted)
    return Matcher(name, cast(Operator, found["op"]), value)


def _unreadable(text: str, position: int, field: str) -> MatcherError:
    near = text[position : position + 20].strip()
    message = _('Cannot read "%(near)s" at position %(position)d. Write name="value", with commas in between.')
    return MatcherError(message % {"near": near, "position": position + 1}, field)


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _unquote(text: str) -> str:
    # An unknown escape such as \d is kept whole: people type expressions without doubling backslashes.
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0]), text)
