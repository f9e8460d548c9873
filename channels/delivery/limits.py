"""The rate limit of a channel: a token bucket that puts off what it cannot let through."""

from datetime import datetime
from math import floor

# How long a burst may be, measured in time at the allowed rate.
BURST_SECONDS = 10.0
EPSILON = 1e-9


def per_second(rate_per_minute: int) -> float:
    """Return the rate that fills the bucket."""
    return max(rate_per_minute, 1) / 60.0


def capacity(rate_per_minute: int) -> float:
    """Return how many messages may go at once after a quiet time."""
    return max(per_second(rate_per_minute) * BURST_SECONDS, 1.0)


def refill(tokens: float, since: datetime | None, rate_per_minute: int, now: datetime) -> float:
    """Return the tokens there are now; a bucket never used is full, one in the future stays as it is."""
    if since is None:
        return capacity(rate_per_minute)
    gained = max((now - since).total_seconds(), 0.0) * per_second(rate_per_minute)
    return min(tokens + gained, capacity(rate_per_minute))


def allowance(tokens: float) -> int:
    """Return how many messages the tokens pay for."""
    return floor(tokens + EPSILON)


def seconds_to_next(tokens: float, rate_per_minute: int) -> float:
    """Return the seconds until one more message is paid for."""
    return max(1.0 - tokens, 0.0) / per_second(rate_per_minute)
