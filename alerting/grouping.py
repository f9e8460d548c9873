"""Which alerts are told together: a group's identity comes from a grouping rule and labels, never from the route."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from alerting.fingerprint import group_key
from alerting.matchers import Matcher, MatcherIndex, first_failing

#: In place of label names: every label, so that each alert is a group of its own.
EVERY_LABEL: Final = "..."
DEFAULT_GROUP_BY: Final = ("alertname",)
MAX_GROUP_BY: Final = 16

#: Groups remembered per rule; alerts of a group come again and again.
MEMO_ENTRIES: Final = 1024


class GroupingError(ValueError):
    """A grouping rule that cannot be used; the message says what to do."""

    def __init__(self, message: str, field: str = "group_by") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class GroupingRule(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts the matchers select are grouped by the values of these labels."""

    id: UUID | None
    name: str = ""
    position: int = 0
    matchers: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] = DEFAULT_GROUP_BY


class Group(msgspec.Struct, frozen=True):
    """The group of an alert. `labels` is shared between alerts: read it, never write it."""

    rule: GroupingRule
    key: bytes
    labels: Mapping[str, str]


class MissedRule(msgspec.Struct, frozen=True):
    """An earlier rule that did not take the alert, with the matcher that failed."""

    rule: GroupingRule
    failed: Matcher


#: What no rule of the tenant takes is grouped by the name of the alert.
DEFAULT_RULE: Final = GroupingRule(id=None, name="default")


def check_group_by(names: Iterable[str]) -> tuple[str, ...]:
    """Clean a list of label names from a form or the API, or raise GroupingError."""
    cleaned = tuple(dict.fromkeys(name.strip() for name in names))
    if len(cleaned) > MAX_GROUP_BY:
        raise GroupingError(_("Group by at most %(limit)d labels.") % {"limit": MAX_GROUP_BY})
    if EVERY_LABEL in cleaned and len(cleaned) > 1:
        raise GroupingError(_("... already means every label. Remove the other names, or the three dots."))
    if any(not name or len(name) > 128 for name in cleaned):
        raise GroupingError(_("A label name has 1 to 128 characters."))
    return cleaned


class _Grouper:
    """One rule with the groups it has made so far."""

    __slots__ = ("_memo", "_names", "rule")

    def __init__(self, rule: GroupingRule) -> None:
        self.rule = rule
        self._names = None if EVERY_LABEL in rule.group_by else tuple(sorted(set(rule.group_by)))
        self._memo: dict[tuple[str, ...], Group] = {}

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        return self.rule.matchers

    def group(self, labels: Mapping[str, str]) -> Group:
        if self._names is None:
            return self._make(tuple(labels.items()))
        values = tuple([labels.get(name, "") for name in self._names])
        known = self._memo.get(values)
        if known is None:
            known = self._make(tuple(zip(self._names, values, strict=True)))
            if len(self._memo) >= MEMO_ENTRIES:
                self._memo.clear()
            self._memo[values] = known
        return known

    def _make(self, pairs: tuple[tuple[str, str], ...]) -> Group:
        return Group(
            self.rule,
            group_key(self.rule.id, pairs),
            {name: value for name, value in pairs if value},
        )


class Grouping:
    """The tenant's grouping rules, compiled; the first that matches decides."""

    __slots__ = ("_default", "_index")

    def __init__(self, rules: Iterable[GroupingRule], default: GroupingRule = DEFAULT_RULE) -> None:
        ordered = sorted(rules, key=lambda rule: rule.position)
        self._index = MatcherIndex([_Grouper(rule) for rule in ordered])
        self._default = _Grouper(default)

    def group_of(self, labels: Mapping[str, str]) -> Group:
        """The group of an alert: the rule, the identity and the labels all its alerts share."""
        return (self._index.first(labels) or self._default).group(labels)

    def missed(self, labels: Mapping[str, str]) -> list[MissedRule]:
        """The rules tried before the one that took the alert, for explain."""
        missed: list[MissedRule] = []
        for grouper in self._index.rules:
            failed = first_failing(grouper.matchers, labels)
            if failed is None:
                break
            missed.append(MissedRule(grouper.rule, failed))
        return missed
