"""Arrays on their way into a statement: as text PostgreSQL reads fastest, without a Python object per element."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from django.db import connection
from numpy.typing import NDArray

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def integers(array: NDArray[np.int64]) -> str:
    """An array of whole numbers as a literal."""
    return "{" + ",".join(map(str, array.tolist())) + "}"


def floats(array: NDArray[np.float64]) -> str:
    """An array of floats as a literal; infinities and NaN included."""
    return "{" + ",".join(map(repr, array.tolist())) + "}"


def moment(milliseconds: float) -> datetime:
    """The time of so many milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def milliseconds_of(at: datetime) -> int:
    """The milliseconds since 1970 of a time."""
    return round((at - _EPOCH) / timedelta(milliseconds=1))


def fetch(sql: str, params: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def execute(sql: str, params: Sequence[Any] | Mapping[str, Any]) -> int:
    """Run a statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
