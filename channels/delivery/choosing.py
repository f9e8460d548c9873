"""Chooses which of the due deliveries go now: pure functions over what the claim has read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from channels.delivery import circuit, limits
from channels.delivery.circuit import Health
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


def choose(candidates: Iterable[Candidate], gates: Mapping[UUID, Gate], limit: int) -> list[Candidate]:
    """Return what goes now, in the order given and within each gate.

    A delivery whose sender died before may be what kills senders: it goes alone, so that it takes none with it.
    """
    room = {channel_id: gate.allowed for channel_id, gate in gates.items()}
    chosen: list[Candidate] = []
    for candidate in candidates:
        if candidate.is_expired or room.get(candidate.channel_id, 0) < 1:
            continue
        if candidate.crashes and chosen:
            continue
        chosen.append(candidate)
        room[candidate.channel_id] -= 1
        if candidate.crashes or len(chosen) == limit:
            break
    return chosen


def charge(gate: Gate, count: int, now: datetime) -> Health:
    """Return the channel's health after `count` messages were let through."""
    health = replace(gate.health, tokens=gate.health.tokens - count)
    if health.circuit == DestinationHealth.Circuit.CLOSED:
        return health
    return circuit.start_probe(health, now)
