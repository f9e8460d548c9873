"""Silences: what a person muted until a time. State follows from time and is never stored."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from alerting.matchers import Matcher, MatcherIndex
from alerting.muting.reasons import Muted, MuteKind, NearMiss


class SilenceState(StrEnum):
    """Where a silence is in its life."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


class Silence(msgspec.Struct, frozen=True):
    """A row of the silence table."""

    id: UUID
    name: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime

    def state(self, now: datetime) -> SilenceState:
        """Pending, active or expired at `now`."""
        return state_of(self.starts_at, self.ends_at, now)


def state_of(starts_at: datetime, ends_at: datetime, now: datetime) -> SilenceState:
    """A silence holds from its start on and no longer at its end."""
    if now < starts_at:
        return SilenceState.PENDING
    return SilenceState.ACTIVE if now < ends_at else SilenceState.EXPIRED


class Silences:
    """The tenant's silences, compiled once and asked for many alerts; `now` may move on between."""

    __slots__ = ("_index",)

    def __init__(self, silences: Iterable[Silence]) -> None:
        self._index = MatcherIndex(silences)

    def muting(self, labels: Mapping[str, str], now: datetime) -> list[Muted]:
        """The active silences that match, the one that lasts longest first."""
        found = self._index.matches(labels)
        if not found:
            return []
        active = [one for one in found if one.starts_at <= now < one.ends_at]
        active.sort(key=lambda one: one.ends_at, reverse=True)
        return [Muted(MuteKind.SILENCE, one.id, one.name, one.ends_at) for one in active]

    def near_misses(self, labels: Mapping[str, str], now: datetime) -> list[NearMiss]:
        """The silences that match at another time, and those active now that one matcher keeps away."""
        misses: list[NearMiss] = []
        for silence in self._index.rules:
            state = silence.state(now)
            failed = [matcher for matcher in silence.matchers if not matcher.matches(labels)]
            if not failed and state is not SilenceState.ACTIVE:
                misses.append(NearMiss(MuteKind.SILENCE, silence.id, silence.name, None, state.value))
            elif len(failed) == 1 and state is SilenceState.ACTIVE:
                misses.append(NearMiss(MuteKind.SILENCE, silence.id, silence.name, failed[0], state.value))
        return misses
