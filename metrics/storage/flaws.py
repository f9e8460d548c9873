"""Keeps samples that were repaired or put aside, with the reason and the value as it came."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from metrics.points import Floats, Integers
from metrics.quality.reasons import QUARANTINED, REPAIRED, Reason
from metrics.storage import partitions, rows
from metrics.storage.chunks import VALUE

_STAMP: Final = np.dtype("<i8")
_KEEP: Final = """
INSERT INTO sample_flaw (tenant_id, number, action, reason, samples, at, value)
SELECT %(tenant)s, n.number, n.action, n.reason, n.samples,
       substring(%(at)s FROM n.first * 8 + 1 FOR n.samples * 8),
       substring(%(value)s FROM n.first * 8 + 1 FOR n.samples * 8)
FROM unnest(%(numbers)s::bigint[], %(actions)s::text[], %(reasons)s::text[], %(firsts)s::int[], %(samples)s::int[])
     AS n (number, action, reason, first, samples)
"""
_RECENT: Final = """
SELECT noted_at, action, reason, samples, substring(at FOR 8), substring(value FOR 8) FROM sample_flaw
WHERE tenant_id = %s AND number = %s ORDER BY noted_at DESC LIMIT %s
"""


def keep(tenant_id: UUID, numbers: Integers, ms: Integers, values: Floats, reasons: NDArray[np.int8]) -> None:
    """Store those of these samples that have a reason to be stored."""
    chosen = np.flatnonzero(np.isin(reasons, [*QUARANTINED, *REPAIRED]))
    if not len(chosen):
        return
    chosen = chosen[np.lexsort((ms[chosen], reasons[chosen], numbers[chosen]))]
    numbers, ms, values, reasons = numbers[chosen], ms[chosen], values[chosen], reasons[chosen]
    begins = np.flatnonzero(np.r_[True, (numbers[1:] != numbers[:-1]) | (reasons[1:] != reasons[:-1])])
    partitions.ensure(partitions.FLAWS, [rows.fetch("SELECT now()", [])[0][0]])
    kinds = [Reason(int(code)) for code in reasons[begins]]
    rows.execute(
        _KEEP,
        {
            "tenant": tenant_id,
            "at": ms.astype(_STAMP).tobytes(),
            "value": values.astype(VALUE).tobytes(),
            "numbers": rows.integers(numbers[begins]),
            "actions": ["quarantined" if kind in QUARANTINED else "repaired" for kind in kinds],
            "reasons": [kind.name.lower() for kind in kinds],
            "firsts": rows.integers(begins),
            "samples": rows.integers(np.diff(np.r_[begins, len(ms)])),
        },
    )


@dataclass(frozen=True, slots=True)
class Flaw:
    """Samples of a series that were repaired or put aside together, and the first of them."""

    noted_at: datetime
    action: str
    reason: str
    samples: int
    first_at: datetime | None
    first_value: float


def recent(tenant_id: UUID, number: int, most: int) -> list[Flaw]:
    """The latest flaws of a series, the newest first."""
    found = rows.fetch(_RECENT, [tenant_id, number, most])
    return [
        Flaw(noted_at, action, reason, samples, _time(bytes(at)), float(np.frombuffer(value, VALUE)[0]))
        for noted_at, action, reason, samples, at, value in found
    ]


def _time(first: bytes) -> datetime | None:
    """The time of a sample; None for what is no time at all, as a flawed sample's may be."""
    try:
        return rows.moment(int(np.frombuffer(first, _STAMP)[0]))
    except OverflowError:
        return None
