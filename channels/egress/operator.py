"""Requests to an API whose address the operator sets, not a tenant; the other guards stay."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from channels.egress.addresses import is_loopback
from channels.egress.client import TOTAL_SECONDS, Answer, request
from channels.egress.errors import Blocked
from channels.egress.policy import Policy
from channels.egress.urls import check_url, is_local_name

#: Reads an operator's address, which may be this machine's inbox.
_ANY = Policy(allow_http=True, allow_loopback=True, extra_ports=frozenset(range(1, 65536)))


def request_operator(
    method: str,
    url: str,
    *,
    base_url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    timeout: float = TOTAL_SECONDS,
) -> Answer:
    """Send a request to an address under `base_url` and to no other; raises as `egress.request` does."""
    base = base_url.rstrip("/")
    if not url.startswith(f"{base}/"):
        raise Blocked(_("This is not an address of the configured API."))
    return request(method, url, body=body, headers=headers, timeout=timeout, policy=policy_for(base))


def policy_for(base_url: str) -> Policy:
    """Allow exactly the scheme and port that the operator wrote, and this machine only when they wrote that."""
    target = check_url(base_url, _ANY)
    local = is_local_name(target.host) or (target.literal is not None and is_loopback(target.literal))
    port = frozenset({target.port})
    return Policy(allow_http=target.scheme == "http", allow_loopback=local, loopback_ports=port, extra_ports=port)
