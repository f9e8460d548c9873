"""What sources over HTTP share: address, headers, credentials, and the answer that an entity tag spares."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import msgspec
from django.utils.translation import gettext as _

from channels.egress import Blocked, check_url
from metrics.collectors.base import Found, Look, Memory, Point, SourceCredentials, SourceSettings
from metrics.collectors.fetching import Page, check_status, header_problems, metric_policy

MAX_HEADERS = 16
NOT_MODIFIED = 304
#: A page with more values than this is read each time: remembering it would cost more than reading it.
MAX_REMEMBERED = 2_000


class HttpSettings(SourceSettings, frozen=True, kw_only=True):
    """`url` is asked with these headers."""

    url: str
    headers: dict[str, str] = {}

    def problems(self) -> dict[str, str]:
        """Check the address as far as that goes without asking the network."""
        found: dict[str, str] = {}
        try:
            check_url(self.url, metric_policy())
        except Blocked as error:
            found["url"] = error.detail
        if len(self.headers) > MAX_HEADERS or (fault := header_problems(self.headers)):
            found["headers"] = fault if len(self.headers) <= MAX_HEADERS else _("These are too many.")
        if any(name.lower() == "authorization" for name in self.headers):
            found["headers"] = _("What authorises belongs to the credentials, which are kept encrypted.")
        return found


class HttpCredentials(SourceCredentials, frozen=True, kw_only=True):
    """Either a bearer token, or a user with a password, or none."""

    token: str = ""
    user: str = ""
    password: str = ""

    def problems(self) -> dict[str, str]:
        """Check that it is one way only, and that it fits into a header."""
        if self.token and (self.user or self.password):
            return {"token": _("Give either a token or a user with a password.")}
        if header_problems({"Authorization": self.token}):
            return {"token": _("There are characters in it that no token has.")}
        return {}

    def headers(self) -> dict[str, str]:
        """Return the header that authorises, if any."""
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.user or self.password:
            pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {}


def place_of(settings: HttpSettings) -> str:
    """Return scheme, host and port of the address; the address itself where it is none."""
    try:
        target = check_url(settings.url, metric_policy())
    except Blocked:
        return settings.url
    return f"{target.scheme}://{target.host}:{target.port}"


async def fetch_page(
    look: Look[HttpSettings, HttpCredentials], accept: str, *, method: str = "GET", body: bytes = b""
) -> Page | None:
    """Return the page of a source, None when it is the one that the source remembers."""
    own: dict[str, str] = {"Accept": accept}
    if body:
        own["Content-Type"] = "application/json"
    if look.memory.etag:
        own["If-None-Match"] = look.memory.etag
    elif look.memory.modified:
        own["If-Modified-Since"] = look.memory.modified
    headers = own | look.settings.headers | look.credentials.headers()
    page = await look.fetcher.fetch(look.settings.url, method=method, headers=headers, body=body)
    if page.status == NOT_MODIFIED and (look.memory.etag or look.memory.modified):
        return None
    check_status(page)
    return page


def unchanged(memory: Memory) -> Found:
    """Say again what an unchanged page said; what bears its own time was said once and for all."""
    return Found([point for point in memory.points if point.at is None], memory, is_unchanged=True)


def remember(page: Page, points: list[Point]) -> Memory:
    """Return what spares the next look its page; nothing where the page names no validators or says too much."""
    etag, modified = page.headers.get("etag", "")[:200], page.headers.get("last-modified", "")[:60]
    if not (etag or modified) or len(points) > MAX_REMEMBERED:
        return Memory()
    return Memory(etag=etag, modified=modified, points=tuple(points))


def read_json(body: bytes) -> object:
    """Return a JSON body; raises msgspec.DecodeError."""
    found: object = msgspec.json.decode(body)
    return found


def text_of(labels: Mapping[str, object]) -> dict[str, str]:
    """Return labels as texts; what is empty says nothing and is left out."""
    return {name: str(value) for name, value in labels.items() if value not in (None, "")}
