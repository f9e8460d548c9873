"""One writer at a time per tenant: the drain, the flush, the sweep of stale alerts and acts of people take turns.

They all change the same alerts, groups and timers. A lock per tenant, held until the transaction ends, keeps
their order, makes every counter exact and rules out deadlocks; tenants do not wait for each other.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from django.db import connection

#: Keep these locks apart from each other and from other advisory locks of the service.
TURN_SPACE, DRAIN_SPACE = 7_401, 7_402

# Only another drain makes a drain go away: it looks once more before it ends. For anybody else it waits,
# since nobody would come back for what it leaves in the queue.
_TRY_DRAIN: Final = """
SELECT CASE WHEN pg_try_advisory_xact_lock(%s, hashtext(%s))
            THEN pg_advisory_xact_lock(%s, hashtext(%s))::text IS NOT NULL ELSE false END
"""

_BEGIN: Final = """
SELECT statement_timestamp(), coalesce(c.revision, 0), c.inhibitors, t.slug, t.name, t.locale, t.time_zone
FROM tenant t LEFT JOIN configuration_revision c ON c.tenant_id = t.id WHERE t.id = %s
"""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer knows when its turn begins: the database's time, the state of the configuration, the tenant."""

    tenant_id: UUID
    now: datetime
    revision: int
    #: By which inhibition rules Alert.is_inhibitor was last set.
    inhibitors: bytes | None
    slug: str
    name: str
    locale: str
    time_zone: str


def try_drain(tenant_id: UUID) -> Moment | None:
    """Take the tenant's turn for the rest of the transaction, or None when another drain is at work."""
    with connection.cursor() as cursor:
        cursor.execute(_TRY_DRAIN, [DRAIN_SPACE, str(tenant_id), TURN_SPACE, str(tenant_id)])
        if not cursor.fetchone()[0]:
            return None
    return moment(tenant_id)


def take_turn(tenant_id: UUID) -> Moment:
    """Take the tenant's turn for the rest of the transaction; wait for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [TURN_SPACE, str(tenant_id)])
    return moment(tenant_id)


def moment(tenant_id: UUID) -> Moment:
    """What holds now; a statement of its own, so that it sees what the writer before committed."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [tenant_id])
        now, revision, inhibitors, slug, name, locale, time_zone = cursor.fetchone()
    return Moment(
        tenant_id=tenant_id,
        now=now,
        revision=revision,
        inhibitors=None if inhibitors is None else bytes(inhibitors),
        slug=slug,
        name=name,
        locale=locale,
        time_zone=time_zone,
    )
