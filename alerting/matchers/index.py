"""Find the rules that match an alert without trying each: inverted by their rarest equality matcher."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, Final, Generic, NamedTuple, TypeVar

from alerting.matchers.matcher import LEVEL, Matcher, Predicate, compile_matchers, names_read

Rule = TypeVar("Rule")

#: From this many rules over the same labels on, remembering the answer beats asking again.
MEMO_FROM: Final = 3
MEMO_ENTRIES: Final = 512

_position: Final = itemgetter(0)


class _Entry(NamedTuple):
    position: int
    rule: Any
    rest: Predicate | None
    whole: Predicate


class _Remainder:
    """Rules without an equality matcher that look at the same labels; answers are remembered by their values."""

    __slots__ = ("_memo", "_names", "entries")

    def __init__(self, names: tuple[str, ...], entries: list[_Entry]) -> None:
        self._names = names
        self._memo: dict[tuple[str | None, ...], tuple[_Entry, ...]] | None = {} if len(entries) >= MEMO_FROM else None
        self.entries = entries

    def matches(self, labels: Mapping[str, str]) -> Iterable[_Entry]:
        if self._memo is None:
            return [entry for entry in self.entries if entry.whole(labels)]
        key = tuple([labels.get(name) for name in self._names])
        known = self._memo.get(key)
        if known is None:
            known = tuple(entry for entry in self.entries if entry.whole(labels))
            if len(self._memo) >= MEMO_ENTRIES:
                self._memo.clear()
            self._memo[key] = known
        return known


class MatcherIndex(Generic[Rule]):
    """Rules in the order given; answers come in that order too, and equal those of trying each rule."""

    __slots__ = ("_remainders", "_tables", "rules")

    def __init__(
        self,
        rules: Iterable[Rule],
        matchers_of: Callable[[Rule], Sequence[Matcher]] = attrgetter("matchers"),
    ) -> None:
        self.rules: tuple[Rule, ...] = tuple(rules)
        sets = [matchers_of(rule) for rule in self.rules]
        often = Counter((one.name, one.value) for matchers in sets for one in matchers if _is_equality(one))
        tables: dict[str, dict[str, list[_Entry]]] = defaultdict(dict)
        remainders: dict[tuple[str, ...], list[_Entry]] = defaultdict(list)
        for position, (rule, matchers) in enumerate(zip(self.rules, sets, strict=True)):
            key = min(
                filter(_is_equality, matchers),
                key=lambda one: often[one.name, one.value],
                default=None,
            )
            rest = [one for one in matchers if one is not key]
            entry = _Entry(
                position,
                rule,
                compile_matchers(rest) if rest else None,
                compile_matchers(matchers),
            )
            if key is None:
                remainders[tuple(sorted({name for one in matchers for name in names_read(one)}))].append(entry)
            else:
                tables[key.name].setdefault(key.value, []).append(entry)
        self._tables = tuple((name, table.get) for name, table in tables.items())
        self._remainders = tuple(_Remainder(names, entries) for names, entries in remainders.items())

    def candidates(self, labels: Mapping[str, str]) -> list[Rule]:
        """The rules worth a closer look: those whose key label fits, and those without one."""
        found = [entry for name, bucket_of in self._tables for entry in bucket_of(labels.get(name, ""), ())]
        for remainder in self._remainders:
            found.extend(remainder.entries)
        found.sort(key=_position)
        return [entry.rule for entry in found]

    def matches(self, labels: Mapping[str, str]) -> list[Rule]:
        """All rules that match, in order."""
        found = self._found(labels)
        return [entry[1] for entry in found] if found else []

    def first(self, labels: Mapping[str, str]) -> Rule | None:
        """The first rule that matches."""
        found = self._found(labels)
        return found[0].rule if found else None

    def _found(self, labels: Mapping[str, str]) -> list[_Entry]:
        # The hottest loop of the pipeline: every alert runs through it for every kind of rule.
        found: list[_Entry] = []
        for name, bucket_of in self._tables:
            if name in labels and (bucket := bucket_of(labels[name])) is not None:
                for entry in bucket:
                    if entry[2] is None or entry[2](labels):
                        found.append(entry)
        for remainder in self._remainders:
            found.extend(remainder.matches(labels))
        if len(found) > 1:
            found.sort(key=_position)
        return found


def _is_equality(matcher: Matcher) -> bool:
    # What no label holds as such cannot be looked up.
    return matcher.op == "=" and matcher.value != "" and matcher.name != LEVEL
