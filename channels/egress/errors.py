"""Why a request did not go out or brought nothing back, in words that tell no network secrets."""

from __future__ import annotations

from channels.errors import ChannelError, ErrorReason


class EgressError(ChannelError):
    """A request that failed on the way; the text is the same whatever stands at the other end."""


class Blocked(EgressError):
    """The address may not be called at all; trying again is useless."""

    def __init__(self, detail: str) -> None:
        super().__init__(ErrorReason.BLOCKED, detail, permanent=True)
