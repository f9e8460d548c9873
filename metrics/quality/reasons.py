"""Why a sample was repaired or put aside, and what was noticed about those that were kept; as small numbers."""

from enum import IntEnum
from typing import Final


class Reason(IntEnum):
    """Zero means flawless; names are stored and shown, numbers stand in arrays only."""

    NONE = 0
    # Put aside
    NOT_A_NUMBER = 1
    IMPOSSIBLE_VALUE = 2
    TOO_OLD = 3
    IN_THE_FUTURE = 4
    CONFLICT = 5
    TOO_MANY_SERIES = 6
    OTHER_UNIT = 7
    # Repaired
    MILLISECOND_TIME = 10
    UNIT_CONVERTED = 11
    ROUNDED_TO_BOUND = 12
    # Dropped without a trace, since nothing is lost
    DUPLICATE = 20
    STALE_MARKER = 21
    # Kept, and noticed
    OUT_OF_ORDER = 30
    CLOCK_AHEAD = 31
    GAP = 32
    COUNTER_RESET = 33
    STUCK = 34
    SCALE_CHANGE = 35


QUARANTINED: Final = range(1, 10)
REPAIRED: Final = range(10, 20)
DROPPED: Final = range(20, 30)

#: How much of a sample's worth each reason takes: 1 is a sample one cannot use at all.
COST: Final[dict[Reason, float]] = {
    Reason.NOT_A_NUMBER: 1.0,
    Reason.IMPOSSIBLE_VALUE: 1.0,
    Reason.TOO_OLD: 0.5,
    Reason.IN_THE_FUTURE: 1.0,
    Reason.CONFLICT: 0.5,
    Reason.OTHER_UNIT: 1.0,
    Reason.MILLISECOND_TIME: 0.1,
    Reason.UNIT_CONVERTED: 0.0,
    Reason.ROUNDED_TO_BOUND: 0.0,
    Reason.OUT_OF_ORDER: 0.1,
    Reason.CLOCK_AHEAD: 0.3,
    Reason.GAP: 1.0,
    Reason.COUNTER_RESET: 0.2,
    Reason.STUCK: 0.8,
    Reason.SCALE_CHANGE: 16.0,
}
