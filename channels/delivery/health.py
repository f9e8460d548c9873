"""Reads and writes the health of destinations, many rows a statement."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from channels.delivery.circuit import Health
from tenants.context import current_tenant_id
from tenants.isolation import new_id

_COLUMNS = """channel_id, circuit, consecutive_failures, recent, recent_count, open_count, blocked_until,
    blocked_reason, tokens, tokens_at"""
_LOCK = f"""
SELECT statement_timestamp(), {_COLUMNS} FROM destination_health
WHERE tenant_id = %s AND channel_id = ANY(%s::uuid[]) ORDER BY channel_id FOR UPDATE
"""  # noqa: S608 - only constants go in
# A channel deleted meanwhile gets no row: the join drops it.
_ADD = """
INSERT INTO destination_health (id, tenant_id, channel_id)
SELECT n.id, c.tenant_id, c.id FROM unnest(%s::uuid[], %s::uuid[]) AS n(id, channel_id)
JOIN channel c ON c.tenant_id = %s AND c.id = n.channel_id
ON CONFLICT DO NOTHING
"""
_SAVE = """
UPDATE destination_health h SET circuit = n.circuit, consecutive_failures = n.failures, recent = n.recent,
    recent_count = n.recent_count, open_count = n.open_count, blocked_until = n.blocked_until,
    blocked_reason = n.blocked_reason, tokens = n.tokens, tokens_at = n.tokens_at, updated_at = statement_timestamp()
FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::int[], %s::int[], %s::int[], %s::timestamptz[], %s::text[],
            %s::float8[], %s::timestamptz[])
    AS n(channel_id, circuit, failures, recent, recent_count, open_count, blocked_until, blocked_reason, tokens,
         tokens_at)
WHERE h.tenant_id = %s AND h.channel_id = n.channel_id
"""


def lock(channel_ids: Iterable[UUID]) -> tuple[datetime | None, dict[UUID, Health]]:
    """Return the database's time and the health of these channels, locked until the transaction ends.

    A channel used for the first time gets its row here. Without any such channel the time is None.
    """
    wanted = sorted(set(channel_ids))
    now, found = _locked(wanted)
    if missing := [channel_id for channel_id in wanted if channel_id not in found]:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [[new_id() for _ in missing], missing, current_tenant_id()])
            was_added = cursor.rowcount > 0
        if was_added:
            now, found = _locked(wanted)
    return now, found


def _locked(channel_ids: list[UUID]) -> tuple[datetime | None, dict[UUID, Health]]:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [current_tenant_id(), channel_ids])
        rows = cursor.fetchall()
    return (rows[0][0] if rows else None), {row[1]: Health(*row[1:]) for row in rows}


def save(healths: Iterable[Health]) -> None:
    """Write the health of channels that `lock` returned."""
    rows = list(healths)
    if not rows:
        return
    columns: list[list[Any]] = [
        [row.channel_id for row in rows],
        [str(row.circuit) for row in rows],
        [row.consecutive_failures for row in rows],
        [row.recent for row in rows],
        [row.recent_count for row in rows],
        [row.open_count for row in rows],
        [row.blocked_until for row in rows],
        [row.blocked_reason for row in rows],
        [row.tokens for row in rows],
        [row.tokens_at for row in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SAVE, [*columns, current_tenant_id()])
