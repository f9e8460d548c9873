"""Issue, verify, rotate and revoke API keys."""

import hashlib
import hmac
import secrets
import string
import threading
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from tenants import audit
from tenants.context import tenant_context
from tenants.models import ApiKey
from tenants.principal import Principal
from tenants.scopes import SCOPES

ALPHABET = string.digits + string.ascii_letters
PREFIX_LENGTH, SECRET_LENGTH, CHECK_LENGTH = 8, 32, 6
CACHE_SECONDS = 5.0
CACHE_SIZE = 10_000


@dataclass(frozen=True)
class IssuedKey:
    """A new key and its token; the token exists nowhere else and is shown once."""

    key: ApiKey
    token: str


def _digest(secret: str) -> bytes:
    # 190 random bits need no slow hash; the pepper keeps a stolen table useless.
    return hmac.digest(settings.API_KEY_PEPPER.encode(), secret.encode(), hashlib.sha256)


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _position in range(length))


def _check_digits(text: str) -> str:
    value, digits = zlib.crc32(text.encode()), ""
    for _position in range(CHECK_LENGTH):
        value, digit = divmod(value, len(ALPHABET))
        digits += ALPHABET[digit]
    return digits


def check_scopes(scopes: Iterable[str]) -> list[str]:
    """Return the scopes in order; raise ValueError naming the first unknown one."""
    wanted = list(dict.fromkeys(scopes))
    if not wanted:
        raise ValueError(_("Give the key at least one scope."))
    for scope in wanted:
        if scope not in SCOPES:
            raise ValueError(
                _("%(scope)s is not a scope; choose from %(all)s.") % {"scope": scope, "all": ", ".join(SCOPES)}
            )
    return wanted


def issue(principal: Principal, name: str, scopes: Iterable[str], expires_at: datetime | None = None) -> IssuedKey:
    """Make a key for the tenant of the running context and return it with its token."""
    prefix, secret = _random(PREFIX_LENGTH), _random(SECRET_LENGTH)
    body = f"ak_{settings.ENVIRONMENT[:4]}_{prefix}_{secret}"
    key = ApiKey(name=name, prefix=prefix, digest=_digest(secret), scopes=check_scopes(scopes), expires_at=expires_at)
    key.save()
    audit.record(principal, "api_key.issued", key, after={"name": name, "scopes": key.scopes, "expires_at": expires_at})
    return IssuedKey(key, body + _check_digits(body))


def rotate(principal: Principal, key: ApiKey, overlap: timedelta = timedelta(days=1)) -> IssuedKey:
    """Issue a successor with the same scopes; the old key goes on working for the overlap."""
    issued = issue(principal, key.name, key.scopes, None)
    ApiKey.objects.filter(pk=key.pk).update(expires_at=Now() + overlap, replaced_by=issued.key)
    audit.record(principal, "api_key.rotated", key, after={"replaced_by": issued.key.prefix})
    forget(key.prefix)
    return issued


def revoke(principal: Principal, key: ApiKey) -> None:
    """Make a key useless: at once in this process, within CACHE_SECONDS in every other."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=Now())
    audit.record(principal, "api_key.revoked", key)
    transaction.on_commit(lambda: forget(key.prefix))


_SELECT = """
SELECT set_config('app.key_prefix', %s, true);
SELECT k.id, k.tenant_id, k.name, k.digest, k.scopes,
       k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AND t.is_active,
       k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute'
FROM api_key k JOIN tenant t ON t.id = k.tenant_id WHERE k.prefix = %s
"""


@dataclass(frozen=True, slots=True)
class _Known:
    digest: bytes
    principal: Principal | None
    until: float
    # Whether the time of the last use on record is old enough to be written anew.
    is_stale: bool = False


_known: dict[str, _Known] = {}
_lock = threading.Lock()
# Compared against when there is no such key, so that an unknown prefix takes as long as a wrong secret.
_NOBODY = _digest("nobody")


def verify(token: str, ip: str | None) -> Principal | None:
    """Return who a token speaks for, or None; unknown, wrong, expired and revoked look and last the same."""
    parts = token.split("_")
    if len(parts) != 4 or len(parts[2]) != PREFIX_LENGTH or len(parts[3]) != SECRET_LENGTH + CHECK_LENGTH:
        parts = ["ak", "", "-" * PREFIX_LENGTH, "-" * (SECRET_LENGTH + CHECK_LENGTH)]
    prefix, secret = parts[2], parts[3][:SECRET_LENGTH]
    if not token.endswith(_check_digits(token[:-CHECK_LENGTH])):
        secret = "-" * SECRET_LENGTH  # a slip of the pen; answered like any other wrong key
    known = _known.get(prefix)
    if known is None or known.until < time.monotonic():
        known = _look_up(prefix)
    fits = hmac.compare_digest(known.digest, _digest(secret))
    if not fits or known.principal is None:
        return None
    principal = known.principal
    if known.is_stale:
        # Only now: who merely knows a prefix neither counts as a use nor may tell by the time it takes.
        with _lock:
            if _known.get(prefix) is known:  # not one that was revoked meanwhile
                _known[prefix] = replace(known, is_stale=False)
        _note_use(principal.tenant_id, UUID(principal.id))
    return principal if ip == principal.ip else _with_ip(principal, ip)


def _with_ip(principal: Principal, ip: str | None) -> Principal:
    return Principal("api_key", principal.id, principal.label, principal.tenant_id, principal.permissions, ip)


def _look_up(prefix: str) -> _Known:
    with connection.cursor() as cursor:
        # One implicit transaction: the prefix is visible to the second statement only.
        cursor.execute(_SELECT, [prefix, prefix])
        row = cursor.fetchone()
    known = _Known(_NOBODY, None, time.monotonic() + CACHE_SECONDS)
    if row is not None:
        key_id, tenant_id, name, digest, scopes, is_usable, is_stale = row
        permissions = frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))
        principal = Principal("api_key", str(key_id), f"{name} ({prefix})", tenant_id, permissions)
        known = _Known(bytes(digest), principal if is_usable else None, known.until, is_stale)
    with _lock:
        if len(_known) >= CACHE_SIZE:
            _known.clear()
        _known[prefix] = known
    return known


def _note_use(tenant_id: UUID, key_id: UUID) -> None:
    with tenant_context(tenant_id):
        ApiKey.objects.filter(pk=key_id).update(last_used_at=Now())


def forget(prefix: str) -> None:
    """Drop what this process remembers of a key."""
    with _lock:
        _known.pop(prefix, None)
