"""Remembers which numbers want no SMS from a channel, whichever way that became known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol
from uuid import UUID

from django.db import connection

from channels.sending import Sent
from channels.sms.twilio_errors import OPTED_OUT, OptedOut
from tenants.context import current_tenant_id
from tenants.isolation import new_id

_MARK: Final = """
INSERT INTO sms_opt_out (id, tenant_id, channel_id, number, source)
SELECT o.id, %s, o.channel_id, o.number, o.source
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[]) AS o(id, channel_id, number, source)
ON CONFLICT (tenant_id, channel_id, number) DO NOTHING
"""


class HasSent(Protocol):
    """Whatever holds how a call went."""

    @property
    def sent(self) -> Sent: ...


def mark_refused(results: Iterable[HasSent]) -> None:
    """Keep the numbers of which the provider said that they opted out."""
    sent = [result.sent for result in results]
    mark(
        {
            (one.parcel.channel_id, one.parcel.recipient): f"Twilio {OPTED_OUT}"
            for one in sent
            if isinstance(one.error, OptedOut)
        }
    )


def mark(found: dict[tuple[UUID, str], str]) -> None:
    """Keep numbers by channel, with how it is known, in the running transaction."""
    if not found:
        return
    channels, numbers = zip(*found, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _MARK,
            [current_tenant_id(), [new_id() for _one in found], list(channels), list(numbers), list(found.values())],
        )


def unmark(channel_id: UUID, number: str) -> bool:
    """Forget an opt-out after START; return whether there was one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM sms_opt_out WHERE tenant_id = %s AND channel_id = %s AND number = %s",
            [current_tenant_id(), channel_id, number],
        )
        return bool(cursor.rowcount)
