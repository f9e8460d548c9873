"""When a series changed for good: its level, its trend, or how much it varies; looking back and as it comes."""

from metrics.changes.change import Change, Kind
from metrics.changes.online import ChangeConfig, ChangeDetector
from metrics.changes.past import find_changes

__all__ = ["Change", "ChangeConfig", "ChangeDetector", "Kind", "find_changes"]
