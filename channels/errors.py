"""How a channel says that a message did not go out."""

from __future__ import annotations

import traceback
from enum import StrEnum

MAX_RETRY_AFTER_SECONDS = 3600.0


class ErrorReason(StrEnum):
    """What kind of failure it was; a metric label and a line in the attempt."""

    AUTH = "auth"
    RATE_LIMITED = "rate_limited"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    NETWORK = "network"
    BLOCKED = "blocked"
    TOO_LARGE = "too_large"
    INVALID_RECIPIENT = "invalid_recipient"
    UNKNOWN = "unknown"


class ChannelError(Exception):
    """A send failed, classified by the channel; when to try again is the delivery engine's choice.

    `detail` may be read by the tenant, so it is coarse and holds no secret. `ambiguous` means
    that the provider may have taken the message although no answer came. `disable` hints that
    the destination asked never to be called again. `is_shared` says that a provider which asks
    to slow down means all channels of the account, not this one alone.
    """

    def __init__(
        self,
        reason: ErrorReason,
        detail: str = "",
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        ambiguous: bool = False,
        status: int | None = None,
        disable: bool = False,
        is_shared: bool = False,
    ) -> None:
        super().__init__(detail or reason.value)
        self.reason = reason
        self.detail = detail
        self.permanent = permanent
        self.retry_after = clamp_retry_after(retry_after)
        self.ambiguous = ambiguous
        self.status = status
        self.disable = disable
        self.is_shared = is_shared


class InvalidSettings(Exception):
    """The settings or credentials of a channel do not fit; `errors` names each field at fault."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {text}" for field, text in errors.items()))
        self.errors = errors


class UnknownKind(LookupError):
    """No adapter of that name is listed in settings.CHANNEL_ADAPTERS."""


def clamp_retry_after(seconds: float | None) -> float | None:
    """Bound what a provider asks for to between nothing and one hour."""
    if seconds is None or seconds != seconds:
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def place_of(error: BaseException) -> str:
    """Return the file and line where an error arose: unlike its message, that tells no secret."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
