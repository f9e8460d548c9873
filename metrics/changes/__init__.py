"""When a series changed for good: its level, its trend, or how much it varies; looking back and as it comes."""

from metrics.changes.chance import chance_of
from metrics.changes.change import Change, Kind
from metrics.changes.online import ChangeConfig, ChangeDetector
from metrics.changes.past import find_changes
from metrics.changes.watch import ChangeWatch, Ended, Wanted, Watched

__all__ = [
    "Change",
    "ChangeConfig",
    "ChangeDetector",
    "ChangeWatch",
    "Ended",
    "Kind",
    "Wanted",
    "Watched",
    "chance_of",
    "find_changes",
]
