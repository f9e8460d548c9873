"""Limits on how many alerts a tenant and a key may send a second.

The buckets live in Redis; each process leases tokens for a fraction of a second, so that Redis is asked a few
times a second and not once a request. While Redis is away each process keeps buckets of its own.
"""

import math
import threading
import time
from collections import OrderedDict
from typing import Any

import redis
import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from alerting import wakeup
from tenants.faults import InputRefused
from tenants.principal import Principal

log = structlog.get_logger(__name__)

LEASE_SECONDS = 0.2
PAUSE_AFTER_FAILURE = 5.0
MOST_BUCKETS = 10_000
#: A bucket holds this many seconds of its rate, and never less than one full request.
BURST_SECONDS = 2
SMALLEST_BURST = 1_000

# Grants what was wanted, or what there is when that covers the need, or nothing and the time until it would.
_LEASE = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local rate, burst, need, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(state[1]) or burst, tonumber(state[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
local granted, wait = 0, 0
if tokens >= need then granted = math.min(tokens, want) else wait = (need - tokens) / rate end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - granted), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return {tostring(granted), tostring(wait)}
"""


class Bucket:
    """The tokens this process holds of one bucket."""

    def __init__(self, name: str, rate: float) -> None:
        self.name = f"bucket:{name}"
        self.rate = rate
        self.burst = max(rate * BURST_SECONDS, SMALLEST_BURST)
        self._lock = threading.Lock()
        self._leased, self._until = 0.0, 0.0
        self._own, self._own_at = self.burst, time.monotonic()

    def take(self, need: int) -> float:
        """Spend tokens; return 0, or how many seconds until there would be enough."""
        with self._lock:
            now = time.monotonic()
            if now >= self._until:
                self._leased = 0.0
            if self._leased < need and (wait := self._refill(need, now)):
                return wait
            self._leased -= need
            return 0.0

    def _refill(self, need: int, now: float) -> float:
        missing = need - self._leased
        granted, wait = _lease(self, missing, now)
        if granted < missing:
            return max(wait, 0.001)
        self._leased += granted
        self._until = now + LEASE_SECONDS
        return 0.0

    def lease_own(self, need: float, now: float) -> tuple[float, float]:
        """What the bucket of this process alone grants."""
        self._own = min(self.burst, self._own + (now - self._own_at) * self.rate)
        self._own_at = now
        if self._own < need:
            return 0.0, (need - self._own) / self.rate
        self._own -= need
        return need, 0.0


class _Redis:
    """Asks Redis, and after a failure not again for a while."""

    def __init__(self) -> None:
        self.away_until = 0.0
        self._script: Any = None

    def lease(self, bucket: Bucket, need: float, now: float) -> tuple[float, float]:
        if now < self.away_until:
            return bucket.lease_own(need, now)
        try:
            self._script = self._script or wakeup.broker().register_script(_LEASE)
            want = max(need, bucket.rate * LEASE_SECONDS / 2)
            granted, wait = self._script(
                keys=[bucket.name], args=[bucket.rate, bucket.burst, need, want], client=wakeup.broker()
            )
            return float(granted), float(wait)
        except redis.RedisError as error:
            self.away_until = now + PAUSE_AFTER_FAILURE
            log.warning("rate limits kept in process", error_class=type(error).__name__)
            return bucket.lease_own(need, now)


_redis = _Redis()
_lease = _redis.lease
_buckets: OrderedDict[str, Bucket] = OrderedDict()
_buckets_lock = threading.Lock()


def _bucket(name: str, rate: float) -> Bucket:
    bucket = _buckets.get(name)
    if bucket is None or bucket.rate != rate:
        with _buckets_lock:
            bucket = _buckets[name] = Bucket(name, rate)
            while len(_buckets) > MOST_BUCKETS:
                _buckets.popitem(last=False)
    return bucket


def spend(name: str, rate: float, tokens: int) -> float:
    """Spend tokens of the bucket of this name; return 0, or how many seconds until there would be enough."""
    return _bucket(name, rate).take(tokens)


def check(principal: Principal, alerts: int) -> None:
    """Spend tokens of the key and of its tenant for these alerts; raise InputRefused 429 when there are too few."""
    per_key = settings.INTAKE_ALERTS_PER_SECOND_OF_KEY
    per_tenant = settings.INTAKE_ALERTS_PER_SECOND_OF_TENANT
    wait = _bucket(f"key:{principal.id}", per_key).take(alerts)
    limit = per_key
    if not wait:
        wait = _bucket(f"tenant:{principal.tenant_id}", per_tenant).take(alerts)
        limit = per_tenant
    if wait:
        detail = _("More than %(limit)d alerts a second; send less often or more slowly.") % {"limit": limit}
        raise InputRefused(429, "rate_limited", detail, retry_after=max(1, math.ceil(wait)))


def forget() -> None:
    """Drop this process's leases."""
    with _buckets_lock:
        _buckets.clear()
    _redis.away_until = 0.0
