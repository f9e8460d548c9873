"""Reads a URL that a tenant typed and refuses every spelling that two readers could take apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import idna
from django.utils.translation import gettext as _

from channels.egress.addresses import Address, is_loopback, is_public, unwrap
from channels.egress.errors import Blocked
from channels.egress.policy import Policy, current_policy

MAX_URL = 2048
PLAIN = re.compile(r"[!-~]+")
AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[^\[\]:@/?#%\\]+))(?::(?P<port>[0-9]{1,5}))?")
HOST = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_-]{1,63}")
QUAD = re.compile(r"(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})")
# A last label like this makes the C library read the whole host as a number (127.1, 0x7f.1).
NUMERIC = re.compile(r"(?:0[xX][0-9a-fA-F]*|\d+)")
DEFAULT_PORTS = {"https": 443, "http": 80}
LOCAL_NAMES = ("localhost", ".localhost")


@dataclass(frozen=True)
class Target:
    """A URL taken apart once; nobody reads the text again."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def literal(self) -> Address | None:
        """The address when the host is one, else None."""
        return literal_address(self.host)

    @property
    def host_header(self) -> str:
        """The host as the Host header wants it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def check_url(url: str, policy: Policy | None = None) -> Target:
    """Return the parts of an allowed URL or raise `Blocked`; names are not resolved here."""
    policy = policy or current_policy()
    target = _split(url, policy)
    if target.scheme == "http" and not policy.allow_http:
        raise _unknown_scheme(policy)
    address = target.literal
    if address is not None:
        check_address(address, target.port, policy)
    local = is_local_name(target.host) or (address is not None and is_loopback(address))
    if local:
        if not policy.allows_loopback(target.port):
            raise inner_address()
    elif not policy.allows_port(target.scheme, target.port):
        raise closed_port(target.scheme, policy)
    return target


def check_address(address: Address, port: int, policy: Policy) -> None:
    """Raise `Blocked` unless the policy lets us call this address on that port."""
    if is_loopback(address):
        if policy.allows_loopback(port):
            return
    elif is_public(address) and not any(unwrap(address) in net for net in policy.denied):
        return
    raise inner_address()


def inner_address() -> Blocked:
    """The refusal of any address that is not public; the same whichever kind it is, and whatever a name stands for."""
    message = _(
        "This address is not allowed: it is, or stands for, one of this machine, of an inner network or of a reserved "
        "range. Give one that is reachable on the internet."
    )
    return Blocked(message)


def closed_port(scheme: str, policy: Policy) -> Blocked:
    """The refusal of a port, with those that are open."""
    message = _("This port is not allowed; allowed are: %(ports)s.")
    return Blocked(message % {"ports": ", ".join(map(str, policy.ports(scheme)))})


def check_host(host: str) -> str:
    """Return a host in its one plain spelling or raise `Blocked`."""
    if not host or len(host) > 253 or any(char in "/\\?#@%[]" or not char.isprintable() for char in host):
        raise Blocked(_("This is not a valid host name; write one such as example.org."))
    try:
        plain = host if ":" in host else _to_ascii(host)
    except (idna.IDNAError, UnicodeError):
        raise Blocked(_("This is not a valid host name; write one such as example.org.")) from None
    if literal_address(plain) is not None:
        return str(literal_address(plain))
    last = plain.rpartition(".")[2]
    if not HOST.fullmatch(plain) or NUMERIC.fullmatch(last):
        raise Blocked(_("This is not a valid host name; write one such as example.org."))
    return plain


def is_local_name(host: str) -> bool:
    """Say whether a name means this machine by convention."""
    return host == LOCAL_NAMES[0] or host.endswith(LOCAL_NAMES[1])


def literal_address(host: str) -> Address | None:
    """Return the address that a host spells in the one canonical way, else None."""
    try:
        if ":" in host:
            return IPv6Address(host)
        return IPv4Address(host) if QUAD.fullmatch(host) else None
    except ValueError:
        return None


def _split(url: str, policy: Policy) -> Target:
    if len(url) > MAX_URL:
        raise Blocked(_("The address has more than %(limit)d signs; give a shorter one.") % {"limit": MAX_URL})
    scheme, mark, rest = url.strip(" ").partition("://")
    scheme = scheme.lower()
    if not mark or scheme not in DEFAULT_PORTS:
        raise _unknown_scheme(policy)
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        raise Blocked(_("An address must not carry a user name or password."))
    path = rest[len(authority) :].partition("#")[0]
    if "\\" in rest or (path and not PLAIN.fullmatch(path)):
        raise Blocked(_("The address has characters that do not belong there."))
    found = AUTHORITY.fullmatch(authority.lower())
    if found is None:
        raise Blocked(_("This is not a valid address; write it like https://example.org/hook."))
    port = int(found["port"] or DEFAULT_PORTS[scheme])
    if not 0 < port < 65536:
        raise closed_port(scheme, policy)
    host = check_host(found["v6"] or found["name"])
    path = path if path.startswith("/") else f"/{path}"
    target = Target(scheme=scheme, host=host, port=port, path=path)
    _check_second_reading(target)
    return target


def _unknown_scheme(policy: Policy) -> Blocked:
    if policy.allow_http:
        return Blocked(_("Only addresses that begin with https:// or http:// are allowed."))
    return Blocked(_("Only addresses that begin with https:// are allowed."))


def _check_second_reading(target: Target) -> None:
    """Make sure that the standard library reads the same host out of what we keep."""
    again = urlsplit(f"{target.scheme}://{target.host_header}{target.path}")
    same_host = again.hostname is not None and (
        again.hostname == target.host
        if ":" not in target.host
        else ip_address(again.hostname) == ip_address(target.host)
    )
    if not same_host or again.username is not None:
        raise Blocked(_("This is not a valid address; write it like https://example.org/hook."))


def _to_ascii(host: str) -> str:
    plain = host.rstrip(".").lower() if host.isascii() else ""
    return plain or idna.encode(host.rstrip("."), uts46=True, transitional=False).decode()
