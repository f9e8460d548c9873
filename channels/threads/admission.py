"""Lets the messages of a thread out one after the other, and drops those that a newer one makes needless."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection
from django.utils.translation import gettext as _

from channels.delivery import ending
from channels.message import QUIET, Message
from channels.models import Channel, DeliveryState
from channels.threads.ordering import Turns, Waiting, take_turns
from tenants.context import current_tenant_id

# How long a later message of the thread waits before it looks whether the one before it is through.
HOLD_SECONDS: Final = 0.5
# An uncertain first message is waited for this long: it decides whether there is a thread to go on with.
DOUBT_SECONDS: Final = 60.0

# What is put off by the rate limit (at most a minute) counts too: a newer one may make it needless.
_OPEN: Final = """
WITH thread AS (
    SELECT DISTINCT channel_id, recipient, source_id FROM delivery
    WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::uuid[]) AND source_id IS NOT NULL
)
SELECT d.id, d.channel_id, d.recipient, d.source_id, d.id = ANY(%(ids)s::uuid[]),
    q.state = 'leased' OR (q.state = 'uncertain' AND a.id IS NULL
        AND d.created_at > statement_timestamp() - %(doubt)s * interval '1 second'),
    d.reason = ANY(%(quiet)s) AND a.id IS NULL, d.message
FROM thread t
JOIN delivery d ON d.tenant_id = %(tenant)s AND d.source_id = t.source_id AND d.channel_id = t.channel_id
    AND d.recipient = t.recipient
JOIN delivery_queue q ON q.delivery_id = d.id
LEFT JOIN thread_anchor a ON a.tenant_id = d.tenant_id AND a.channel_id = d.channel_id
    AND a.recipient = d.recipient AND a.source_id = d.source_id
WHERE d.state IN ('pending', 'leased', 'uncertain')
  AND (q.state <> 'pending' OR q.next_attempt_at <= statement_timestamp() + interval '60 seconds')
ORDER BY d.created_at, d.id
"""
_LOCK: Final = """
SELECT delivery_id FROM delivery_queue WHERE tenant_id = %s AND delivery_id = ANY(%s::uuid[]) AND state = 'pending'
ORDER BY delivery_id FOR UPDATE SKIP LOCKED
"""
_HOLD: Final = """
UPDATE delivery_queue SET next_attempt_at = least(expires_at, statement_timestamp() + %s * interval '1 second')
WHERE tenant_id = %s AND delivery_id = ANY(%s::uuid[]) AND state = 'pending'
"""


def admit(chosen: list[UUID], channels: Mapping[UUID, Channel]) -> set[UUID]:
    """Return which of the chosen go now (`channels.delivery.admitting.Admission`)."""
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "ids": chosen,
        "doubt": DOUBT_SECONDS,
        "quiet": sorted(QUIET),
    }
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, values)
        rows = cursor.fetchall()
    turns = take_turns(_waiting(rows))
    _settle(turns)
    # What belongs to no source has no thread to wait for.
    alone = set(chosen) - {row[0] for row in rows}
    return turns.go | alone


def _waiting(rows: list[tuple[Any, ...]]) -> list[Waiting]:
    """Read the messages only where several wait for one thread: nothing else could be needless."""
    count = Counter(tuple(row[1:4]) for row in rows if not row[5])
    return [
        Waiting(
            delivery_id=row[0],
            key=(row[1], row[2], row[3]),
            is_chosen=row[4],
            is_busy=row[5],
            is_rootless=row[6],
            message=_message(row[7]) if count[tuple(row[1:4])] > 1 else None,
        )
        for row in rows
    ]


def _message(raw: bytes) -> Message | None:
    try:
        return Message.from_json(bytes(raw))
    except msgspec.DecodeError:
        # It is refused when it is sent, with the reason in its attempt log.
        return None


def _settle(turns: Turns) -> None:
    if turns.hold:
        with connection.cursor() as cursor:
            cursor.execute(_HOLD, [HOLD_SECONDS, current_tenant_id(), turns.hold])
    _cancel(list(turns.superseded), _("Superseded: a newer message tells all of it."))
    _cancel(turns.needless, _("There is no message it could bring up to date; the next one tells it."))


def _cancel(ids: list[UUID], why: str) -> None:
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [current_tenant_id(), ids])
        locked = [row[0] for row in cursor.fetchall()]
    ending.end(locked, DeliveryState.CANCELLED, why)
