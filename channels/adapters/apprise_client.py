"""Speaks to a service through Apprise's library: checked host, short time limits, no redirects, errors read back.

Apprise makes its requests itself, with the `requests` package. What this service's own way out would
guarantee and this one cannot: the host of an own server is resolved once for the check and a second time
for the request, so a name whose owner changes it in between could still point inward. That is why own
servers are off in production unless the operator sets APPRISE_OWN_SERVERS, and then the network should
keep this process from inner addresses too.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.utils.translation import gettext as _

from channels import egress
from channels.adapters.apprise_urls import OWN_SERVERS, fault_of, scheme_of
from channels.errors import ChannelError, ErrorReason
from channels.sanitise import ZERO_WIDTH_SPACE, shorten

CONNECT_SECONDS, READ_SECONDS = 4.0, 8.0
APPRISE_SECONDS: Final = 20.0
MAX_TITLE, ROOM_FOR_TITLE = 200, 260
STATUS = re.compile(r"error=(\d{3})")
#: What `requests` says when nothing was sent yet.
UNSENT = re.compile(r"NewConnectionError|NameResolutionError|ConnectTimeout|Failed to establish|CertificateError")
MENTION = re.compile(r"@(?=\w)|<(?=[@!#])")
MARKS = re.compile(r"([\\`*_\[\]<>~|#])")


def open_service(url: str) -> Any:
    """Return Apprise's object for an address; raises `ChannelError` when it may not or cannot be used."""
    from apprise import Apprise, AppriseAsset

    if fault := fault_of(url):
        raise ChannelError(ErrorReason.BLOCKED, fault, permanent=True)
    asset = AppriseAsset(async_mode=False, http_redirects=False, secure_logging=True)
    service = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if service is None:
        raise ChannelError(ErrorReason.CLIENT_ERROR, _("Apprise cannot read this address."), permanent=True)
    service.redirects = False
    service.verify_certificate = True
    service.socket_connect_timeout, service.socket_read_timeout = CONNECT_SECONDS, READ_SECONDS
    service.request_rate_per_sec = 0

    if scheme_of(url) in OWN_SERVERS and not _is_cloud(service):
        _check_host(service)
    return service


def tell(service: Any, words: Mapping[str, str], tone: str) -> str:
    """Send in the richest form that the service takes; return that form."""
    from apprise import NotifyType

    shape = shape_for(service.notify_format)
    text = body_for(shape, words, service.body_maxlen)
    title = shorten(tame(words.get("title", "")), MAX_TITLE)
    with _heard() as lines:
        taken = service.notify(body=text, title=title, notify_type=NotifyType(tone), body_format=shape)
    if not taken:
        raise classify(lines)
    return shape


def shape_for(formats: Any) -> str:
    """Choose among what a service takes: HTML before Markdown before plain text."""
    known = formats if isinstance(formats, tuple | list | set | frozenset) else (formats,)
    values = {getattr(one, "value", str(one)) for one in known}
    return next((shape for shape in ("html", "markdown") if shape in values), "text")


def body_for(shape: str, words: Mapping[str, str], most: int) -> str:
    """Return the text in that form, shortened visibly; HTML that would be cut gives way to plain words."""
    room = max(most - ROOM_FOR_TITLE, 100)
    if shape == "html" and len(words.get("html", "")) <= room:
        return tame(words["html"])
    if shape == "markdown":
        return shorten(tame(MARKS.sub(r"\\\1", words.get("text", ""))), room)
    return shorten(tame(words.get("text", "")), room)


def tame(text: str) -> str:
    """Let nothing in a label call people: a mark without width parts the sign from the name."""
    return MENTION.sub(lambda found: f"{found[0]}{ZERO_WIDTH_SPACE}", text)


def classify(lines: list[str]) -> ChannelError:
    """Say what Apprise's own words about a failure mean for the next try."""
    said = "\n".join(lines)
    codes = [int(code) for code in STATUS.findall(said)]
    status = codes[-1] if codes else None
    if status is None:
        detail = _("The connection failed or the service did not answer in time.")
        return ChannelError(ErrorReason.NETWORK, detail, ambiguous=not UNSENT.search(said))
    detail = f"HTTP {status}"
    if status == 429:
        return ChannelError(ErrorReason.RATE_LIMITED, detail, status=status)
    if status >= 500 or status == 408:
        return ChannelError(ErrorReason.SERVER_ERROR, detail, status=status, ambiguous=True)
    reasons = {401: ErrorReason.AUTH, 403: ErrorReason.AUTH, 413: ErrorReason.TOO_LARGE}
    return ChannelError(reasons.get(status, ErrorReason.CLIENT_ERROR), detail, permanent=True, status=status)


def _is_cloud(service: Any) -> bool:
    # ntfy's address names a topic, not a host, when it means ntfy.sh.
    return getattr(getattr(service, "mode", ""), "value", getattr(service, "mode", "")) == "cloud"


def _check_host(service: Any) -> None:
    scheme = "https" if service.secure else "http"
    port = service.port or (443 if service.secure else 80)
    host = f"[{service.host}]" if ":" in str(service.host) else service.host
    target = egress.check_url(f"{scheme}://{host}:{port}/")
    egress.resolve_checked(target.host, target.port, scheme=target.scheme)


class _Ear(logging.Handler):
    """Keeps what Apprise says to its log, for the thread that asked."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line where somebody in this thread listens."""
        lines: list[str] | None = getattr(self.heard, "lines", None)
        if lines is not None:
            lines.append(record.getMessage()[:500])


_ear = _Ear()
# Its lines hold addresses with tokens, so they go nowhere else.
_log = logging.getLogger("apprise")
_log.addHandler(_ear)
_log.setLevel(logging.DEBUG)
_log.propagate = False


@contextmanager
def _heard() -> Iterator[list[str]]:
    lines: list[str] = []
    _ear.heard.lines = lines
    try:
        yield lines
    finally:
        _ear.heard.lines = None
