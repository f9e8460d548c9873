"""What is wrong with something a client sent, told so that the client can mend it."""

from __future__ import annotations

import msgspec
from psycopg2.errors import DiskFull

MAX_SHOWN = 64
MAX_POINTER = 256


class ItemError(msgspec.Struct, frozen=True):
    """One fault: which item, where in the document (RFC 6901 pointer), which rule, and what to do.

    `pointer` is absolute in the body that was sent; `limit` is the bound that was passed, where there is one.
    """

    index: int | None
    pointer: str
    code: str
    message: str
    limit: int | float | str | None = None


class InputRefused(Exception):
    """What was sent cannot be taken as a whole; the door answers `status` with these faults."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: list[ItemError] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors or []
        self.retry_after = retry_after


def is_disk_full(error: BaseException | None) -> bool:
    """Say whether the database had no room for what it was to store."""
    while error is not None and not isinstance(error, DiskFull):
        error = error.__cause__
    return error is not None


def shown(text: str) -> str:
    """Text of a stranger, made safe and short enough to stand inside one of our messages."""
    short = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
    return short if short.isprintable() else ascii(short)[1:-1]


def pointer_to(parent: str, *steps: str | int) -> str:
    """A JSON pointer below `parent`; strange or endless names are escaped and cut, so it can always be sent."""
    for step in steps:
        # No database column and no log line takes a NUL, so it is written as JSON writes it.
        name = str(step).replace("~", "~0").replace("/", "~1").replace("\0", "\\u0000")
        if len(name) > MAX_POINTER:
            name = name[:MAX_POINTER] + "…"
        parent += "/" + name.encode("utf-8", "backslashreplace").decode()
    return parent
