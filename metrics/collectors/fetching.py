"""Guarded HTTP for many looks at once: checked addresses, a cap for each host, bounded answers."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import certifi
import httpx
from django.conf import settings
from django.utils.translation import gettext as _

from channels.egress import Checked, EgressError, Target, check_url, resolve_checked
from channels.egress.policy import Policy, current_policy
from channels.egress.resolving import Resolver, ask_system
from channels.errors import ErrorReason
from channels.retry_after import read_retry_after
from metrics.collectors.errors import CollectError, Trouble

MAX_PAGE = 8 * 1024 * 1024
MAX_AT_A_HOST = 4
CONNECT_SECONDS = 4.0
READ_SECONDS = 20.0
USER_AGENT = "alerting-metrics/1"
#: What a tenant may not set: these decide where a request goes and how it is framed.
FRAMING: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "cookie"})
ZLIB_MODES: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_EGRESS_TROUBLE: Final = {ErrorReason.BLOCKED: Trouble.BLOCKED, ErrorReason.TIMEOUT: Trouble.TIMEOUT}
_STATUS_TROUBLE: Final = {401: Trouble.AUTH, 403: Trouble.AUTH, 429: Trouble.BUSY, 503: Trouble.BUSY}


@dataclass(frozen=True)
class Page:
    """An answer whose body was read whole. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class _Host:
    """One scheme, host and port in one run: its checked addresses, its connections, who waits for it."""

    checked: asyncio.Task[Checked]
    transport: httpx.AsyncHTTPTransport
    turns: asyncio.Semaphore


def metric_policy() -> Policy:
    """Return the tenant's way out, with the ports at which metrics are usually found."""
    policy = current_policy()
    ports = frozenset(int(port) for port in settings.METRIC_SOURCE_PORTS)
    return replace(policy, extra_ports=policy.extra_ports | ports)


class Fetcher:
    """The connections of one run of looks; close it at the end. A host is resolved and checked once a run."""

    def __init__(self, policy: Policy | None = None, resolver: Resolver = ask_system) -> None:
        self.policy = policy or metric_policy()
        self.resolver = resolver
        self._hosts: dict[tuple[str, str, int], _Host] = {}

    async def close(self) -> None:
        """Give back all connections."""
        for host in self._hosts.values():
            host.checked.cancel()
            await host.transport.aclose()
        self._hosts.clear()

    async def resolve(self, host: str, port: int, scheme: str = "https") -> Checked:
        """Return the addresses of a host that may be connected to; raises `CollectError`."""
        try:
            return await asyncio.to_thread(
                resolve_checked, host, port, scheme=scheme, policy=self.policy, resolver=self.resolver
            )
        except EgressError as error:
            raise _from_egress(error) from None

    async def fetch(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Page:
        """Send one request and return its answer, whatever its status; redirects are not followed."""
        try:
            target = check_url(url, self.policy)
        except EgressError as error:
            raise _from_egress(error) from None
        host = self._host(target)
        checked = await asyncio.shield(host.checked)
        fields = _fields(target, headers or {})
        try:
            async with host.turns, _answer(host, checked, target, method, fields, body) as response:
                return Page(response.status_code, _lower(response.headers), await _read(response))
        except httpx.TimeoutException:
            raise CollectError(Trouble.TIMEOUT, _("No answer came in time.")) from None
        except httpx.TransportError as error:
            raise _lost(error) from None

    def _host(self, target: Target) -> _Host:
        key = (target.scheme, target.host, target.port)
        if key not in self._hosts:
            checked = asyncio.ensure_future(self.resolve(target.host, target.port, target.scheme))
            # A failure nobody is left to hear of is no news.
            checked.add_done_callback(lambda task: task.cancelled() or task.exception())
            limits = httpx.Limits(max_connections=MAX_AT_A_HOST, max_keepalive_connections=MAX_AT_A_HOST)
            transport = httpx.AsyncHTTPTransport(verify=_tls(), trust_env=False, limits=limits)
            self._hosts[key] = _Host(checked, transport, asyncio.Semaphore(MAX_AT_A_HOST))
        return self._hosts[key]


@asynccontextmanager
async def _answer(
    host: _Host, checked: Checked, target: Target, method: str, fields: list[tuple[str, str]], body: bytes
) -> AsyncIterator[httpx.Response]:
    """Connect to the checked addresses in their order, under the name of the URL for TLS and the server."""
    failure: Exception = httpx.ConnectError("no address")
    for address in checked.addresses:
        url = httpx.URL(scheme=target.scheme, host=address, port=target.port, raw_path=target.path.encode())
        timeout = {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS, "pool": READ_SECONDS}
        extensions: dict[str, Any] = {"sni_hostname": target.host, "timeout": timeout}
        request = httpx.Request(method, url, headers=fields, content=body or None, extensions=extensions)
        try:
            response = await host.transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            failure = error
            continue
        try:
            yield response
        finally:
            await response.aclose()
        return
    raise failure


async def _read(response: httpx.Response) -> bytes:
    """Read up to the cap, counted after decompression, so that a bomb unpacks to the cap at most."""
    mode = ZLIB_MODES.get(response.headers.get("content-encoding", "").strip().lower())
    unpack = zlib.decompressobj(mode) if mode else None
    content = bytearray()
    async for chunk in response.stream:  # type: ignore[union-attr]
        room = MAX_PAGE + 1 - len(content)
        try:
            content += unpack.decompress(chunk, room) if unpack else chunk[:room]
        except zlib.error:
            raise CollectError(Trouble.UNREADABLE, _("The answer is compressed and damaged.")) from None
        if len(content) > MAX_PAGE:
            size = MAX_PAGE // (1024 * 1024)
            raise CollectError(Trouble.TOO_LARGE, _("The answer is larger than %(size)d MB.") % {"size": size})
    return bytes(content)


def check_status(page: Page) -> None:
    """Raise `CollectError` in words unless the answer is a 200."""
    status = page.status
    if status == httpx.codes.OK:
        return
    wait = read_retry_after(page.headers) or 0.0
    if 300 <= status < 400:
        raise CollectError(Trouble.REFUSED, _("The source redirects; redirects are not followed."))
    trouble = _STATUS_TROUBLE.get(status, Trouble.SERVER if status >= 500 else Trouble.REFUSED)
    if trouble is Trouble.AUTH:
        raise CollectError(trouble, _("The source refuses the credentials (status %(status)d).") % {"status": status})
    detail = _("The source answered with status %(status)d.") % {"status": status}
    raise CollectError(trouble, detail, retry_after=wait)


def header_problems(headers: Mapping[str, str]) -> str:
    """Return what is wrong with headers that a tenant set; empty when all may go out."""
    for name, value in headers.items():
        plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        if not plain or name.lower() in FRAMING or not value.isascii() or any(char in value for char in "\r\n\0"):
            return _("This header is not allowed.")
    return ""


def _fields(target: Target, headers: Mapping[str, str]) -> list[tuple[str, str]]:
    if header_problems(headers):
        raise CollectError(Trouble.BLOCKED, header_problems(headers))
    own = [("Host", target.host_header), ("User-Agent", USER_AGENT), ("Accept-Encoding", "gzip")]
    return [*own, *headers.items()]


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _from_egress(error: EgressError) -> CollectError:
    return CollectError(_EGRESS_TROUBLE.get(error.reason, Trouble.NETWORK), error.detail)


def _lost(error: httpx.TransportError) -> CollectError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            detail = _("The certificate of the other end is not valid for this name.")
            return CollectError(Trouble.NETWORK, detail)
        cause = cause.__cause__ or cause.__context__
    return CollectError(Trouble.NETWORK, _("The connection failed."))


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
