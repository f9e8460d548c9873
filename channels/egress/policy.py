"""What the operator allows, read from the settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network

from django.conf import settings

Network = IPv4Network | IPv6Network
HTTPS_PORTS = frozenset({443, 8443})
HTTP_PORTS = frozenset({80, 8080})
SMTP_PORTS = frozenset({25, 465, 587, 2525})


@dataclass(frozen=True)
class Policy:
    """Which schemes, ports and networks may be reached. `loopback_ports` None means any."""

    allow_http: bool = False
    allow_loopback: bool = False
    loopback_ports: frozenset[int] | None = None
    extra_ports: frozenset[int] = frozenset()
    denied: tuple[Network, ...] = field(default=())

    def allows_loopback(self, port: int) -> bool:
        """Say whether this machine may be called on that port, as its own inbox is."""
        return self.allow_loopback and (self.loopback_ports is None or port in self.loopback_ports)

    def allows_port(self, scheme: str, port: int) -> bool:
        """Say whether that port may be called on any other machine."""
        return port in self.ports(scheme)

    def ports(self, scheme: str) -> list[int]:
        """The ports of any other machine that may be called."""
        usual = {"https": HTTPS_PORTS, "http": HTTP_PORTS, "smtp": SMTP_PORTS}[scheme]
        return sorted(usual | self.extra_ports)


def current_policy() -> Policy:
    """Read EGRESS_* from the settings; what is not set is forbidden."""
    loopback_ports = _ports("EGRESS_LOOPBACK_PORTS")
    denied: Iterable[str] = getattr(settings, "EGRESS_DENIED_NETWORKS", ())
    return Policy(
        allow_http=bool(getattr(settings, "EGRESS_ALLOW_HTTP", False)),
        allow_loopback=bool(getattr(settings, "EGRESS_ALLOW_LOOPBACK", False)),
        loopback_ports=loopback_ports or None,
        extra_ports=_ports("EGRESS_EXTRA_PORTS"),
        denied=tuple(ip_network(network) for network in denied),
    )


def _ports(name: str) -> frozenset[int]:
    return frozenset(int(port) for port in getattr(settings, name, None) or ())
