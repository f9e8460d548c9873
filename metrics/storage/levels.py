"""The levels of rollups: how wide their buckets are, and how many stand in one stored chunk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from metrics.points import Integers
from metrics.storage import partitions

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000


def hour_of(ms: Integers) -> Integers:
    """The beginnings of the hours of times."""
    return ms // HOUR_MS * HOUR_MS


def day_of(ms: Integers) -> Integers:
    """The beginnings of the days (UTC) of times."""
    return ms // DAY_MS * DAY_MS


def month_of(ms: Integers) -> Integers:
    """The beginnings of the months (UTC) of times."""
    return ms.astype("datetime64[ms]").astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)


@dataclass(frozen=True)
class Level:
    """Buckets of one width, where they are stored, and where the chunk of a bucket begins."""

    name: str
    partitioned: partitions.Level
    width: int
    chunk_of: Callable[[Integers], Integers]


MINUTE: Final = Level("1m", partitions.MINUTES, MINUTE_MS, hour_of)
HOUR: Final = Level("1h", partitions.HOURS, HOUR_MS, day_of)
DAY: Final = Level("1d", partitions.DAYS, DAY_MS, month_of)
LEVELS: Final = {level.name: level for level in (MINUTE, HOUR, DAY)}
