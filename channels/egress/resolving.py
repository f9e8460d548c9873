"""Turns a host name into addresses once, and lets them pass only when all are allowed."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from ipaddress import ip_address

from django.utils.translation import gettext as _

from channels.egress.addresses import Address, is_loopback, is_own
from channels.egress.errors import EgressError
from channels.egress.policy import Policy, current_policy
from channels.egress.urls import check_address, check_host, closed_port, inner_address, is_local_name, literal_address
from channels.errors import ErrorReason

Resolver = Callable[[str, int], list[str]]
RESOLVE_SECONDS = 5.0
MAX_ANSWERS = 16
RESOLVE_THREADS = 8


@dataclass(frozen=True)
class Checked:
    """An address that passed, with the name it was found under (for TLS and the Host header)."""

    host: str
    port: int
    addresses: tuple[str, ...]


class _Threads:
    """getaddrinfo has no time limit of its own; these threads bear the slow ones."""

    def __init__(self) -> None:
        self.renew()
        # A forked worker inherits the pool but none of its threads.
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        self.pool = ThreadPoolExecutor(RESOLVE_THREADS, thread_name_prefix="resolve")


_threads = _Threads()


def ask_system(host: str, port: int) -> list[str]:
    """Ask the system's resolver for every address of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolve_checked(
    host: str,
    port: int,
    *,
    scheme: str = "smtp",
    policy: Policy | None = None,
    resolver: Resolver = ask_system,
    timeout: float = RESOLVE_SECONDS,
) -> Checked:
    """Return the allowed addresses of a host, to be connected to as they are.

    Raises `Blocked` when any of them is not allowed, `EgressError` when there is no answer.
    """
    policy = policy or current_policy()
    host = check_host(host)
    addresses = _look_up(host, port, resolver, timeout)
    for address in addresses:
        check_address(address, port, policy)
        if not is_loopback(address) and is_own(address):
            raise inner_address()
    local = all(is_loopback(address) for address in addresses)
    if not local and is_local_name(host):
        raise inner_address()
    if not local and not policy.allows_port(scheme, port):
        raise closed_port(scheme, policy)
    return Checked(host=host, port=port, addresses=tuple(map(str, addresses)))


def _look_up(host: str, port: int, resolver: Resolver, timeout: float) -> list[Address]:
    literal = literal_address(host)
    if literal is not None:
        return [literal]
    try:
        answers = _threads.pool.submit(resolver, host, port).result(timeout=max(timeout, 0.0))
        addresses = [ip_address(answer.partition("%")[0]) for answer in answers[:MAX_ANSWERS]]
    except Late:
        raise EgressError(ErrorReason.TIMEOUT, _("The host name was not found in time.")) from None
    except (OSError, UnicodeError, ValueError):
        raise EgressError(ErrorReason.NETWORK, _("The host name was not found.")) from None
    if not addresses:
        raise EgressError(ErrorReason.NETWORK, _("The host name was not found."))
    return addresses
