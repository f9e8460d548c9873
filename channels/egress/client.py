"""One guarded HTTP request: checked address, one time limit, a bounded answer."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Iterator, Mapping
from functools import cache

import certifi
import httpcore
import msgspec
from django.utils.translation import gettext as _

from channels.egress.errors import Blocked, EgressError
from channels.egress.policy import Policy, current_policy
from channels.egress.resolving import Resolver, ask_system, resolve_checked
from channels.egress.stream import CheckedBackend, Deadline, Progress
from channels.egress.urls import Target, check_url
from channels.errors import ErrorReason

TOTAL_SECONDS = 10.0
MAX_ANSWER = 64 * 1024
USER_AGENT = "alerting-webhook/1"
# What a caller may not set: these decide where a request goes and how it is framed.
FRAMING = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "cookie"}
ZLIB_MODES = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. Header names are lower case; `truncated` says the body went on."""

    status: int
    headers: dict[str, str]
    body: bytes
    truncated: bool = False


def request(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    timeout: float = TOTAL_SECONDS,
    policy: Policy | None = None,
    resolver: Resolver = ask_system,
) -> Answer:
    """Send one request and return the answer whatever its status; redirects are not followed.

    Raises `Blocked` when the address is not allowed and `EgressError` when nothing came back.
    No proxy, cookie or netrc of the process is used.
    """
    policy = policy or current_policy()
    deadline, progress = Deadline(timeout), Progress()
    target = check_url(url, policy)
    fields = _fields(target, body, headers or {})
    try:
        checked = resolve_checked(
            target.host,
            target.port,
            scheme=target.scheme,
            policy=policy,
            resolver=resolver,
            timeout=deadline.left(),
        )
        return _exchange(method, target, body, fields, CheckedBackend(checked, deadline, progress))
    except httpcore.TimeoutException:
        raise _lost(ErrorReason.TIMEOUT, progress) from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        if isinstance(error.__cause__ or error.__context__, ssl.SSLCertVerificationError):
            detail = _("The certificate of the other end is not valid for this name.")
            raise EgressError(ErrorReason.NETWORK, detail, permanent=True) from None
        raise _lost(ErrorReason.NETWORK, progress) from None


def _exchange(
    method: str,
    target: Target,
    body: bytes,
    fields: list[tuple[bytes, bytes]],
    backend: CheckedBackend,
) -> Answer:
    url = httpcore.URL(
        scheme=target.scheme.encode(),
        host=target.host.encode(),
        port=target.port,
        target=target.path.encode(),
    )
    pool = httpcore.ConnectionPool(ssl_context=_tls(), network_backend=backend, retries=0)
    with pool, pool.stream(method, url, headers=fields, content=body) as response:
        found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        content, truncated = _read(response.iter_stream(), found.get("content-encoding", ""))
        return Answer(status=response.status, headers=found, body=content, truncated=truncated)


def _fields(target: Target, body: bytes, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    fields = [
        (b"Host", target.host_header.encode()),
        (b"User-Agent", USER_AGENT.encode()),
        (b"Accept-Encoding", b"identity"),
        (b"Content-Length", str(len(body)).encode()),
    ]
    for name, value in headers.items():
        if name.lower() in FRAMING or not name.isascii() or any(c in value for c in "\r\n\0"):
            raise Blocked(_("This header is not allowed."))
        fields.append((name.encode("ascii"), value.encode("utf-8")))
    return fields


def _read(chunks: Iterator[bytes], encoding: str) -> tuple[bytes, bool]:
    """Read up to the cap, counted after decompression, so that a bomb unpacks to 64 KB at most."""
    mode = ZLIB_MODES.get(encoding.strip().lower())
    unpack = zlib.decompressobj(mode) if mode else None
    content = bytearray()
    for chunk in chunks:
        room = MAX_ANSWER + 1 - len(content)
        try:
            content += unpack.decompress(chunk, room) if unpack else chunk[:room]
        except zlib.error:
            return bytes(content), True
        if len(content) > MAX_ANSWER:
            return bytes(content[:MAX_ANSWER]), True
    return bytes(content), False


def _lost(reason: ErrorReason, progress: Progress) -> EgressError:
    timed_out = reason is ErrorReason.TIMEOUT
    detail = _("No answer came in time.") if timed_out else _("The connection failed.")
    return EgressError(reason, detail, ambiguous=progress.sent)


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
