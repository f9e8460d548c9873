"""The moving part of series: read for a batch at once as arrays, and written back in one statement."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from metrics.points import Floats, Integers
from metrics.quality import memory as memories
from metrics.quality.memory import WIDTH, Memory
from metrics.storage import rows

_READ: Final = """
SELECT s.number, s.unit, s.kind, extract(epoch FROM s.last_at)::float8 * 1000, s.last_value, s.memory
FROM unnest(%s::bigint[]) AS wanted (number) JOIN series s ON s.number = wanted.number
WHERE s.tenant_id = %s ORDER BY s.number
"""
# Numbers are taken in rising order, so that two writers of the same series never deadlock.
_WRITE: Final = f"""
UPDATE series AS s SET
    first_at = CASE WHEN n.first = 'NaN' THEN s.first_at ELSE least(s.first_at, to_timestamp(n.first / 1000)) END,
    last_at = CASE WHEN n.last > 0 THEN greatest(s.last_at, to_timestamp(n.last / 1000)) ELSE s.last_at END,
    last_value = CASE WHEN n.last > 0 THEN n.value ELSE s.last_value END,
    quality = n.quality, interval = n.interval,
    memory = substring(%(memory)s FROM (n.position::int - 1) * {WIDTH * 8} + 1 FOR {WIDTH * 8})
FROM unnest(%(numbers)s::bigint[], %(first)s::float8[], %(last)s::float8[], %(value)s::float8[],
            %(quality)s::float8[], %(interval)s::float8[])
     WITH ORDINALITY AS n (number, first, last, value, quality, interval, position)
WHERE s.number = n.number AND s.tenant_id = %(tenant)s
"""  # noqa: S608 - a constant


@dataclass(slots=True)
class States:
    """Some series of a tenant by rising number; times in milliseconds, NaN where there was no sample yet."""

    numbers: Integers
    units: list[str]
    kinds: list[str]
    last_ms: Floats
    last_value: Floats
    memory: Memory

    @property
    def is_counter(self) -> NDArray[np.bool_]:
        """Which of them are counters."""
        return np.array([kind == "counter" for kind in self.kinds], dtype=bool)


def read(tenant_id: UUID, numbers: Integers) -> States:
    """The states of these series (rising, each once); those that are gone are left out."""
    found: list[tuple[Any, ...]] = rows.fetch(_READ, [rows.integers(numbers), tenant_id])
    return States(
        np.array([row[0] for row in found], dtype=np.int64),
        [row[1] for row in found],
        [row[2] for row in found],
        np.rint(np.array([row[3] for row in found], dtype=np.float64)),
        np.array([row[4] for row in found], dtype=np.float64),
        memories.unpack([row[5] for row in found]),
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """Per series of some states: first and last time and last value of what a batch brought; last 0: nothing newer."""

    first_ms: Floats
    last_ms: Floats
    last_value: Floats


def write(tenant_id: UUID, states: States, progress: Progress) -> None:
    """Keep what a batch taught about its series."""
    memory = states.memory
    interval = np.where(memory.seen >= 2, np.exp(memory.log_interval), 0.0)
    rows.execute(
        _WRITE,
        {
            "tenant": tenant_id,
            "memory": memories.pack(memory),
            "numbers": rows.integers(states.numbers),
            "first": rows.floats(progress.first_ms),
            "last": rows.floats(progress.last_ms),
            "value": rows.floats(progress.last_value),
            "quality": rows.floats(1.0 - memory.damage),
            "interval": rows.floats(interval),
        },
    )
