"""One condition on one label, and the functions that judge a list of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, cast

import msgspec
from django.utils.translation import gettext as _

from alerting.matchers.expression import (
    MatcherError,
    compile_expression,
    expression,
    literals,
)
from alerting.severity import DEFAULT, LABELS, parse

Operator = Literal["=", "!=", "=~", "!~"]
Predicate = Callable[[Mapping[str, str]], bool]

OPERATORS: Final = ("=", "!=", "=~", "!~")
MAX_MATCHERS: Final = 32
#: Every alert can be matched by this name, also where its sender writes `page` or `SEV-1` for critical.
LEVEL: Final = "severity_level"
MAX_NAME: Final = 128
MAX_VALUE: Final = 1024

#: Values of no kind: what accepts all of them was not written to select something.
_PROBES: Final = ("0", "zq", "Q7 \u00e9-x_0/1.2", "\u65e5\u672c")


class Matcher(msgspec.Struct, frozen=True):
    """`name op value`; a label that is missing counts as the empty string."""

    name: str
    op: Operator
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Judge one set of labels; for many use `compile_matchers` or an index."""
        return _test(self)(labels)

    def __str__(self) -> str:
        from alerting.matchers.text import format_matcher

        return format_matcher(self)


def check(matcher: Matcher, field: str = "") -> None:
    """Raise MatcherError naming the field when a matcher cannot be used."""
    if not matcher.name.strip():
        raise MatcherError(_("A matcher needs the name of a label."), _at(field, "name"))
    if len(matcher.name) > MAX_NAME:
        raise MatcherError(
            _("A label name has at most %(limit)d characters.") % {"limit": MAX_NAME},
            _at(field, "name"),
        )
    if matcher.op not in OPERATORS:
        message = _("%(op)s is no operator. Use one of = != =~ !~.")
        raise MatcherError(message % {"op": matcher.op}, _at(field, "op"))
    if matcher.op in ("=~", "!~"):
        expression(matcher.value, _at(field, "value"))
    elif len(matcher.value) > MAX_VALUE:
        message = _("A value has at most %(limit)d characters; no label is longer.")
        raise MatcherError(message % {"limit": MAX_VALUE}, _at(field, "value"))


def from_json(items: object, field: str = "matchers") -> tuple[Matcher, ...]:
    """Read the stored or sent form, a list of {name, op, value}; each is checked."""
    if not isinstance(items, list | tuple):
        raise MatcherError(_("Matchers are a list of objects with name, op and value."), field)
    if len(items) > MAX_MATCHERS:
        raise MatcherError(_("A rule has at most %(limit)d matchers.") % {"limit": MAX_MATCHERS}, field)
    return tuple(_from_item(item, f"{field}/{number}") for number, item in enumerate(items))


def to_json(matchers: Iterable[Matcher]) -> list[dict[str, str]]:
    """The form that is stored and sent: a list of {name, op, value}."""
    return [{"name": matcher.name, "op": matcher.op, "value": matcher.value} for matcher in matchers]


def compile_matchers(matchers: Sequence[Matcher]) -> Predicate:
    """Turn a list (all must hold; none holds always) into one fast test."""
    # Cheap tests first: they decide most cases.
    tests = [_test(matcher) for matcher in sorted(matchers, key=lambda matcher: matcher.op in ("=~", "!~"))]
    if not tests:
        return lambda labels: True
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda labels: first(labels) and second(labels)
    every = tuple(tests)

    def test(labels: Mapping[str, str]) -> bool:
        for one in every:  # noqa: SIM110 - all() with a generator costs three times as much
            if not one(labels):
                return False
        return True

    return test


def first_failing(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> Matcher | None:
    """The first matcher that does not hold, to be shown by explain; None when all hold."""
    return next((matcher for matcher in matchers if not _test(matcher)(labels)), None)


def matches_everything(matchers: Iterable[Matcher]) -> bool:
    """Whether nothing in the list narrows it down, so that muting by it may mute all.

    Errs on the side of True: only `=` with a value, or an expression that refuses ordinary values,
    counts as narrowing. `team!="a"` mutes everybody else, hence asks for confirmation too.
    """
    return not any(_narrows(matcher) for matcher in matchers)


def _narrows(matcher: Matcher) -> bool:
    if matcher.op == "=":
        return matcher.value != ""
    if matcher.op != "=~":
        return False
    accepts = compile_expression(matcher.value)
    return not accepts("") and not all(accepts(probe) for probe in _PROBES)


def names_read(matcher: Matcher) -> tuple[str, ...]:
    """The labels a matcher looks at."""
    return (LEVEL, "severity") if matcher.name == LEVEL else (matcher.name,)


def level_of(labels: Mapping[str, str]) -> str:
    """One of the four severities, whatever word the label `severity` has for it."""
    return labels.get(LEVEL) or LABELS[parse(labels.get("severity")) or DEFAULT]


def _test(matcher: Matcher) -> Predicate:
    plain = _plain_test(matcher)
    if matcher.name == LEVEL:
        return lambda labels: plain({LEVEL: level_of(labels)})
    return plain


def _plain_test(matcher: Matcher) -> Predicate:
    name, value = matcher.name, matcher.value
    if matcher.op == "=":
        return (lambda labels: labels.get(name) == value) if value else (lambda labels: not labels.get(name))
    if matcher.op == "!=":
        return (lambda labels: labels.get(name) != value) if value else (lambda labels: bool(labels.get(name)))
    accepts = compile_expression(value)
    values = literals(value)
    if matcher.op == "=~":
        if values is not None:
            return lambda labels: labels.get(name, "") in values
        return lambda labels: accepts(labels.get(name, ""))
    if values is not None:
        return lambda labels: labels.get(name, "") not in values
    return lambda labels: not accepts(labels.get(name, ""))


def _from_item(item: object, field: str) -> Matcher:
    matcher = item if isinstance(item, Matcher) else _from_mapping(item, field)
    check(matcher, field)
    return matcher


def _from_mapping(item: object, field: str) -> Matcher:
    if not isinstance(item, Mapping):
        raise MatcherError(_("A matcher is an object with name, op and value."), field)
    unknown = sorted(str(key) for key in item if key not in ("name", "op", "value"))
    if unknown:
        message = _("A matcher has only name, op and value; remove %(unknown)s.")
        raise MatcherError(message % {"unknown": ", ".join(unknown)}, field)
    parts: dict[str, Any] = {
        "name": item.get("name"),
        "op": item.get("op", "="),
        "value": item.get("value", ""),
    }
    for key, part in parts.items():
        if not isinstance(part, str):
            raise MatcherError(_("The %(key)s of a matcher is text.") % {"key": key}, _at(field, key))
    return Matcher(parts["name"], cast(Operator, parts["op"]), parts["value"])


def _at(field: str, key: str) -> str:
    return f"{field}/{key}" if field else key
