"""Reads where the threads of deliveries are, and writes it down when one was told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec
from django.db import connection

from channels.adapters.base import Anchor
from channels.errors import ChannelError
from channels.sending import Line, Parcel, Sent
from tenants.context import current_tenant_id
from tenants.isolation import new_id

Lines = dict[UUID, Line | ChannelError]

_READ: Final = """
SELECT d.id, a.reference::text, a.severity, a.told_at FROM delivery d
JOIN thread_anchor a ON a.tenant_id = d.tenant_id AND a.channel_id = d.channel_id AND a.recipient = d.recipient
    AND a.source_id = d.source_id
WHERE d.tenant_id = %s AND d.id = ANY(%s::uuid[])
"""
# A channel deleted meanwhile keeps no thread: the join drops it. An older state never takes a newer one's place.
_KEEP: Final = """
INSERT INTO thread_anchor (id, tenant_id, channel_id, recipient, source_id, reference, severity, told_at)
SELECT DISTINCT ON (d.channel_id, d.recipient, d.source_id)
    n.id, d.tenant_id, d.channel_id, d.recipient, d.source_id, n.reference::jsonb, n.severity, n.told_at
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::timestamptz[])
    AS n(id, delivery_id, reference, severity, told_at)
JOIN delivery d ON d.tenant_id = %s AND d.id = n.delivery_id
JOIN channel c ON c.tenant_id = d.tenant_id AND c.id = d.channel_id
WHERE d.source_id IS NOT NULL
ORDER BY d.channel_id, d.recipient, d.source_id, n.told_at DESC
ON CONFLICT (tenant_id, channel_id, recipient, source_id) DO UPDATE SET reference = excluded.reference,
    severity = CASE WHEN excluded.told_at >= thread_anchor.told_at THEN excluded.severity
                    ELSE thread_anchor.severity END,
    told_at = greatest(thread_anchor.told_at, excluded.told_at), updated_at = statement_timestamp()
"""


class HasSent(Protocol):
    """Whatever holds how a call went."""

    @property
    def sent(self) -> Sent: ...


def bind(lines: Lines, parcels: Iterable[Parcel]) -> Lines:
    """Return the lines with the anchors of these parcels; asks nothing where no kind of channel keeps threads."""
    threaded = {key for key, line in lines.items() if isinstance(line, Line) and line.adapter.threads}
    ids = [parcel.delivery_id for parcel in parcels if parcel.channel_id in threaded]
    if not ids:
        return lines
    found = _read(ids)
    return {
        key: replace(line, anchors=found) if isinstance(line, Line) and key in threaded else line
        for key, line in lines.items()
    }


def _read(ids: list[UUID]) -> dict[UUID, Anchor]:
    with connection.cursor() as cursor:
        cursor.execute(_READ, [current_tenant_id(), ids])
        return {
            row[0]: Anchor(reference=msgspec.json.decode(row[1], type=dict[str, str]), severity=row[2], told_at=row[3])
            for row in cursor.fetchall()
        }


def keep(results: Iterable[HasSent], settled: Mapping[UUID, str]) -> None:
    """Write down the anchors of what was delivered, in the running transaction and one statement."""
    told: list[tuple[UUID, Anchor]] = []
    for result in results:
        sent = result.sent
        is_told = settled.get(sent.parcel.delivery_id) == "delivered"
        if is_told and sent.receipt is not None and sent.receipt.anchor is not None:
            told.append((sent.parcel.delivery_id, sent.receipt.anchor))
    if not told:
        return
    columns: list[list[Any]] = [
        [new_id() for _one in told],
        [delivery_id for delivery_id, _anchor in told],
        [msgspec.json.encode(anchor.reference).decode() for _id, anchor in told],
        [anchor.severity for _id, anchor in told],
        [anchor.told_at for _id, anchor in told],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [*columns, current_tenant_id()])
