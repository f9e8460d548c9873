"""Tenants' regular expressions: checked, compiled by RE2 with bounded memory, and remembered per value."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import re2
from django.utils.translation import gettext as _

MAX_PATTERN: Final = 256
MAX_MEMORY: Final = 1 << 20
#: How many values one expression remembers; labels repeat, so a hit spares a call into RE2.
MEMO_VALUES: Final = 256
#: Longer values are not remembered: a hostile tenant must not fill the memory with them.
MEMO_LENGTH: Final = 128

_SPECIAL: Final = frozenset("\\.+*?()[]{}^$|")

ValueTest = Callable[[str], bool]


class MatcherError(ValueError):
    """A matcher that cannot be used; the message is a sentence saying what to do about it."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


def expression(pattern: str, field: str = "value") -> Any:
    """Compile with RE2 (linear time, no back-tracking) or raise MatcherError with advice."""
    if len(pattern) > MAX_PATTERN:
        message = _("The regular expression has %(length)d characters; the limit is %(limit)d. Split it in two.")
        raise MatcherError(message % {"length": len(pattern), "limit": MAX_PATTERN}, field)
    try:
        return re2.compile(pattern, options=_options())
    except re2.error as refused:
        raise MatcherError(_advice(pattern, refused), field) from refused
    except UnicodeEncodeError as refused:
        message = _("The regular expression holds a lone surrogate, which is no character. Remove it.")
        raise MatcherError(message, field) from refused


@lru_cache(maxsize=512)
def compile_expression(pattern: str) -> ValueTest:
    """Turn a pattern into a whole-value test; literals, prefixes and suffixes never reach RE2."""
    compiled = expression(pattern)
    return _shortcut(pattern) or _remembering(compiled, _prefix(pattern))


def literals(pattern: str) -> frozenset[str] | None:
    """The exact values a pattern like `a|b|c` accepts, or None when it is a real expression."""
    parts = pattern.split("|")
    return frozenset(parts) if all(_is_literal(part) for part in parts) else None


def _options() -> Any:
    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    options.dot_nl = True
    return options


def _is_literal(text: str) -> bool:
    return _SPECIAL.isdisjoint(text)


def _shortcut(pattern: str) -> ValueTest | None:
    values = literals(pattern)
    if values is not None:
        return values.__contains__
    if pattern in (".*", ".+"):
        return (lambda value: True) if pattern == ".*" else bool
    starts, ends = pattern.startswith(".*"), pattern.endswith(".*")
    core = pattern[2 * starts : len(pattern) - 2 * ends]
    if not (starts or ends) or not _is_literal(core):
        return None
    if starts and ends:
        return lambda value: core in value
    return (lambda value: value.endswith(core)) if starts else (lambda value: value.startswith(core))


def _prefix(pattern: str) -> str:
    """What every match begins with; most values are refused by it without a call into RE2."""
    if "|" in pattern:
        return ""
    length = next((place for place, sign in enumerate(pattern) if sign in _SPECIAL), len(pattern))
    # A repetition may take the character before it away.
    return pattern[: max(length - 1, 0)] if pattern[length : length + 1] in ("*", "?", "{") else pattern[:length]


def _remembering(compiled: Any, prefix: str) -> ValueTest:
    memo: dict[str, bool] = {}

    def test(value: str) -> bool:
        if not value.startswith(prefix):
            return False
        known = memo.get(value)
        if known is not None:
            return known
        # Bytes spare re2 the mapping of offsets back to characters, which costs more than the match.
        answer = compiled.fullmatch(value.encode("utf-8", "surrogatepass")) is not None
        if len(value) <= MEMO_LENGTH:
            if len(memo) >= MEMO_VALUES:
                memo.clear()
            memo[value] = answer
        return answer

    return test


def _advice(pattern: str, refused: Exception) -> str:
    reason = refused.args[0] if refused.args else ""
    if isinstance(reason, bytes):
        reason = reason.decode("utf-8", "replace")
    if any(token in pattern for token in ("(?=", "(?!", "(?<=", "(?<!")):
        return _(
            "Look-ahead and look-behind are not supported by RE2. Use two matchers instead,"
            " for example =~ and !~ on the same label."
        )
    if "escape sequence" in reason and any(f"\\{digit}" in pattern for digit in "123456789"):
        return _("Back-references such as \\1 are not supported by RE2. List the values with | instead.")
    if "bad repetition operator" in reason or "(?>" in pattern:
        return _("Possessive and atomic repetition are not supported by RE2. Use a plain * or +.")
    if "no argument for repetition" in reason:
        return _("A * or + stands where there is nothing to repeat. Write .* for any text.")
    if "missing )" in reason or "unexpected )" in reason:
        return _("A parenthesis is not closed or was never opened. Write \\( for the character itself.")
    if "missing ]" in reason:
        return _("A square bracket is not closed. Write \\[ for the character itself.")
    if "too large" in reason or "repetition size" in reason:
        return _("The regular expression repeats too much; a count may be at most 1000. Use a shorter one.")
    return _("RE2 does not accept this regular expression (%(reason)s). See the RE2 syntax and correct it.") % {
        "reason": reason
    }
