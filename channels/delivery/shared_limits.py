"""Reads and writes the limits that channels share, many rows a statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from channels import registry, sending
from channels.adapters.base import Account
from channels.delivery.sharing import TENANT_PER_MINUTE, Bucket, Shares, Throttled, open_share, throttle
from channels.errors import InvalidSettings, UnknownKind
from channels.models import WHOLE_TENANT, Channel
from tenants.context import current_tenant_id
from tenants.isolation import new_id

_LOCK = """
SELECT key, coalesce(rate_per_minute, usual_per_minute), tokens, tokens_at, blocked_until, blocked_reason,
    throttled_channel, throttled_until
FROM shared_limit WHERE tenant_id = %s AND key = ANY(%s) ORDER BY key FOR UPDATE
"""
_ADD = """
INSERT INTO shared_limit (id, tenant_id, key, kind, detail, usual_per_minute)
SELECT n.id, %s, n.key, n.kind, n.detail, n.usual
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::int[]) AS n(id, key, kind, detail, usual)
ON CONFLICT (tenant_id, key) DO NOTHING
"""
_SAVE = """
UPDATE shared_limit l SET tokens = n.tokens, tokens_at = n.tokens_at, blocked_until = n.blocked_until,
    blocked_reason = n.blocked_reason, throttled_channel = n.throttled_channel, throttled_until = n.throttled_until,
    updated_at = statement_timestamp()
FROM unnest(%s::text[], %s::float8[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::uuid[], %s::timestamptz[])
    AS n(key, tokens, tokens_at, blocked_until, blocked_reason, throttled_channel, throttled_until)
WHERE l.tenant_id = %s AND l.key = n.key
"""
_Wanted = dict[str, tuple[str, Account]]


def open_for(channels: Iterable[Channel], now: datetime) -> Shares:
    """Return what these channels may take together, locked until the transaction ends."""
    wanted: _Wanted = {}
    by_channel: dict[UUID, tuple[str, ...]] = {}
    for channel in channels:
        own = _wanted_by(channel)
        wanted |= own
        by_channel[channel.pk] = tuple(own)
    buckets = _lock(wanted)
    return Shares({key: open_share(bucket, now) for key, bucket in buckets.items()}, by_channel)


def note_throttled(asked: Iterable[Throttled], now: datetime) -> None:
    """Write down that providers asked for patience; no account is blocked for what only one channel did."""
    by_key: dict[str, list[Throttled]] = defaultdict(list)
    for one in asked:
        by_key[one.key].append(one)
    if by_key:
        save(throttle(bucket, by_key[bucket.key], now) for bucket in _locked(sorted(by_key)).values())


def account_key(kind: str, account: Account) -> str:
    """Return the key of an account among the tenant's limits."""
    return f"{kind}:{account.key}"[:80]


def save(buckets: Iterable[Bucket]) -> None:
    """Write buckets that are held locked."""
    rows = list(buckets)
    if not rows:
        return
    columns: list[list[Any]] = [
        [row.key for row in rows],
        [row.tokens for row in rows],
        [row.tokens_at for row in rows],
        [row.blocked_until for row in rows],
        [row.blocked_reason for row in rows],
        [row.throttled_channel for row in rows],
        [row.throttled_until for row in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SAVE, [*columns, current_tenant_id()])


def _wanted_by(channel: Channel) -> _Wanted:
    everything = Account(key=WHOLE_TENANT, detail="", per_minute=TENANT_PER_MINUTE)
    wanted = {WHOLE_TENANT: ("", everything)}
    if account := _account_of(channel):
        wanted[account_key(channel.kind, account)] = (channel.kind, account)
    return wanted


def _account_of(channel: Channel) -> Account | None:
    try:
        adapter = registry.adapter(channel.kind)
        if not adapter.has_accounts:
            return None
        credentials = adapter.credentials_from(sending.read_credentials(channel))
        return adapter.account(adapter.settings_from(channel.settings), credentials)
    except (UnknownKind, InvalidSettings, msgspec.DecodeError):
        # Its sends are refused one by one, with the reason in the attempt log.
        return None


def _lock(wanted: Mapping[str, tuple[str, Account]]) -> dict[str, Bucket]:
    keys = sorted(wanted)
    found = _locked(keys)
    missing = [key for key in keys if key not in found]
    if not missing:
        return found
    accounts = [wanted[key] for key in missing]
    columns: list[list[Any]] = [
        [new_id() for _key in missing],
        missing,
        [kind for kind, _account in accounts],
        [account.detail[:120] for _kind, account in accounts],
        [account.per_minute for _kind, account in accounts],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [current_tenant_id(), *columns])
    return _locked(keys)


def _locked(keys: list[str]) -> dict[str, Bucket]:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [current_tenant_id(), keys])
        return {row[0]: Bucket(*row) for row in cursor.fetchall()}
