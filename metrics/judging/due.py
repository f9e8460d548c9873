"""The queue of series with something new: which tenants have any, and taking some of one tenant's."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import connection

#: Advisory locks of the service: alerting.exclusive has 7401 and 7402, partitions 7410, the writer of samples 7411.
TURN_SPACE: Final = 7_412
TENANTS_A_ROUND: Final = 200
#: A series that has sent nothing for so many seconds has no future to be told.
ALIVE: Final = 6 * 3_600.0

_TAKE: Final = """
DELETE FROM series_due WHERE tenant_id = %s AND number = ANY (ARRAY(
    SELECT number FROM series_due WHERE tenant_id = %s ORDER BY marked_at, number LIMIT %s FOR UPDATE SKIP LOCKED
))
RETURNING number, extract(epoch FROM greatest(from_at, statement_timestamp() - %s * interval '1 second'))::float8
"""
# Walks the key from tenant to tenant: its cost grows with the tenants that wait, not with the series.
_WAITING: Final = """
WITH RECURSIVE waiting AS (
    (SELECT tenant_id FROM series_due ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT q.tenant_id FROM series_due q WHERE q.tenant_id > w.tenant_id ORDER BY q.tenant_id LIMIT 1)
    FROM waiting w WHERE w.tenant_id IS NOT NULL
)
SELECT tenant_id FROM waiting WHERE tenant_id IS NOT NULL ORDER BY random() LIMIT %s
"""


def take_turn(tenant_id: UUID) -> bool:
    """Be the only one that judges this tenant for the rest of the transaction; False when another one is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [TURN_SPACE, str(tenant_id)])
        return bool(cursor.fetchone()[0])


def claim(tenant_id: UUID, limit: int, oldest: float) -> dict[int, float]:
    """Take series off the queue: number -> the oldest new sample, but nothing older than so many seconds.

    Whoever stores more samples of them waits for this transaction and marks them anew; if it fails, they are
    still there. What was stored late by more than that (a backfill) is history and alarms nobody.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [tenant_id, tenant_id, limit, oldest])
        return {int(number): float(from_at) for number, from_at in cursor.fetchall()}


def waiting_tenants() -> list[UUID]:
    """Tenants with series to be judged, in no order (fair by chance)."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [TENANTS_A_ROUND])
        return [row[0] for row in cursor.fetchall()]


def database_time() -> float:
    """The database's clock, as unix seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM statement_timestamp())::float8")
        return float(cursor.fetchone()[0])
