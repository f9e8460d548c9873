"""Reads the times that other systems write: seconds or their thousandths since 1970, or ISO 8601."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

#: Above each of these a number counts milli-, micro- or nanoseconds; as seconds it would be past the year 5000.
SCALES = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))


def unix_seconds(value: object) -> float | None:
    """Return a time as unix seconds, None when it is none. A time without a zone is UTC."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    if isinstance(value, int | float):
        return _scaled(float(value))
    return _from_text(value.strip()) if isinstance(value, str) else None


def _from_text(text: str) -> float | None:
    try:
        return _scaled(float(text))
    except ValueError:
        pass
    try:
        return unix_seconds(datetime.fromisoformat(text))
    except ValueError:
        return None


def _scaled(number: float) -> float | None:
    if not math.isfinite(number) or number <= 0:
        return None
    return next((number / scale for limit, scale in SCALES if number >= limit), number)
