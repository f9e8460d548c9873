"""Decides whether a destination may be called: a circuit breaker without clock or database."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from channels.models import DestinationHealth

Circuit = DestinationHealth.Circuit

OPEN_AFTER = 5
WINDOW = 20
WINDOW_MASK = (1 << WINDOW) - 1
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
# A probe whose sender died blocks the destination no longer than its lease.
PROBE_PATIENCE = timedelta(seconds=30)
WHILE_PROBING = timedelta(seconds=1)


class Signal(Enum):
    """What one call says about the destination, whatever became of the message."""

    SUCCESS = "success"
    FAILURE = "failure"
    THROTTLED = "throttled"
    # It refused this one message, so it lives.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Health:
    """One row of DestinationHealth as plain data."""

    channel_id: UUID
    circuit: str = Circuit.CLOSED
    consecutive_failures: int = 0
    recent: int = 0
    recent_count: int = 0
    open_count: int = 0
    blocked_until: datetime | None = None
    blocked_reason: str = ""
    tokens: float = 0.0
    tokens_at: datetime | None = None


def is_probe_due(health: Health, now: datetime) -> bool:
    """Say whether the next call would be the one that tries a failing destination."""
    return health.circuit != Circuit.CLOSED and (health.blocked_until is None or health.blocked_until <= now)


def blocked_until(health: Health, now: datetime) -> datetime | None:
    """Return when to ask again, None when calls may be made now."""
    if health.blocked_until is None or health.blocked_until <= now:
        return None
    if health.circuit == Circuit.HALF_OPEN:
        # The probe's answer comes any moment; the others look again soon.
        return min(health.blocked_until, now + WHILE_PROBING)
    return health.blocked_until


def start_probe(health: Health, now: datetime) -> Health:
    """Let one call through and hold back the others until it has answered."""
    return replace(health, circuit=Circuit.HALF_OPEN, blocked_until=now + PROBE_PATIENCE)


def record(health: Health, signal: Signal, now: datetime, *, wait: float = 0.0, reason: str = "") -> Health:
    """Return the health after one more call; `wait` is what a throttling provider asked for, in seconds."""
    if signal is Signal.THROTTLED:
        return _throttle(health, now + timedelta(seconds=wait), reason)
    if signal is Signal.FAILURE:
        return _fail(health, now, reason)
    if health.circuit == Circuit.HALF_OPEN:
        return _close(health)
    if signal is Signal.SUCCESS:
        return replace(_shift(health, failed=0), consecutive_failures=0)
    return replace(health, consecutive_failures=0)


def _throttle(health: Health, until: datetime, reason: str) -> Health:
    """Obey to the second; a busy destination is not a broken one, so its record stays clean."""
    if health.circuit == Circuit.CLOSED and health.blocked_until is not None:
        until = max(until, health.blocked_until)
    return replace(health, blocked_until=until, blocked_reason=reason[:300], tokens=0.0, tokens_at=until)


def _fail(health: Health, now: datetime, reason: str) -> Health:
    failed = replace(_shift(health, failed=1), consecutive_failures=health.consecutive_failures + 1)
    if health.circuit == Circuit.HALF_OPEN:
        return _open(failed, now, reason)
    if health.circuit == Circuit.OPEN:
        # Sent before the circuit opened: no reason to double the pause.
        return failed
    half = failed.recent_count >= WINDOW and failed.recent.bit_count() * 2 >= WINDOW
    if failed.consecutive_failures >= OPEN_AFTER or half:
        return _open(failed, now, reason)
    return failed


def _open(health: Health, now: datetime, reason: str) -> Health:
    pause = min(FIRST_PAUSE * 2 ** min(health.open_count, 10), LONGEST_PAUSE)
    until = now + pause
    return replace(
        health,
        circuit=Circuit.OPEN,
        open_count=health.open_count + 1,
        blocked_until=until,
        blocked_reason=reason[:300],
    )


def _close(health: Health) -> Health:
    return replace(
        health,
        circuit=Circuit.CLOSED,
        consecutive_failures=0,
        recent=0,
        recent_count=0,
        open_count=0,
        blocked_until=None,
        blocked_reason="",
    )


def _shift(health: Health, *, failed: int) -> Health:
    recent = (health.recent << 1 | failed) & WINDOW_MASK
    return replace(health, recent=recent, recent_count=min(health.recent_count + 1, WINDOW))
