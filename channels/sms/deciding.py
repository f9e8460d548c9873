"""Decides which SMS go now: quiet hours, caps and the budget as one pure function over what was read.

Nothing is lost here: what may not go now waits with its reason, or is told within another message to the
same number. Only what can never go (the number wants none, the budget is spent until it is too late) ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from uuid import UUID

HOUR = timedelta(hours=1)
#: A budget may be raised meanwhile, so it is looked at again this often.
BUDGET_PAUSE = timedelta(minutes=10)


class Because(Enum):
    """Why an SMS does not go now, or does not go at all."""

    QUIET = "quiet"
    NUMBER_CAP = "number_cap"
    TENANT_CAP = "tenant_cap"
    BUDGET = "budget"
    OPTED_OUT = "opted_out"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A due SMS. `was_held` says that it waited here before; `is_chosen` that it has a place in this claim."""

    delivery_id: UUID
    channel_id: UUID
    number: str
    is_critical: bool
    created_at: datetime
    expires_at: datetime
    cost: Decimal
    quiet_until: datetime | None = None
    was_held: bool = False
    is_chosen: bool = True
    is_counted: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The tenant's plan in numbers; a budget of None has no end."""

    per_number: int = 20
    hourly: int = 500
    budget: Decimal | None = None
    reserve: Decimal = Decimal("0.2")
    critical_over_budget: bool = True


@dataclass(frozen=True, slots=True)
class Usage:
    """What was let out: in the last hour by number (count, oldest) and in all, and what the month has cost."""

    by_number: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)
    hour: int = 0
    hour_oldest: datetime | None = None
    spent: Decimal = Decimal(0)
    opted_out: frozenset[tuple[UUID, str]] = frozenset()


@dataclass(slots=True)
class Verdict:
    """What becomes of each: let out, told within another, held until a time, or ended."""

    send: list[Waiting] = field(default_factory=list)
    fold: dict[UUID, list[Waiting]] = field(default_factory=dict)
    hold: list[tuple[Waiting, datetime, Because]] = field(default_factory=list)
    refuse: list[tuple[Waiting, Because]] = field(default_factory=list)


class _Room:
    """What is left of the limits while a claim is decided."""

    def __init__(self, limits: Limits, usage: Usage, now: datetime) -> None:
        self.limits, self.usage, self.now = limits, usage, now
        self.number = {number: count for number, (count, _oldest) in usage.by_number.items()}
        self.hour, self.spent = usage.hour, usage.spent

    def left_for(self, number: str, is_critical: bool) -> int:
        """Return how many more may go to a number this hour."""
        limit = self.limits.per_number - (0 if is_critical else int(self.limits.per_number * self.limits.reserve))
        return max(limit - self.number.get(number, 0), 0)

    def obstacle(self, one: Waiting) -> tuple[datetime, Because] | None:
        """Return until when and why this one may not go; None when it may."""
        limits = self.limits
        if self.left_for(one.number, one.is_critical) < 1:
            oldest = self.usage.by_number.get(one.number, (0, self.now))[1]
            return self._after(oldest), Because.NUMBER_CAP
        hourly = limits.hourly - (0 if one.is_critical else int(limits.hourly * limits.reserve))
        if self.hour >= hourly:
            return self._after(self.usage.hour_oldest or self.now), Because.TENANT_CAP
        if limits.budget is not None and not (one.is_critical and limits.critical_over_budget):
            budget = limits.budget if one.is_critical else limits.budget * (1 - limits.reserve)
            if self.spent + one.cost > budget:
                return self.now + BUDGET_PAUSE, Because.BUDGET
        return None

    def take(self, one: Waiting) -> None:
        """Count one that goes."""
        self.number[one.number] = self.number.get(one.number, 0) + 1
        self.hour += 1
        self.spent += one.cost

    def _after(self, oldest: datetime) -> datetime:
        return max(oldest + HOUR, self.now + timedelta(seconds=5))


def decide(waiting: Iterable[Waiting], limits: Limits, usage: Usage, now: datetime) -> Verdict:
    """Return what becomes of every SMS that waits; critical ones go first."""
    verdict, room = Verdict(), _Room(limits, usage, now)
    bundles: dict[tuple[UUID, str, bool], list[Waiting]] = defaultdict(list)
    for one in sorted(waiting, key=lambda one: (not one.is_critical, one.created_at)):
        if (one.channel_id, one.number) in usage.opted_out:
            verdict.refuse.append((one, Because.OPTED_OUT))
        elif one.is_counted:
            # A second try of what was let out already.
            verdict.send.append(one)
        elif one.quiet_until is not None and not one.is_critical:
            verdict.hold.append((one, one.quiet_until, Because.QUIET))
        else:
            # What is critical is never buried among what is not.
            bundles[one.channel_id, one.number, one.is_critical].append(one)
    for bundle in bundles.values():
        _settle(bundle, room, verdict)
    verdict.send = [one for one in verdict.send if one.is_chosen]
    return verdict


def _settle(bundle: list[Waiting], room: _Room, verdict: Verdict) -> None:
    """Let a number's messages out one by one where there is room for all, else as one that tells them all."""
    first = bundle[0]
    room_left = room.left_for(first.number, first.is_critical)
    late = sum(one.was_held for one in bundle)
    if len(bundle) > 1 and (late > 1 or len(bundle) > room_left):
        carrier = next((one for one in bundle if one.is_chosen), first)
        if _let_out(carrier, room, verdict):
            verdict.fold[carrier.delivery_id] = [one for one in bundle if one is not carrier]
            return
        bundle = [one for one in bundle if one is not carrier]
    for one in bundle:
        _let_out(one, room, verdict)


def _let_out(one: Waiting, room: _Room, verdict: Verdict) -> bool:
    obstacle = room.obstacle(one)
    if obstacle is None:
        if one.is_chosen:
            room.take(one)
        verdict.send.append(one)
        return True
    until, because = obstacle
    if because is Because.BUDGET and until >= one.expires_at:
        verdict.refuse.append((one, because))
    else:
        verdict.hold.append((one, until, because))
    return False
