"""Who judges what next: a tenant's due series in parts, each part taken by one process at a time, in bounded turns.

A part stays with the process that judged it last, which holds its models; another one takes it over only after it has
waited. A turn is one transaction: a process that dies in the middle of it leaves everything as it was. That a turn
begins is committed before, so that one which kills its process is seen to have been tried, and is tried smaller.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import connection

from metrics.judging.due import TURN_SPACE, Share

#: Series that make up a part, and how many parts a tenant has at most.
PART_SERIES: Final = 2_000
MOST_PARTS: Final = 16
#: So long a part waits for the process that holds its models before any other may take it.
PATIENCE: Final = 10.0
#: A tenant whose turn took longer has one turn at a time; others have several when nobody else waits.
SLOW: Final = 5.0
#: A turn that takes longer is followed by one of half as many series, a quick one by one of twice as many.
LONG: Final = 3.0
QUICK: Final = 1.0
FIRST_SIZE: Final = 250
MOST_SERIES: Final = 2_000
#: A turn of one series that was begun so often and never ended is the fault of that series.
HOPELESS: Final = 20
TENANTS_A_ROUND: Final = 500
#: A turn begun longer ago has ended or died.
_LONGEST: Final = 60.0

# Walks the key from tenant to tenant: its cost grows with the tenants that wait, not with their series.
_WAITING: Final = """
WITH RECURSIVE waiting AS (
    (SELECT tenant_id FROM series_due ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT q.tenant_id FROM series_due q WHERE q.tenant_id > w.tenant_id ORDER BY q.tenant_id LIMIT 1)
    FROM waiting w WHERE w.tenant_id IS NOT NULL
), chosen AS (
    SELECT w.tenant_id FROM waiting w JOIN tenant t ON t.id = w.tenant_id ORDER BY random() LIMIT %(tenants)s
)
"""
_OPEN: Final = f"""{_WAITING}
INSERT INTO judging_turn (tenant_id, part)
SELECT c.tenant_id, part FROM chosen c CROSS JOIN LATERAL (
    SELECT count(*) AS series FROM (
        SELECT FROM series_due d WHERE d.tenant_id = c.tenant_id LIMIT %(part_series)s * %(parts)s
    ) AS counted
) AS n CROSS JOIN LATERAL generate_series(0, (n.series - 1) / %(part_series)s) AS part
WHERE part < %(parts)s
ON CONFLICT (tenant_id, part) DO NOTHING
"""  # noqa: S608 - constants
_IS_FREE: Final = """
(holder IS NULL OR holder = %(holder)s
 OR greatest(begun_at, ended_at) < statement_timestamp() - %(patience)s * interval '1 second')
"""
# Tenants one by one, whoever was judged longest ago first; second turns of a tenant come after all first ones.
_PLAN: Final = f"""{_WAITING}
SELECT tenant_id, part, parts FROM (
    SELECT *, row_number() OVER (PARTITION BY tenant_id, is_free ORDER BY ended_at NULLS FIRST, part) AS place
    FROM (
        SELECT t.tenant_id, t.part, t.ended_at, {_IS_FREE} AS is_free,
            count(*) OVER one AS parts,
            count(*) FILTER (
                WHERE t.begun_at > statement_timestamp() - %(longest)s * interval '1 second' AND t.holder <> %(holder)s
            ) OVER one AS running,
            max(t.seconds) OVER one > %(slow)s AS is_slow,
            max(t.ended_at) OVER one AS judged_at
        FROM chosen c JOIN judging_turn t ON t.tenant_id = c.tenant_id
        WINDOW one AS (PARTITION BY t.tenant_id)
    ) AS looked
) AS placed
WHERE is_free AND NOT (is_slow AND running > 0)
ORDER BY running + place, judged_at NULLS FIRST, tenant_id, part
"""  # noqa: S608 - constants
_BEGIN: Final = f"""
UPDATE judging_turn SET holder = %(holder)s, begun_at = statement_timestamp(), tries = least(tries + 1, 1000),
    size = CASE WHEN holder = %(holder)s THEN size ELSE least(size, %(first_size)s) END
WHERE (tenant_id, part) IN (
    SELECT tenant_id, part FROM judging_turn
    WHERE tenant_id = %(tenant)s AND part = %(part)s AND {_IS_FREE} FOR UPDATE SKIP LOCKED
)
RETURNING size, tries
"""  # noqa: S608 - constants
_HOLD: Final = """
SELECT pg_try_advisory_xact_lock_shared(%(space)s, hashtext(%(tenant)s::text)) FROM judging_turn
WHERE tenant_id = %(tenant)s::uuid AND part = %(part)s AND holder = %(holder)s FOR UPDATE SKIP LOCKED
"""
_END: Final = """
UPDATE judging_turn SET begun_at = NULL, ended_at = clock_timestamp(), tries = 0, seconds = %(seconds)s, size = %(size)s
WHERE tenant_id = %(tenant)s AND part = %(part)s
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """One part of one tenant, and how many of its series are judged at once."""

    tenant_id: UUID
    share: Share
    size: int = 0
    tries: int = 0

    @property
    def is_hopeless(self) -> bool:
        """Whether its first series alone has never been judged to the end, however often that was begun."""
        return self.size == 1 and self.tries > HOPELESS


@cache
def _holder() -> UUID:
    return uuid4()


os.register_at_fork(after_in_child=_holder.cache_clear)


def plan() -> list[Turn]:
    """The turns this process may take now, in the order that is fair."""
    with connection.cursor() as cursor:
        limits = {"tenants": TENANTS_A_ROUND, "part_series": PART_SERIES, "parts": MOST_PARTS, "slow": SLOW}
        cursor.execute(_OPEN, limits)
        cursor.execute(_PLAN, limits | {"holder": _holder(), "patience": PATIENCE, "longest": _LONGEST})
        return [Turn(tenant_id, Share(part, parts)) for tenant_id, part, parts in cursor.fetchall()]


def begin(turn: Turn) -> Turn | None:
    """Note that a turn begins; None when another process has it. Call outside of any transaction."""
    with connection.cursor() as cursor:
        # Who takes a part over has its models to read.
        cursor.execute(_BEGIN, _key(turn) | {"first_size": FIRST_SIZE})
        row = cursor.fetchone()
    if row is None:
        return None
    size, tries = row
    # Each begun turn that never ended halves the next, so that what is too much for a process is found at last.
    return Turn(turn.tenant_id, turn.share, max(1, size >> min(tries - 1, 31)), tries)


def hold(turn: Turn) -> bool:
    """Keep the part for the rest of the transaction; False when another process has it, or the whole tenant."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, _key(turn) | {"space": TURN_SPACE})
        row = cursor.fetchone()
    return row is not None and bool(row[0])


def end(turn: Turn, judged: int, seconds: float) -> None:
    """Note that a turn went well, and of which size the next one is; committed with what it found."""
    with connection.cursor() as cursor:
        cursor.execute(_END, _key(turn) | {"seconds": seconds, "size": next_size(turn.size, judged, seconds)})


def next_size(size: int, judged: int, seconds: float) -> int:
    """How many series the next turn takes."""
    if seconds > LONG:
        return max(1, min(size, judged) // 2)
    if seconds < QUICK and judged >= size:
        return min(MOST_SERIES, size * 2)
    return size


def _key(turn: Turn) -> dict[str, Any]:
    return {"tenant": turn.tenant_id, "part": turn.share.part, "holder": _holder(), "patience": PATIENCE}
