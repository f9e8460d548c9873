"""What the quality stage remembers of a series between batches: ten float64 of a fixed meaning."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TYPE: Final = np.dtype("<f8")


@dataclass(slots=True)
class Memory:
    """One array per fact, one element per series; the order of the fields is the stored format: append only."""

    #: How much of the recent samples' worth was lost, 0 to 1.
    damage: Floats
    #: How many samples in order were seen.
    seen: Floats
    #: The mean logarithm of the seconds between two samples.
    log_interval: Floats
    #: How many samples in a row had the same value before this batch.
    run: Floats
    #: How often the value changes from one sample to the next, 0 to 1.
    change_rate: Floats
    #: The mean and the mean deviation of log10 of the values' size.
    level: Floats
    spread: Floats
    #: How many samples in a row looked like another unit.
    shifted: Floats


WIDTH: Final = len(fields(Memory))
_EMPTY: Final = np.zeros(WIDTH, dtype=_TYPE).tobytes()


def unpack(blobs: Sequence[bytes | memoryview]) -> Memory:
    """The memory of some series; new ones, and those written by an older version, begin anew."""
    whole = b"".join([blob if len(blob) == len(_EMPTY) else _EMPTY for blob in blobs])
    table = np.frombuffer(whole, dtype=_TYPE).reshape(-1, WIDTH)
    return Memory(*(table[:, column].astype(np.float64) for column in range(WIDTH)))


def pack(memory: Memory) -> bytes:
    """The memory of all series in a row, each of the same length (`WIDTH` * 8 bytes)."""
    columns = [getattr(memory, field.name) for field in fields(Memory)]
    return np.column_stack(columns).astype(_TYPE).tobytes()
