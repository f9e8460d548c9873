"""Claims due deliveries of one tenant: leases them and writes down the attempts before any call is made."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from channels import registry, sending
from channels.delivery import admitting, digesting, ending, health, shared_limits
from channels.delivery.choosing import Candidate, Deferral, charge, choose, deferrals, full, open_gate
from channels.errors import ChannelError, UnknownKind
from channels.languages.readers import audience
from channels.models import Channel, DeliveryState
from channels.sending import Line, Parcel
from channels.threads import anchors
from tenants.context import current_tenant_id, tenant_context
from tenants.isolation import new_id

LEASE_SECONDS = 30.0
MAX_ROUNDS = 20
MAX_DEFERRED = 2_000
# A row put off by a rate limit looks again at least this often: the limit may have been raised meanwhile.
LONGEST_DEFERRAL = 60.0

_CANDIDATES = """
SELECT pg_advisory_xact_lock(hashtextextended('deliver' || %(tenant)s, 0));
SELECT delivery_id, channel_id, crashes, expires_at <= statement_timestamp() FROM delivery_queue
WHERE tenant_id = %(tenant)s::uuid AND state = 'pending' AND next_attempt_at <= statement_timestamp()
ORDER BY priority, next_attempt_at, delivery_id LIMIT %(window)s
"""
# Returns the columns of Parcel.from_row.
_LEASE = """
WITH pick AS (
    SELECT q.delivery_id, a.id AS attempt_id
    FROM delivery_queue q JOIN unnest(%(ids)s::uuid[], %(attempts)s::uuid[]) AS a(delivery_id, id)
      ON a.delivery_id = q.delivery_id
    WHERE q.tenant_id = %(tenant)s AND q.delivery_id = ANY(%(ids)s::uuid[]) AND q.state = 'pending'
    FOR UPDATE OF q SKIP LOCKED
), leased AS (
    UPDATE delivery_queue q SET state = 'leased', lease_token = q.lease_token + 1,
        lease_until = statement_timestamp() + %(lease)s * interval '1 second'
    FROM pick p WHERE q.delivery_id = p.delivery_id
    RETURNING q.delivery_id, q.lease_token, p.attempt_id
), attempt AS (
    INSERT INTO delivery_attempt (id, tenant_id, delivery_id, lease_token, started_at)
    SELECT attempt_id, %(tenant)s, delivery_id, lease_token, statement_timestamp() FROM leased
)
UPDATE delivery d SET state = 'leased', attempts = d.attempts + 1 FROM leased l
WHERE d.tenant_id = %(tenant)s AND d.id = l.delivery_id
RETURNING d.id, d.channel_id, l.lease_token, d.recipient, d.message, d.attempts, d.ambiguous_resends, d.replay_no,
    extract(epoch FROM d.expires_at - statement_timestamp())::float8, d.created_at
"""
_DEFER = """
WITH gate AS (
    SELECT * FROM unnest(%(channels)s::uuid[], %(lines)s::text[], %(again_at)s::timestamptz[], %(steps)s::float8[])
        AS g(channel_id, line, again_at, step)
), held AS (
    SELECT q.delivery_id, q.channel_id, q.priority, q.next_attempt_at
    FROM delivery_queue q JOIN gate g ON g.channel_id = q.channel_id
    WHERE q.tenant_id = %(tenant)s AND q.state = 'pending' AND q.next_attempt_at <= statement_timestamp()
      AND q.expires_at > statement_timestamp()
    LIMIT %(most)s FOR UPDATE OF q SKIP LOCKED
), placed AS (
    SELECT h.delivery_id, g.again_at, g.step * (row_number() OVER (
        PARTITION BY g.line ORDER BY h.priority, h.next_attempt_at, h.delivery_id) - 1) AS later
    FROM held h JOIN gate g ON g.channel_id = h.channel_id
)
UPDATE delivery_queue q
SET next_attempt_at = least(q.expires_at, p.again_at + least(p.later, %(longest)s) * interval '1 second')
FROM placed p WHERE q.delivery_id = p.delivery_id
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one claim leased; `leased_at` is a monotonic time from before the lease began.

    `carried` are the parcels that another one tells: by the delivery id of the one that carries them.
    """

    parcels: list[Parcel] = field(default_factory=list)
    lines: dict[UUID, Line | ChannelError] = field(default_factory=dict)
    leased_at: float = 0.0
    carried: dict[UUID, list[Parcel]] = field(default_factory=dict)

    def seconds_of_lease_left(self) -> float:
        """Return how long the lease surely still holds."""
        return self.leased_at + LEASE_SECONDS - time.monotonic()


def claim(tenant_id: UUID, limit: int) -> Batch:
    """Lease up to `limit` due deliveries. Expired ones end here; those of busy destinations are put off."""
    with tenant_context(tenant_id):
        for _round in range(MAX_ROUNDS):
            candidates = _read_candidates(max(limit * 5, 100))
            if not candidates:
                return Batch()
            batch = _claim_from(candidates, limit)
            if batch.parcels:
                return batch
    return Batch()


def _read_candidates(window: int) -> list[Candidate]:
    """Wait for this tenant's other claimers, then look: they would pick the same rows."""
    values: dict[str, Any] = {"tenant": str(current_tenant_id()), "window": window}
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, values)
        return [Candidate(*row) for row in cursor.fetchall()]


def _claim_from(candidates: list[Candidate], limit: int) -> Batch:
    wanted = {candidate.channel_id for candidate in candidates}
    channels = {channel.pk: channel for channel in Channel.objects.filter(pk__in=wanted).select_related("template")}
    _end_hopeless(candidates, channels)
    live = [one for one in candidates if one.channel_id in channels and channels[one.channel_id].is_active]
    now, healths = health.lock(one.channel_id for one in live)
    if now is None:
        return Batch()
    gates = {key: open_gate(found, _rate(channels[key]), now) for key, found in healths.items()}
    shares = shared_limits.open_for((channels[key] for key in gates), now)
    picked = choose(live, gates, limit, shares)
    chosen, bundles = digesting.bundle(picked, channels, gates, full(picked, gates, shares))
    chosen = admitting.admit(chosen, channels)
    leased_at = time.monotonic()
    parcels, carried = bundles.part(_lease([*chosen, *bundles.candidates(chosen)]))
    taken = Counter(parcel.channel_id for parcel in parcels)
    health.save(charge(gates[key], count, now) for key, count in taken.items())
    shared_limits.save(shares.charge(taken))
    _defer(deferrals(taken, gates, shares))
    told = audience(parcel.recipient for parcel in parcels)
    lines = {key: sending.connect_or_error(channels[key], told) for key in taken}
    return Batch(parcels, anchors.bind(lines, parcels), leased_at, carried)


def _rate(channel: Channel) -> int:
    if channel.rate_per_minute is not None:
        return channel.rate_per_minute
    try:
        return registry.adapter(channel.kind).default_rate_per_minute
    except UnknownKind:
        # Its sends are refused one by one, with the reason in the attempt log.
        return 60


def _end_hopeless(candidates: Iterable[Candidate], channels: dict[UUID, Channel]) -> None:
    """End what need not be sent any more: it is too late, or its channel is switched off."""
    expired, inactive = [], []
    for one in candidates:
        if one.is_expired:
            expired.append(one.delivery_id)
        elif one.channel_id in channels and not channels[one.channel_id].is_active:
            inactive.append(one.delivery_id)
    ending.end(_lock_pending(expired), DeliveryState.EXPIRED, _("It waited longer than it was worth telling."))
    ending.end(_lock_pending(inactive), DeliveryState.CANCELLED, _("The channel is switched off."))


def _lock_pending(ids: list[UUID]) -> list[UUID]:
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT delivery_id FROM delivery_queue WHERE delivery_id = ANY(%s::uuid[]) AND state = 'pending'"
            " FOR UPDATE SKIP LOCKED",
            [ids],
        )
        return [row[0] for row in cursor.fetchall()]


def _lease(chosen: list[Candidate]) -> list[Parcel]:
    if not chosen:
        return []
    values: dict[str, Any] = {
        "ids": [one.delivery_id for one in chosen],
        "attempts": [new_id() for _one in chosen],
        "tenant": current_tenant_id(),
        "lease": LEASE_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LEASE, values)
        found = {row[0]: Parcel.from_row(row) for row in cursor.fetchall()}
    return [found[one.delivery_id] for one in chosen if one.delivery_id in found]


def _defer(puts_off: list[Deferral]) -> None:
    """Put off what these channels cannot take yet, so that it is not looked at again and again."""
    if not puts_off:
        return
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "channels": [one.channel_id for one in puts_off],
        "lines": [one.line for one in puts_off],
        "again_at": [one.again_at for one in puts_off],
        "steps": [one.step for one in puts_off],
        "most": MAX_DEFERRED,
        "longest": LONGEST_DEFERRAL,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DEFER, values)
