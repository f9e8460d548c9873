"""Decides whose turn it is in each thread: pure functions over what the claim has read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from channels.message import QUIET, Message

Key = tuple[UUID, str, UUID]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open delivery of a thread, in the order they were made.

    `is_busy` says that it is being sent, or may just have been, so that the thread must wait for it; `is_rootless`
    that it only brings a message up to date, and there is none.
    """

    delivery_id: UUID
    key: Key
    is_chosen: bool
    is_busy: bool = False
    is_rootless: bool = False
    message: Message | None = None


@dataclass(slots=True)
class Turns:
    """Which go now, which wait for one of their thread, which a newer one tells in full (old by new), and which have
    nothing to bring up to date."""

    go: set[UUID] = field(default_factory=set)
    hold: list[UUID] = field(default_factory=list)
    superseded: dict[UUID, UUID] = field(default_factory=dict)
    needless: list[UUID] = field(default_factory=list)


def take_turns(waiting: Iterable[Waiting]) -> Turns:
    """Let one delivery of each thread go at a time, the oldest that no newer one makes needless."""
    turns = Turns()
    threads: dict[Key, list[Waiting]] = defaultdict(list)
    for one in waiting:
        threads[one.key].append(one)
    for thread in threads.values():
        _take_turn(thread, turns)
    return turns


def carries(newer: Message, older: Message) -> bool:
    """Say whether the newer message tells all that the older one would have.

    It is about every alert of the older one, which it knows in full; words of people are never dropped.
    What only brings the message up to date is told by whatever does so after it.
    """
    is_state = older.kind == "notification" or older.reason in QUIET
    tells_state = newer.kind == "notification" or (newer.reason in QUIET and older.reason in QUIET)
    if not is_state or not tells_state or newer.created_at < older.created_at:
        return False
    if older.total_count > len(older.alerts):
        return False
    return {alert.fingerprint for alert in older.alerts} <= {alert.fingerprint for alert in newer.alerts}


def _take_turn(thread: list[Waiting], turns: Turns) -> None:
    is_busy = any(one.is_busy for one in thread)
    left = _without_superseded([one for one in thread if not one.is_busy], turns)
    chosen = _without_rootless(left, turns, may_begin=is_busy or any(not one.is_rootless for one in left))
    first = None if is_busy or not chosen else chosen[0]
    for one in chosen:
        if one is first:
            turns.go.add(one.delivery_id)
        else:
            turns.hold.append(one.delivery_id)


def _without_rootless(left: list[Waiting], turns: Turns, *, may_begin: bool) -> list[Waiting]:
    """Of the chosen those that have something to tell; the others wait for a message that may begin the thread."""
    for one in left:
        if one.is_chosen and one.is_rootless:
            (turns.hold if may_begin else turns.needless).append(one.delivery_id)
    return [one for one in left if one.is_chosen and not one.is_rootless]


def _without_superseded(pending: list[Waiting], turns: Turns) -> list[Waiting]:
    left: list[Waiting] = []
    for number, one in enumerate(pending):
        newer = next((other for other in pending[number + 1 :] if _covers(other, one)), None)
        if newer is None:
            left.append(one)
        else:
            turns.superseded[one.delivery_id] = newer.delivery_id
    return left


def _covers(newer: Waiting, older: Waiting) -> bool:
    return newer.message is not None and older.message is not None and carries(newer.message, older.message)
