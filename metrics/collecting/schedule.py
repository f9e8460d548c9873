"""When a source is asked: rows claimed by due time, the next time with jitter, longer after failures."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

#: Longer than the longest look and its storing; afterwards somebody else may take the source.
LEASE_SECONDS: Final = 120
LONGEST_WAIT: Final = 1800.0
MOST_DOUBLINGS: Final = 6
JITTER: Final = 0.05

# Turns go round the tenants, so that one with a thousand sources does not keep the others waiting.
_CLAIM: Final = """
WITH ranked AS (
    SELECT source_id, row_number() OVER (PARTITION BY tenant_id ORDER BY due_at) AS turn, due_at
    FROM metric_source_due WHERE due_at <= statement_timestamp() ORDER BY turn, due_at LIMIT %(most)s * 8
), taken AS (
    SELECT due.source_id, due.due_at FROM metric_source_due due JOIN ranked USING (source_id)
    WHERE due.due_at <= statement_timestamp()
    ORDER BY ranked.turn, due.due_at LIMIT %(most)s FOR UPDATE OF due SKIP LOCKED
)
UPDATE metric_source_due due SET due_at = statement_timestamp() + %(lease)s * interval '1 second'
FROM taken WHERE due.source_id = taken.source_id
RETURNING due.source_id, due.tenant_id, taken.due_at, due.due_at, extract(epoch FROM statement_timestamp())::float8
"""
# A row whose time is no longer the lease was changed meanwhile, by a person or by a later claim: theirs counts.
# The next look is one wait after the last was due, which keeps the rhythm; who is late starts from now.
_FINISH: Final = """
UPDATE metric_source_due due
SET due_at = greatest(done.due_at + done.wait * interval '1 second',
                      statement_timestamp() + done.wait * done.spread * interval '1 second')
FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::float8[], %s::float8[])
     AS done (source_id, due_at, lease, wait, spread)
WHERE due.source_id = done.source_id AND due.due_at = done.lease
"""


@dataclass(frozen=True)
class Claim:
    """A source this task is to ask: when it was due, until when it is ours, and what the database's clock said."""

    source_id: UUID
    tenant_id: UUID
    due_at: datetime
    lease: datetime
    now: float


@dataclass(frozen=True)
class Done:
    """A source that was asked, and how many seconds its next turn is away."""

    claim: Claim
    wait: float


def claim(most: int) -> list[Claim]:
    """Take up to so many due sources of all tenants; nobody else takes them while the lease lasts."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"most": most, "lease": LEASE_SECONDS})
        return [Claim(*row) for row in cursor.fetchall()]


def finish(done: Sequence[Done]) -> None:
    """Set when these sources are asked next."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FINISH,
            [
                [one.claim.source_id for one in done],
                [one.claim.due_at for one in done],
                [one.claim.lease for one in done],
                [one.wait for one in done],
                [random.uniform(0.5, 1.0) for _one in done],
            ],
        )


def wait_after(interval: float, failures: int, retry_after: float = 0.0) -> float:
    """Return the seconds to the next look: the interval, doubled with each failure in a row, never in step."""
    wait: float = interval * 2.0 ** min(failures, MOST_DOUBLINGS)
    wait = max(min(wait, LONGEST_WAIT), interval, retry_after)
    return wait * random.uniform(1 - JITTER, 1 + JITTER) if failures else wait
