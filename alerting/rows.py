"""Many rows in one statement: they go to PostgreSQL as one JSON parameter, the cheapest form there is.

Measured for 500 rows: placeholders cost four times, and lists adapted by the driver twice as much.

Where such rows are joined with a table, `mod(<a whole number>, 1) = 0` stands in the condition. It is always
true and lets the planner expect a row or two, so that it looks each up by index. It would else read all alerts of
a tenant it has no statistics of yet, to join them with a few hundred (13 ms instead of 3 at 14,000 alerts).
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from django.db import connection

_encode: Final = msgspec.json.Encoder().encode
_VARIANT: Final = "89ab"


def as_json(rows: Sequence[Any]) -> str:
    """Rows (dicts, structs or lists) as text for `json_to_recordset` or `json_array_elements`."""
    return _encode(rows).decode()


class _Waiting(threading.local):
    statements: list[tuple[str, Sequence[Any]]] | None = None


_waiting: Final = _Waiting()


@contextmanager
def one_message() -> Iterator[None]:
    """Let statements wait until one asks for rows or the block ends, and send them in one message.

    The server still runs them one after the other, each seeing what the ones before it did; what is saved
    are the trips there and back, which cost more than many of the statements on a busy machine.
    """
    _waiting.statements = []
    try:
        yield
        _send()
    finally:
        _waiting.statements = None


def execute(sql: str, params: Sequence[Any]) -> None:
    """Run a statement that returns nothing."""
    if _waiting.statements is not None:
        _waiting.statements.append((sql, params))
        return
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement, after those that wait; return its rows."""
    if _waiting.statements:
        _waiting.statements.append((sql, params))
        return _send()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _send() -> list[tuple[Any, ...]]:
    """Run what waits in one message; return the rows of the last statement."""
    statements, _waiting.statements = _waiting.statements or [], []
    if not statements:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            ";\n".join([sql for sql, _params in statements]),
            [param for _sql, params in statements for param in params],
        )
        return list(cursor.fetchall()) if cursor.description else []


def new_ids(count: int) -> list[str]:
    """UUIDs of version 7 as text, in rising order; a tenth of the cost of as many `tenants.isolation.new_id()`."""
    milliseconds = time.time_ns() // 1_000_000
    random = os.urandom(8 * count).hex()
    ids: list[str] = []
    for number in range(count):
        clock = f"{milliseconds + (number >> 12):012x}"
        tail = random[number * 16 : number * 16 + 16]
        variant = _VARIANT[int(tail[0], 16) & 3]
        ids.append(f"{clock[:8]}-{clock[8:]}-7{number & 0xFFF:03x}-{variant}{tail[1:4]}-{tail[4:]}")
    return ids
