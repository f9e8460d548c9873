"""Chooses which of the due deliveries go now: pure functions over what the claim has read."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from channels.delivery import circuit, limits
from channels.delivery.circuit import Health
from channels.delivery.sharing import NOTHING_SHARED, Shares
from channels.models import DestinationHealth


@dataclass(frozen=True, slots=True)
class Candidate:
    """A due row of the queue."""

    delivery_id: UUID
    channel_id: UUID
    crashes: int
    is_expired: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """How many messages a channel may take now, and when the rest should ask again.

    `again_at` is when the first of the rest may hope to go, `step` the seconds between one and the next.
    """

    health: Health
    allowed: int
    again_at: datetime
    step: float = 0.0


def open_gate(health: Health, rate_per_minute: int, now: datetime) -> Gate:
    """Work out a channel's gate from its circuit and its rate limit."""
    until = circuit.blocked_until(health, now)
    if until is not None:
        return Gate(health, 0, until)
    tokens = limits.refill(health.tokens, health.tokens_at, rate_per_minute, now)
    health = replace(health, tokens=tokens, tokens_at=now)
    wait = limits.seconds_to_next(tokens % 1.0, rate_per_minute)
    gate = Gate(
        health,
        limits.allowance(tokens),
        now + timedelta(seconds=wait),
        1.0 / limits.per_second(rate_per_minute),
    )
    if circuit.is_probe_due(health, now):
        return replace(gate, allowed=min(gate.allowed, 1), again_at=max(gate.again_at, now + circuit.WHILE_PROBING))
    return gate


def choose(
    candidates: Iterable[Candidate], gates: Mapping[UUID, Gate], limit: int, shares: Shares = NOTHING_SHARED
) -> list[Candidate]:
    """Return what goes now, in the order given, within each gate and what the gates share.

    A delivery whose sender died before may be what kills senders: it goes alone, so that it takes none with it.
    """
    room = {channel_id: gate.allowed for channel_id, gate in gates.items()}
    shared = {key: share.allowed for key, share in shares.by_key.items()}
    chosen: list[Candidate] = []
    for candidate in candidates:
        keys = shares.by_channel.get(candidate.channel_id, ())
        if candidate.is_expired or room.get(candidate.channel_id, 0) < 1 or any(shared[key] < 1 for key in keys):
            continue
        if candidate.crashes and chosen:
            continue
        chosen.append(candidate)
        room[candidate.channel_id] -= 1
        for key in keys:
            shared[key] -= 1
        if candidate.crashes or len(chosen) == limit:
            break
    return chosen


def full(chosen: Iterable[Candidate], gates: Mapping[UUID, Gate], shares: Shares = NOTHING_SHARED) -> set[UUID]:
    """Return the channels of which as many go as may: by their own limit or one that they share."""
    count = Counter(one.channel_id for one in chosen)
    spent = shares.spent(count)
    return {
        key
        for key, number in count.items()
        if number >= gates[key].allowed or not spent.isdisjoint(shares.by_channel.get(key, ()))
    }


@dataclass(frozen=True, slots=True)
class Deferral:
    """When the rest of a channel asks again: one after the other with all of the same `line`."""

    channel_id: UUID
    line: str
    again_at: datetime
    step: float


def deferrals(taken: Mapping[UUID, int], gates: Mapping[UUID, Gate], shares: Shares = NOTHING_SHARED) -> list[Deferral]:
    """Return what is put off because a gate, or what gates share, lets nothing more through."""
    spent = shares.spent(taken)
    found = []
    for key, gate in gates.items():
        mine = [share for share in shares.of(key) if share.bucket.key in spent]
        own = Deferral(key, str(key), gate.again_at, gate.step)
        if mine:
            last = max(mine, key=lambda share: share.again_at)
            found.append(Deferral(key, last.bucket.key, max(last.again_at, gate.again_at), last.step))
        elif gate.allowed <= taken.get(key, 0):
            found.append(own)
    return found


def charge(gate: Gate, count: int, now: datetime) -> Health:
    """Return the channel's health after `count` messages were let through."""
    health = replace(gate.health, tokens=gate.health.tokens - count)
    if health.circuit == DestinationHealth.Circuit.CLOSED:
        return health
    return circuit.start_probe(health, now)
