"""The queue of series with something new: taking some of a tenant's, by whoever has the turn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg2.errors import LockNotAvailable

#: Advisory locks of the service: alerting.exclusive has 7401 and 7402, partitions 7410, the writer of samples 7411.
TURN_SPACE: Final = 7_412
#: The database ends transactions that say nothing for 15 s; tasks are asked to end after 45 s.
SILENCE: Final = "50s"
#: A series that has sent nothing for so many seconds has no future to be told.
ALIVE: Final = 6 * 3_600.0

# Series of metrics that are judged together are all in the first part: what they share is judged by one process.
_TAKE: Final = """
DELETE FROM series_due WHERE tenant_id = %(tenant)s AND number = ANY (ARRAY(
    SELECT d.number FROM series_due d WHERE d.tenant_id = %(tenant)s AND %(part)s = CASE
        WHEN %(parts)s = 1 THEN 0
        WHEN d.number IN (SELECT s.number FROM series s WHERE s.tenant_id = %(tenant)s AND s.metric = ANY (%(joined)s))
        THEN 0 ELSE d.number %% %(parts)s END
    ORDER BY d.marked_at, d.number LIMIT %(limit)s FOR UPDATE OF d SKIP LOCKED
))
RETURNING number,
    extract(epoch FROM greatest(from_at, statement_timestamp() - %(oldest)s * interval '1 second'))::float8
"""


@dataclass(frozen=True, slots=True)
class Share:
    """Which of a tenant's series are meant: those of one of so many parts."""

    part: int = 0
    parts: int = 1


WHOLE: Final = Share()


def take_turn(tenant_id: UUID) -> bool:
    """Be the only one that judges this tenant for the rest of the transaction; False when others still do.

    Who judges a part of it is waited for, as long as the database lets one wait for a lock; no new part is begun
    meanwhile.
    """
    key: list[Any] = [TURN_SPACE, str(tenant_id)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", key)
        if cursor.fetchone()[0]:
            return True
        try:
            with transaction.atomic():
                cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", key)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            return False
        return True


def allow_silence() -> None:
    """Let the running transaction say nothing for up to SILENCE: on a busy machine, learning takes its time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [SILENCE])


def claim(
    tenant_id: UUID, limit: int, oldest: float, share: Share = WHOLE, joined: Iterable[str] = ()
) -> dict[int, float]:
    """Take series off the queue: number -> the oldest new sample, but nothing older than so many seconds.

    Whoever stores more samples of them waits for this transaction and marks them anew; if it fails, they are
    still there. What was stored late by more than that (a backfill) is history and alarms nobody.
    `joined` names the metrics that are judged together with others.
    """
    params: dict[str, Any] = {"tenant": tenant_id, "limit": limit, "oldest": oldest, "joined": list(joined)}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, params | {"part": share.part, "parts": share.parts})
        return {int(number): float(from_at) for number, from_at in cursor.fetchall()}


def database_time() -> float:
    """The database's clock, as unix seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM statement_timestamp())::float8")
        return float(cursor.fetchone()[0])
