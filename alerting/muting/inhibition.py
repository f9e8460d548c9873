"""Inhibition: while a source alert fires, target alerts with equal labels are not told."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final
from uuid import UUID

import msgspec

from alerting.matchers import Matcher, MatcherIndex, Predicate, compile_matchers, first_failing
from alerting.muting.reasons import Muted, MuteKind, NearMiss

_encode: Final = msgspec.msgpack.Encoder().encode

#: Keys remembered per rule: hashing costs more than the rest of the decision.
MEMO_ENTRIES: Final = 512


class InhibitionRule(msgspec.Struct, frozen=True):
    """Sources mute targets that have the same values of the `equal` labels (missing equals missing)."""

    id: UUID
    name: str
    source_matchers: tuple[Matcher, ...]
    target_matchers: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()


class SourceKey(msgspec.Struct, frozen=True):
    """What one firing source offers under one rule; the key is short enough to be stored and joined on."""

    key: bytes
    two_sided: bool


class _Compiled:
    """A rule ready to be asked."""

    __slots__ = ("_equal", "_memo", "_salt", "is_source", "is_target", "rule")

    def __init__(self, rule: InhibitionRule) -> None:
        self.rule = rule
        self.is_source: Predicate = compile_matchers(rule.source_matchers)
        self.is_target: Predicate = compile_matchers(rule.target_matchers)
        self._equal = tuple(sorted(set(rule.equal)))
        self._salt = rule.id.bytes
        self._memo: dict[tuple[str, ...], bytes] = {}

    def key(self, labels: Mapping[str, str]) -> bytes:
        values = tuple([labels.get(name, "") for name in self._equal])
        known = self._memo.get(values)
        if known is None:
            known = blake2b(_encode((self._salt, self._equal, values)), digest_size=16).digest()
            if len(self._memo) >= MEMO_ENTRIES:
                self._memo.clear()
            self._memo[values] = known
        return known


class FiringSources:
    """The firing alerts of a tenant that can inhibit, by rule and equal labels.

    An alert that matches both sides of a rule cannot inhibit itself nor another such alert, else two
    alerts could mute each other and nobody would be told; so those are kept apart.
    """

    __slots__ = ("_any", "_of", "_one_sided")

    def __init__(self) -> None:
        self._any: dict[bytes, dict[bytes, None]] = defaultdict(dict)
        self._one_sided: dict[bytes, dict[bytes, None]] = defaultdict(dict)
        self._of: dict[bytes, list[bytes]] = {}

    def __len__(self) -> int:
        return len(self._of)

    def add(self, fingerprint: bytes, keys: Iterable[SourceKey]) -> None:
        """Note a firing source; a later call for the same alert replaces the earlier."""
        self.discard(fingerprint)
        for one in keys:
            self._of.setdefault(fingerprint, []).append(one.key)
            self._any[one.key][fingerprint] = None
            if not one.two_sided:
                self._one_sided[one.key][fingerprint] = None

    def discard(self, fingerprint: bytes) -> None:
        """Forget an alert that no longer fires."""
        for key in self._of.pop(fingerprint, ()):
            for sources in (self._any, self._one_sided):
                if key in sources:
                    sources[key].pop(fingerprint, None)
                    if not sources[key]:
                        del sources[key]

    def source_of(self, key: bytes, *, two_sided: bool) -> bytes | None:
        """The oldest known source for a target under this key."""
        sources = (self._one_sided if two_sided else self._any).get(key)
        return next(iter(sources)) if sources else None


class Inhibitor:
    """The tenant's inhibition rules, compiled once and asked for many alerts."""

    __slots__ = ("_sources", "_targets", "rules")

    def __init__(self, rules: Iterable[InhibitionRule]) -> None:
        self.rules: tuple[InhibitionRule, ...] = tuple(rules)
        compiled = [_Compiled(rule) for rule in self.rules]
        self._sources = MatcherIndex(compiled, matchers_of=lambda one: one.rule.source_matchers)
        self._targets = MatcherIndex(compiled, matchers_of=lambda one: one.rule.target_matchers)

    def source_keys(self, labels: Mapping[str, str]) -> list[SourceKey]:
        """What a firing alert with these labels inhibits by; empty for nearly all alerts."""
        return [SourceKey(one.key(labels), one.is_target(labels)) for one in self._sources.matches(labels)]

    def firing_sources(self, firing: Iterable[tuple[bytes, Mapping[str, str]]]) -> FiringSources:
        """Collect the sources among (fingerprint, labels) of firing alerts."""
        sources = FiringSources()
        for fingerprint, labels in firing:
            if keys := self.source_keys(labels):
                sources.add(fingerprint, keys)
        return sources

    def muting(self, labels: Mapping[str, str], sources: FiringSources) -> list[Muted]:
        """The rules that mute an alert now, each with the source that does it."""
        if not sources:
            return []
        muted: list[Muted] = []
        for one in self._targets.matches(labels):
            source = sources.source_of(one.key(labels), two_sided=one.is_source(labels))
            if source is not None:
                muted.append(Muted(MuteKind.INHIBITION, one.rule.id, one.rule.name, None, source))
        return muted

    def near_misses(self, labels: Mapping[str, str], sources: FiringSources) -> list[NearMiss]:
        """Rules whose target fits but no equal source fires, and rules one target matcher keeps away."""
        muting = {muted.id for muted in self.muting(labels, sources)}
        misses: list[NearMiss] = []
        for rule in self.rules:
            if rule.id in muting:
                continue
            failed = [matcher for matcher in rule.target_matchers if not matcher.matches(labels)]
            if len(failed) <= 1:
                state = "" if failed else "no_source"
                misses.append(NearMiss(MuteKind.INHIBITION, rule.id, rule.name, first_failing(failed, labels), state))
        return misses
