"""PagerDuty's own client, sent over this service's guarded way out and never retrying by itself."""

from __future__ import annotations

import logging
from typing import Any, Final

import httpx2
import msgspec
import pagerduty
from django.conf import settings
from django.utils.translation import gettext as _

from channels.egress import Answer
from channels.egress.operator import request_operator
from channels.errors import ChannelError, ErrorReason
from channels.retry_after import read_retry_after

REGIONS: Final = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
#: PagerDuty names no time with its limit; its own client waits about so long.
DEFAULT_WAIT_SECONDS = 5.0
PASSED_ON: Final = ("content-type", "user-agent", "accept")
# The attempt log says what these two would say once more.
_quiet = logging.getLogger("channels.pagerduty_sdk")
_quiet.setLevel(logging.CRITICAL)
logging.getLogger("httpx2").setLevel(logging.WARNING)


class Client(pagerduty.EventsApiV2Client):
    """Raises `ChannelError` for whatever is no success."""

    def send_event(self, action: str, dedup_key: str | None = None, **properties: Any) -> str:
        """Send one event and return its key."""
        try:
            return str(super().send_event(action, dedup_key=dedup_key, **properties))
        except pagerduty.Error as error:
            raise _unreadable() from error

    def send_change_event(self, *args: Any, **options: Any) -> None:
        """Send one change event."""
        try:
            super().send_change_event(*args, **options)
        except pagerduty.Error as error:
            raise _unreadable() from error


class GuardedTransport(httpx2.BaseTransport):
    """Carries the client's requests to the region's address, or to the one the operator set in its place."""

    def __init__(self, region: str, timeout: float) -> None:
        self._own = REGIONS[region]
        self._base = (getattr(settings, "PAGERDUTY_EVENTS_BASE_URL", "") or self._own).rstrip("/")
        self._timeout = timeout

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Make the call once; a status other than 2xx is raised before the client would wait and try again."""
        answer = request_operator(
            request.method,
            str(request.url).replace(self._own, self._base, 1),
            base_url=self._base,
            body=request.read(),
            headers={name: value for name, value in request.headers.items() if name in PASSED_ON},
            timeout=self._timeout,
        )
        if not 200 <= answer.status < 300:
            raise classify(answer)
        return httpx2.Response(answer.status, content=answer.body, request=request)


def connect(routing_key: str, region: str, timeout: float) -> Client:
    """Return a client for one key."""
    client = Client(routing_key, base_url=REGIONS[region], transport=GuardedTransport(region, timeout), trust_env=False)
    client.retry = {}
    client.max_network_attempts = 0
    client.log = _quiet
    return client


def classify(answer: Answer) -> ChannelError:
    """Say what an answer other than 2xx means for the next try."""
    status, words = answer.status, _words(answer.body)
    detail = f"HTTP {status} {words}".strip()[:200]
    wait = read_retry_after(answer.headers)
    if status == 429:
        seconds = DEFAULT_WAIT_SECONDS if wait is None else wait
        return ChannelError(ErrorReason.RATE_LIMITED, detail, retry_after=seconds, status=status)
    if status >= 500 or status == 408:
        return ChannelError(ErrorReason.SERVER_ERROR, detail, retry_after=wait, status=status, ambiguous=True)
    if 300 <= status < 400:
        detail = _("PagerDuty redirects; redirects are not followed.")
    reason = {413: ErrorReason.TOO_LARGE}.get(status, ErrorReason.CLIENT_ERROR)
    if status in {401, 403} or "routing" in words.lower():
        reason = ErrorReason.AUTH
    return ChannelError(reason, detail, permanent=True, status=status)


class _Fault(msgspec.Struct):
    message: str = ""
    errors: list[str] = []


def _words(body: bytes) -> str:
    try:
        fault = msgspec.json.decode(body, type=_Fault)
    except msgspec.DecodeError:
        return ""
    return "; ".join([fault.message, *fault.errors]).strip("; ")


def _unreadable() -> ChannelError:
    return ChannelError(ErrorReason.SERVER_ERROR, _("PagerDuty's answer cannot be read."), ambiguous=True)
