"""Limits that several channels share: token buckets as pure functions over plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from channels.delivery import limits

#: What a tenant's channels may send together unless its limit says otherwise.
TENANT_PER_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """One row of SharedLimit as plain data."""

    key: str
    rate_per_minute: int
    tokens: float = 0.0
    tokens_at: datetime | None = None
    blocked_until: datetime | None = None
    blocked_reason: str = ""
    throttled_channel: UUID | None = None
    throttled_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """How many messages the channels of a bucket may take together now; the rest asks again as with a Gate."""

    bucket: Bucket
    allowed: int
    again_at: datetime
    step: float = 0.0


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of one claim, and which of them each channel draws on."""

    by_key: Mapping[str, Share] = field(default_factory=dict)
    by_channel: Mapping[UUID, tuple[str, ...]] = field(default_factory=dict)

    def of(self, channel_id: UUID) -> list[Share]:
        """Return what a channel draws on."""
        return [self.by_key[key] for key in self.by_channel.get(channel_id, ()) if key in self.by_key]

    def taken(self, channels: Mapping[UUID, int]) -> Counter[str]:
        """Return how much of each share so many messages of each channel take."""
        found: Counter[str] = Counter()
        for channel_id, count in channels.items():
            for share in self.of(channel_id):
                found[share.bucket.key] += count
        return found

    def spent(self, channels: Mapping[UUID, int]) -> frozenset[str]:
        """Return the shares of which these messages leave nothing."""
        taken = self.taken(channels)
        return frozenset(key for key, share in self.by_key.items() if share.allowed <= taken[key])

    def charge(self, channels: Mapping[UUID, int]) -> list[Bucket]:
        """Return the buckets after so many messages of each channel were let through."""
        shares = ((self.by_key[key].bucket, count) for key, count in self.taken(channels).items())
        return [replace(bucket, tokens=bucket.tokens - count) for bucket, count in shares]


NOTHING_SHARED = Shares()


@dataclass(frozen=True, slots=True)
class Throttled:
    """A provider asked a channel to slow down for `wait` seconds; `is_shared` when it named the whole account."""

    key: str
    channel_id: UUID
    wait: float
    reason: str
    is_shared: bool = False


def open_share(bucket: Bucket, now: datetime) -> Share:
    """Work out what is left of a bucket."""
    if bucket.blocked_until is not None and bucket.blocked_until > now:
        return Share(bucket, 0, bucket.blocked_until, 1.0 / limits.per_second(bucket.rate_per_minute))
    tokens = limits.refill(bucket.tokens, bucket.tokens_at, bucket.rate_per_minute, now)
    wait = limits.seconds_to_next(tokens % 1.0, bucket.rate_per_minute)
    return Share(
        replace(bucket, tokens=tokens, tokens_at=now),
        limits.allowance(tokens),
        now + timedelta(seconds=wait),
        1.0 / limits.per_second(bucket.rate_per_minute),
    )


def throttle(bucket: Bucket, asked: Iterable[Throttled], now: datetime) -> Bucket:
    """Return the bucket after a provider asked for patience.

    One channel that is too fast is that channel's affair: a provider that counts by channel must not silence the
    others. A second one while the first still waits shows that it counts by account.
    """
    for one in asked:
        until = now + timedelta(seconds=one.wait)
        if one.is_shared or _is_second(bucket, one.channel_id, now):
            latest = max(filter(None, (until, bucket.blocked_until)))
            bucket = replace(
                bucket, blocked_until=latest, blocked_reason=one.reason[:300], tokens=0.0, tokens_at=latest
            )
        bucket = replace(bucket, throttled_channel=one.channel_id, throttled_until=until)
    return bucket


def _is_second(bucket: Bucket, channel_id: UUID, now: datetime) -> bool:
    is_waiting = bucket.throttled_until is not None and bucket.throttled_until > now
    return is_waiting and bucket.throttled_channel != channel_id
