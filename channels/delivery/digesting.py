"""Folds what waits for a flooded channel into one message that tells all of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.db import connection

from channels import registry
from channels.delivery.choosing import Candidate, Gate
from channels.errors import UnknownKind
from channels.models import Channel
from channels.sending import Parcel
from tenants.context import current_tenant_id

#: A channel is flooded when more waits than its rate lets through in this time.
FLOOD_SECONDS: Final = 30.0
#: So much one message holds; the rest follows in the next.
MAX_TOLD: Final = 50
#: What could not be told together so often is told alone: one of them may be what the provider refuses.
MAX_TRIES: Final = 3

# What waits (the rate limit puts off by a minute at most). What ends a thread that is
# shown stays out of the digest: it must change the message there.
_BACKLOG: Final = """
WITH waiting AS (
    SELECT q.delivery_id, q.channel_id, d.recipient, q.priority, q.crashes,
        count(*) OVER (PARTITION BY q.channel_id) AS total,
        row_number() OVER (PARTITION BY q.channel_id, d.recipient ORDER BY q.priority, d.created_at, d.id) AS place
    FROM delivery_queue q JOIN delivery d ON d.tenant_id = q.tenant_id AND d.id = q.delivery_id
    WHERE q.tenant_id = %(tenant)s AND q.channel_id = ANY(%(channels)s::uuid[]) AND q.state = 'pending'
      AND q.next_attempt_at <= statement_timestamp() + interval '60 seconds'
      AND q.expires_at > statement_timestamp() AND d.attempts < %(tries)s AND d.kind = 'notification'
      AND d.reason <> 'all_resolved'
)
SELECT delivery_id, channel_id, recipient, priority FROM waiting
WHERE total > (%(limits)s::jsonb->>channel_id::text)::float8 AND place <= %(most)s AND crashes = 0
ORDER BY channel_id, recipient, place
"""
_LOCK: Final = """
SELECT delivery_id FROM delivery_queue WHERE tenant_id = %s AND delivery_id = ANY(%s::uuid[]) AND state = 'pending'
ORDER BY delivery_id FOR UPDATE SKIP LOCKED
"""


class Bundles:
    """Which deliveries are told within another one: by the one that carries them."""

    def __init__(self, by_carrier: dict[UUID, list[UUID]] | None = None) -> None:
        self.by_carrier = by_carrier or {}

    def candidates(self, chosen: list[Candidate]) -> list[Candidate]:
        """Return what is to be leased besides: all that those among the chosen carry."""
        return [
            Candidate(other, one.channel_id, 0, False)
            for one in chosen
            for other in self.by_carrier.get(one.delivery_id, [])
        ]

    def part(self, parcels: list[Parcel]) -> tuple[list[Parcel], dict[UUID, list[Parcel]]]:
        """Return the parcels that are sent, and by carrier those that are told within them."""
        if not self.by_carrier:
            return parcels, {}
        carrier_of = {other: carrier for carrier, others in self.by_carrier.items() for other in others}
        leased = {parcel.delivery_id for parcel in parcels}
        sent: list[Parcel] = []
        carried: dict[UUID, list[Parcel]] = defaultdict(list)
        for parcel in parcels:
            carrier = carrier_of.get(parcel.delivery_id)
            if carrier is None:
                sent.append(parcel)
            elif carrier in leased:
                carried[carrier].append(parcel)
            else:
                # Whoever should have carried it is in other hands: the first of the others takes its place.
                self.by_carrier[parcel.delivery_id] = []
                carrier_of = {other: parcel.delivery_id if one == carrier else one for other, one in carrier_of.items()}
                leased.add(parcel.delivery_id)
                sent.append(parcel)
        return sent, dict(carried)


def bundle(
    chosen: list[Candidate], channels: Mapping[UUID, Channel], gates: Mapping[UUID, Gate], full: Iterable[UUID]
) -> tuple[list[Candidate], Bundles]:
    """Return what goes now, with what the digests among it carry; costs nothing where no limit holds anything back.

    Only a channel of which as many go as its limits allow (`full`) may be flooded.
    """
    flooded = {key for key in full if _may_digest(channels[key])}
    if not flooded:
        return chosen, Bundles()
    return _fold(chosen, _backlog(flooded, gates))


def _may_digest(channel: Channel) -> bool:
    try:
        return registry.adapter(channel.kind).can_digest
    except UnknownKind:
        return False


def _backlog(channels: set[UUID], gates: Mapping[UUID, Gate]) -> dict[UUID, list[UUID]]:
    """Return the most urgent waiting deliveries of each flooded channel, one reader's only."""
    limits = {str(key): FLOOD_SECONDS / max(gates[key].step, 1e-9) for key in channels}
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "channels": list(channels),
        "limits": json.dumps(limits),
        "most": MAX_TOLD,
        "tries": MAX_TRIES,
    }
    found: dict[UUID, tuple[str, list[UUID]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BACKLOG, values)
        for delivery_id, channel_id, recipient, _priority in cursor.fetchall():
            reader, ids = found.setdefault(channel_id, (recipient, []))
            if reader == recipient:
                ids.append(delivery_id)
        if not found:
            return {}
        everything = [one for _reader, ids in found.values() for one in ids]
        cursor.execute(_LOCK, [current_tenant_id(), everything])
        locked = {row[0] for row in cursor.fetchall()}
    return {key: [one for one in ids if one in locked] for key, (_reader, ids) in found.items()}


def _fold(chosen: list[Candidate], backlog: Mapping[UUID, list[UUID]]) -> tuple[list[Candidate], Bundles]:
    """Let one message of each flooded channel carry the others; what is not in its list goes as ever."""
    kept: list[Candidate] = []
    bundles: dict[UUID, list[UUID]] = {}
    done: set[UUID] = set()
    for one in chosen:
        waiting = backlog.get(one.channel_id, [])
        if one.delivery_id not in waiting or len(waiting) < 2:
            kept.append(one)
        elif one.channel_id not in done:
            done.add(one.channel_id)
            kept.append(one)
            bundles[one.delivery_id] = [other for other in waiting if other != one.delivery_id]
    return kept, Bundles(bundles)
