"""What Twilio's errors mean for the next try, by its own numbers."""

from __future__ import annotations

from typing import Final

import msgspec
from django.utils.translation import gettext as _

from channels.errors import ChannelError, ErrorReason

#: The reader wrote STOP; only they can take it back, by START.
OPTED_OUT: Final = 21610
AUTH: Final = frozenset({20003, 20004, 20005, 20006, 20101, 20104})
RECIPIENT: Final = frozenset(
    {21211, 21214, 21217, 21219, 21265, 21407, 21408, 21421, OPTED_OUT, 21612, 21614, 21635, 30003, 30005, 30006}
)
TOO_LARGE: Final = frozenset({21605, 21617})
#: Twilio counts requests by account, whatever the number.
TOO_MANY_REQUESTS: Final = 20429
#: Not processed, or a queue is full: the same request may pass later.
THROTTLED: Final = frozenset({14107, TOO_MANY_REQUESTS, 21611, 30001, 30022, 63017, 63018, 63038})
#: States of a message that never left.
UNSENT: Final = frozenset({"canceled"})
DEFAULT_WAIT_SECONDS: Final = 5.0


class OptedOut(ChannelError):
    """The number does not want messages from this sender."""

    def __init__(self, detail: str, status: int | None) -> None:
        super().__init__(ErrorReason.INVALID_RECIPIENT, detail, permanent=True, status=status)


class _Fault(msgspec.Struct):
    code: int = 0
    message: str = ""


def by_answer(status: int, text: str, *, wait: float | None, is_send: bool) -> ChannelError:
    """Classify an answer that is no success."""
    fault = _read(text)
    detail = f"{fault.code} {fault.message}".strip()[:200] if fault.code else f"HTTP {status}"
    if fault.code == OPTED_OUT:
        return OptedOut(detail, status)
    if status == 429 or fault.code in THROTTLED:
        seconds = DEFAULT_WAIT_SECONDS if wait is None else wait
        is_shared = status == 429 or fault.code == TOO_MANY_REQUESTS
        return ChannelError(ErrorReason.RATE_LIMITED, detail, retry_after=seconds, status=status, is_shared=is_shared)
    if status >= 500 or status == 408:
        return ChannelError(
            ErrorReason.SERVER_ERROR, detail, retry_after=wait, status=status, ambiguous=is_send and status != 503
        )
    if 300 <= status < 400:
        detail = _("Twilio redirects; redirects are not followed.")
    return ChannelError(_reason(status, fault.code), detail, permanent=True, status=status)


def _reason(status: int, code: int) -> ErrorReason:
    if code in RECIPIENT:
        return ErrorReason.INVALID_RECIPIENT
    if code in AUTH or status in {401, 403}:
        return ErrorReason.AUTH
    if code in TOO_LARGE or status == 413:
        return ErrorReason.TOO_LARGE
    return ErrorReason.CLIENT_ERROR


def _read(text: str) -> _Fault:
    try:
        return msgspec.json.decode(text, type=_Fault)
    except msgspec.DecodeError:
        return _Fault()
