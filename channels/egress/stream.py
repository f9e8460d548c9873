"""Connects to addresses that were checked, and to no others, within one time limit."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from channels.egress.resolving import Checked


class Deadline:
    """One time limit for everything that a request does."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left; raises `httpcore.ReadTimeout` when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("deadline")
        return left


class Progress:
    """How far a request got: `sent` is true once a byte of it may have reached the other end."""

    sent = False


class CheckedBackend(httpcore.NetworkBackend):
    """Opens connections to the checked addresses whatever host it is asked for."""

    def __init__(self, checked: Checked, deadline: Deadline, progress: Progress) -> None:
        self._checked = checked
        self._deadline = deadline
        self._progress = progress
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Try each checked address in turn."""
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._checked.addresses:
            try:
                stream = self._system.connect_tcp(address, self._checked.port, timeout=self._deadline.left())
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return DeadlineStream(stream, self._deadline, self._progress)
        raise failure


class DeadlineStream(httpcore.NetworkStream):
    """A stream on which a drip of bytes cannot outlast the time limit."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline, progress: Progress) -> None:
        self._inner = inner
        self._deadline = deadline
        self._progress = progress

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there within the time left."""
        return self._inner.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all within the time left; from here on the send is no longer surely unsent."""
        self._progress.sent = True
        self._inner.write(buffer, self._deadline.left())

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Shake hands under the name of the URL, not under the address."""
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left())
        return DeadlineStream(inner, self._deadline, self._progress)

    def get_extra_info(self, info: str) -> Any:
        """Pass on what the connection knows of itself."""
        return self._inner.get_extra_info(info)
