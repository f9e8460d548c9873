"""Takes each event of a provider once, and none that is older than what was taken of the same group."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from tenants.context import current_tenant_id
from tenants.isolation import new_id

_TAKE: Final = """
INSERT INTO provider_event (id, tenant_id, provider, event_id, subject_id, occurred_at)
VALUES (%(id)s, %(tenant)s, %(provider)s, %(event)s, %(subject)s, coalesce(%(at)s, statement_timestamp()))
ON CONFLICT (tenant_id, provider, event_id) DO NOTHING
"""
_NEWER: Final = """
SELECT EXISTS (SELECT 1 FROM provider_event WHERE tenant_id = %(tenant)s AND provider = %(provider)s
    AND subject_id = %(subject)s AND occurred_at > %(at)s AND event_id <> %(event)s)
"""
_END: Final = "UPDATE provider_event SET outcome = %s WHERE tenant_id = %s AND provider = %s AND event_id = %s"


def take(provider: str, event_id: str, subject: UUID | None = None, at: datetime | None = None) -> bool:
    """Say whether the event is new; lives or dies with the caller's transaction, as its effect does."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"id": new_id(), **_told(provider, event_id, subject, at)})
        return bool(cursor.rowcount)


def is_late(provider: str, event_id: str, subject: UUID, at: datetime) -> bool:
    """Say whether something newer was taken of the same group already."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWER, _told(provider, event_id, subject, at))
        return bool(cursor.fetchone()[0])


def note(provider: str, event_id: str, outcome: str) -> None:
    """Write down what became of an event."""
    with connection.cursor() as cursor:
        cursor.execute(_END, [outcome[:40], current_tenant_id(), provider, event_id])


def _told(provider: str, event_id: str, subject: UUID | None, at: datetime | None) -> dict[str, Any]:
    return {"tenant": current_tenant_id(), "provider": provider, "event": event_id, "subject": subject, "at": at}
