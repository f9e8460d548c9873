"""Whether the database had room for the alerts that came last, as this process saw it at its door."""

from __future__ import annotations

import time
from typing import Final

from tenants.faults import is_disk_full

#: For so long a process is not asked for more; then the next alerts show whether there is room again.
SECONDS: Final = 15.0

_full_at: float | None = None


def note_stored() -> None:
    """Something was stored: there is room."""
    global _full_at
    if _full_at is not None:
        _full_at = None


def note_failed(error: Exception) -> None:
    """Something was not stored; other faults than a full disk say nothing here."""
    global _full_at
    if is_disk_full(error):
        _full_at = time.monotonic()


def is_full() -> bool:
    """Say whether what came last found no room, a short while ago."""
    return _full_at is not None and time.monotonic() - _full_at < SECONDS
