"""A tenant's own words, kept in this process and in Redis, and right everywhere within a second of a change.

PostgreSQL is the truth. Each process asks it at most every `CHECK_SECONDS` a tenant for the revision of the words
(one read by primary key, in a transaction that is open anyway) and for nothing else while that is unchanged. So
Redis may be away: it only saves reading the rows. An entry in Redis is named by tenant and revision, holds both
once more, and is refused when they differ, so neither age nor mistake shows a tenant the words of another.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, cast
from uuid import UUID

import msgspec
import redis
import structlog
from django.conf import settings
from django.db import connection

from channels.languages.book import NOBODYS_WORDS, TenantWords
from channels.languages.measures import HITS, INVALIDATIONS, MISSES
from tenants.context import current_tenant_id, has_tenant_context

log = structlog.get_logger(__name__)

CHECK_SECONDS: Final = 0.5
MAX_TENANTS: Final = 512
MAX_PHRASES: Final = 2_000
#: How long unused words stay here: longer the more they are used.
IDLE_SECONDS, IDLE_PER_USE, MOST_IDLE_SECONDS = 60.0, 10.0, 3_600.0
#: How long words stay in Redis: each use doubles what is left.
L2_LEAST, L2_MOST = 300, 86_400
PAUSE_AFTER_FAILURE: Final = 5.0
L1, L2 = "memory", "redis"

# Words that were never changed have no revision.
_STATE: Final = """
SELECT coalesce((SELECT revision FROM phrase_revision WHERE tenant_id = %(tenant)s), 0), locale
FROM tenant WHERE id = %(tenant)s
"""
_WORDS: Final = "SELECT locale, key, text FROM phrase_override WHERE tenant_id = %s ORDER BY locale, key LIMIT %s"

Texts = dict[str, dict[str, str]]


class Stored(msgspec.Struct, frozen=True):
    """What Redis holds."""

    tenant: str
    revision: int
    texts: Texts


@dataclass(slots=True)
class _Entry:
    revision: int
    words: TenantWords
    checked_at: float
    idle_until: float = 0.0
    uses: int = 0


@dataclass
class _Cache:
    entries: OrderedDict[UUID, _Entry] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    redis_away_until: float = 0.0


_cache: Final = _Cache()


def words_here() -> TenantWords:
    """Return the words of the tenant whose context is open; nobody's outside of one."""
    return tenant_words() if has_tenant_context() else NOBODYS_WORDS


def tenant_words(*, is_fresh: bool = False) -> TenantWords:
    """Return the words of the current tenant, at most `CHECK_SECONDS` old; fresh ones are read now."""
    tenant_id, now = current_tenant_id(), time.monotonic()
    known = _recall(tenant_id, now)
    if known is not None and not is_fresh and now - known.checked_at < CHECK_SECONDS:
        HITS.labels(level=L1).inc()
        return known.words
    revision, default = _read_state(tenant_id)
    if known is not None and known.revision == revision and known.words.default == default:
        HITS.labels(level=L1).inc()
        known.checked_at = now
        return known.words
    if known is None:
        MISSES.labels(level=L1).inc()
    else:
        INVALIDATIONS.labels(level=L1).inc()
    texts = _load(tenant_id, revision, known.revision if known else None) if revision else {}
    words = TenantWords(default, texts)
    _remember(tenant_id, _Entry(revision, words, now))
    return words


def forget() -> None:
    """Forget what this process knows."""
    with _cache.lock:
        _cache.entries.clear()
        _cache.redis_away_until = 0.0


def _recall(tenant_id: UUID, now: float) -> _Entry | None:
    with _cache.lock:
        entry = _cache.entries.get(tenant_id)
        if entry is None:
            return None
        if now > entry.idle_until > 0:
            del _cache.entries[tenant_id]
            return None
        entry.uses += 1
        entry.idle_until = now + idle_seconds(entry.uses)
        _cache.entries.move_to_end(tenant_id)
        return entry


def idle_seconds(uses: int) -> float:
    """Return how long words that were used so often stay without being used again."""
    return min(IDLE_SECONDS + IDLE_PER_USE * uses, MOST_IDLE_SECONDS)


def _remember(tenant_id: UUID, entry: _Entry) -> None:
    with _cache.lock:
        before = _cache.entries.get(tenant_id)
        entry.uses = before.uses if before else 0
        entry.idle_until = entry.checked_at + idle_seconds(entry.uses)
        _cache.entries[tenant_id] = entry
        _cache.entries.move_to_end(tenant_id)
        while len(_cache.entries) > MAX_TENANTS:
            _cache.entries.popitem(last=False)


def _read_state(tenant_id: UUID) -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(_STATE, {"tenant": tenant_id})
        row = cursor.fetchone()
    return (row[0], row[1]) if row else (0, "")


def _load(tenant_id: UUID, revision: int, before: int | None) -> Texts:
    texts = _from_redis(tenant_id, revision)
    if texts is not None:
        HITS.labels(level=L2).inc()
        return texts
    MISSES.labels(level=L2).inc()
    texts = {}
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, [tenant_id, MAX_PHRASES])
        for locale, key, text in cursor.fetchall():
            texts.setdefault(locale, {})[key] = text
    _to_redis(tenant_id, revision, before, texts)
    return texts


def _name(tenant_id: UUID, revision: int) -> str:
    return f"phrases:{tenant_id}:{revision}"


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=0.2, socket_timeout=0.3, retry=None, retry_on_timeout=False
    )


def _from_redis(tenant_id: UUID, revision: int) -> Texts | None:
    name = _name(tenant_id, revision)
    answers = _ask_redis(lambda pipe: pipe.get(name).ttl(name))
    if not answers or answers[0] is None:
        return None
    try:
        stored = msgspec.json.decode(answers[0], type=Stored)
    except msgspec.DecodeError:
        return None
    if stored.tenant != str(tenant_id) or stored.revision != revision:
        log.error("phrases refused", tenant=str(tenant_id), reason="they are somebody else's")
        return None
    _ask_redis(lambda pipe: pipe.expire(name, l2_seconds(answers[1])))
    return stored.texts


def l2_seconds(left: int) -> int:
    """Return how long an entry of Redis that was just used lives on."""
    return max(L2_LEAST, min(left * 2, L2_MOST))


def _to_redis(tenant_id: UUID, revision: int, before: int | None, texts: Mapping[str, Mapping[str, str]]) -> None:
    stored = msgspec.json.encode(Stored(str(tenant_id), revision, cast(Texts, texts)))
    old = _name(tenant_id, before) if before else ""
    answers = _ask_redis(
        lambda pipe: pipe.set(_name(tenant_id, revision), stored, ex=L2_LEAST).delete(old or "phrases:none")
    )
    if answers and answers[1]:
        INVALIDATIONS.labels(level=L2).inc()


def _ask_redis(build: Any) -> list[Any] | None:
    """Send some commands at once; None while Redis is away."""
    now = time.monotonic()
    if now < _cache.redis_away_until:
        return None
    try:
        pipe = _redis().pipeline(transaction=False)
        build(pipe)
        answers: list[Any] = pipe.execute()
    except redis.RedisError as error:
        _cache.redis_away_until = now + PAUSE_AFTER_FAILURE
        log.warning("phrases not kept in redis", error_class=type(error).__name__)
        return None
    return answers
