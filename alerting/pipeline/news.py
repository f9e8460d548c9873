"""Is it news? What an item says, held against what is known of its alert: one pure decision."""

from datetime import datetime
from enum import StrEnum

import msgspec

from alerting.decoding import NativeAlert

FIRING, RESOLVED = "firing", "resolved"
#: Why an alert ended, when its sender may not know: the same firing then counts as a new one.
UNAWARE = frozenset({"stale", "ended"})
#: In Alert.flags: the sender gave no start, so that the time of receipt stands there.
START_ASSUMED = "start_assumed"


class News(StrEnum):
    """What an item is."""

    FIRED = "fired"
    FIRED_AGAIN = "fired_again"
    RESOLVED = "resolved"
    REPEATED = "repeated"
    OUTDATED = "outdated"


class State(msgspec.Struct):
    """What is known of an alert's status."""

    status: str
    starts_at: datetime
    is_start_assumed: bool = False
    resolved_because: str = ""


def judge(state: State | None, alert: NativeAlert) -> News:
    """Compare an item with the state before it.

    Order of receipt is order of events, except where the sender's own times say otherwise: word of an
    earlier firing, or of the end of an earlier one, changes nothing. An alert that somebody ended
    fires again only when its sender says it began anew; one that merely fell silent fires again at once.
    """
    if state is None:
        return News.FIRED if alert.status == FIRING else News.RESOLVED
    if alert.status == FIRING:
        return _firing(state, alert)
    if state.status == RESOLVED:
        return News.REPEATED
    return News.OUTDATED if _ends_earlier(state, alert) else News.RESOLVED


def _firing(state: State, alert: NativeAlert) -> News:
    begins_earlier = alert.starts_at is not None and alert.starts_at < state.starts_at and not state.is_start_assumed
    if state.status == FIRING:
        return News.OUTDATED if begins_earlier else News.REPEATED
    if begins_earlier:
        return News.OUTDATED
    is_same_firing = alert.starts_at is not None and alert.starts_at == state.starts_at
    if is_same_firing and state.resolved_because not in UNAWARE:
        return News.OUTDATED
    return News.FIRED_AGAIN


def _ends_earlier(state: State, alert: NativeAlert) -> bool:
    """Only times of the sender are compared with each other; its clock and ours may differ."""
    if state.is_start_assumed:
        return False
    said = alert.starts_at or alert.ends_at
    return said is not None and said < state.starts_at
