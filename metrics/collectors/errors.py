"""Why a source could not be read, in words that tell no secrets and nothing of the inner network."""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """The kinds of failure, for counting and for deciding when to look again."""

    BLOCKED = "blocked"
    NETWORK = "network"
    TIMEOUT = "timeout"
    AUTH = "auth"
    REFUSED = "refused"
    BUSY = "busy"
    SERVER = "server"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    QUERY = "query"
    UNFORESEEN = "unforeseen"


class CollectError(Exception):
    """A look that brought nothing; `retry_after` is what the other end asked for, in seconds."""

    def __init__(self, trouble: Trouble, detail: str, *, retry_after: float = 0.0) -> None:
        super().__init__(detail)
        self.trouble, self.detail, self.retry_after = trouble, detail, retry_after
