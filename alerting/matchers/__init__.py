"""Matchers: conditions on labels, shared by routes, silences, inhibition, windows, grouping and enrichment.

Alertmanager's meaning: a regular expression must match the whole value, and a missing label is an
empty string. Unlike Alertmanager a dot also matches a newline, so `=~".*"` really is everything.
"""

from alerting.matchers.expression import MatcherError, compile_expression, expression
from alerting.matchers.index import MatcherIndex
from alerting.matchers.matcher import (
    LEVEL,
    Matcher,
    Predicate,
    check,
    compile_matchers,
    first_failing,
    from_json,
    level_of,
    matches_everything,
    to_json,
)
from alerting.matchers.text import format_matchers, parse

__all__ = [
    "LEVEL",
    "Matcher",
    "MatcherError",
    "MatcherIndex",
    "Predicate",
    "check",
    "compile_expression",
    "compile_matchers",
    "expression",
    "first_failing",
    "format_matchers",
    "from_json",
    "level_of",
    "matches_everything",
    "parse",
    "to_json",
]
