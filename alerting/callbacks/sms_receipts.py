"""Puts receipts of SMS into effect: they only move forward, and one that is lost makes an escalation call the next."""

from __future__ import annotations

from typing import Any, Final, Protocol
from uuid import UUID

from django.db import connection

from alerting.escalation import confirming
from channels.sms.receipts import LOST, UNDER_WAY
from tenants.context import current_tenant_id

_FORWARD: Final = """
UPDATE sms_message SET receipt = %s, receipt_rank = %s, receipt_at = statement_timestamp(), error_code = %s
WHERE tenant_id = %s AND delivery_id = %s AND receipt_rank < %s
"""


class HowFar(Protocol):
    """How far a message got, in our words, as any gateway's receipt says it."""

    @property
    def state(self) -> str: ...

    @property
    def rank(self) -> int: ...

    @property
    def error_code(self) -> int | None: ...


def move(delivery_id: UUID, receipt: HowFar) -> bool:
    """Take a receipt that says more than what is known; return whether it did. In the tenant's context."""
    values: list[Any] = [
        receipt.state,
        receipt.rank,
        receipt.error_code,
        current_tenant_id(),
        delivery_id,
        receipt.rank,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_FORWARD, values)
        has_moved = bool(cursor.rowcount)
    if has_moved and receipt.state in LOST:
        confirming.note_lost(delivery_id, receipt.state, receipt.error_code)
    elif has_moved and receipt.state in UNDER_WAY:
        confirming.expect(delivery_id)
    return has_moved
