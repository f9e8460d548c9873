"""The queue of deliveries: put in many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from channels.message import Message
from tenants.context import current_tenant_id
from tenants.isolation import new_id

# What the relay listens to.
WAKE_UP = "wakeup"
DEFAULT_PRIORITY = 50
DEFAULT_HORIZON = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One message for one recipient. A smaller `priority` goes first; `dedup_key` makes it happen once."""

    channel_id: UUID
    recipient: str
    dedup_key: bytes
    message: Message
    source_id: UUID | None = None
    kind: str = "notification"
    reason: str = "first"
    priority: int = DEFAULT_PRIORITY
    expires_in: timedelta = DEFAULT_HORIZON
    not_before: datetime | None = None


_ENQUEUE = """
WITH item AS (
    SELECT * FROM unnest(
        %s::uuid[], %s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::text[], %s::bytea[], %s::bytea[], %s::int[],
        %s::float8[], %s::timestamptz[])
    AS i(id, channel_id, recipient, source_id, kind, reason, dedup_key, message, priority, seconds, not_before)
), made AS (
    INSERT INTO delivery (id, tenant_id, channel_id, recipient, source_id, kind, reason, dedup_key, message,
                          priority, expires_at)
    SELECT id, %s, channel_id, recipient, source_id, kind, reason, dedup_key, message, priority,
           statement_timestamp() + seconds * interval '1 second'
    FROM item
    ON CONFLICT (tenant_id, dedup_key) DO NOTHING
    RETURNING id, tenant_id, channel_id, priority, expires_at
), queued AS (
    INSERT INTO delivery_queue (delivery_id, tenant_id, channel_id, priority, next_attempt_at, expires_at)
    SELECT m.id, m.tenant_id, m.channel_id, m.priority,
           least(coalesce(i.not_before, statement_timestamp()), m.expires_at), m.expires_at
    FROM made m JOIN item i ON i.id = m.id
)
SELECT id, pg_notify(%s, %s) FROM made
"""


def enqueue(items: Sequence[NewDelivery]) -> list[UUID]:
    """Store what is to be told, with its place in the queue, in one statement; wake the relay on commit.

    Runs in the caller's tenant context, so that it lives or dies with what caused it. Returns the ids of the
    deliveries that are new, in order; an item whose `dedup_key` is known already is left out.
    """
    if not items:
        return []
    tenant_id = current_tenant_id()
    ids = [new_id() for _ in items]
    with connection.cursor() as cursor:
        # PostgreSQL sends equal notifications of one transaction once.
        cursor.execute(_ENQUEUE, [ids, *_columns(items), tenant_id, WAKE_UP, str(tenant_id)])
        made = {row[0] for row in cursor.fetchall()}
    return [delivery_id for delivery_id in ids if delivery_id in made]


def _columns(items: Sequence[NewDelivery]) -> list[list[Any]]:
    return [
        [item.channel_id for item in items],
        [item.recipient for item in items],
        [item.source_id for item in items],
        [str(item.kind) for item in items],
        [str(item.reason) for item in items],
        [item.dedup_key for item in items],
        [item.message.to_json() for item in items],
        [item.priority for item in items],
        [item.expires_in.total_seconds() for item in items],
        [item.not_before for item in items],
    ]
