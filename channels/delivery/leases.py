"""Takes back the deliveries of senders that died: their leases ran out and nobody finished them."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from channels import registry
from channels.delivery import ending
from tenants.context import current_tenant_id, tenant_context

MAX_CRASHES = 5
BATCH = 200

_TENANTS = """
SELECT DISTINCT tenant_id FROM (
    SELECT tenant_id FROM delivery_queue WHERE state = 'leased' AND lease_until < statement_timestamp()
    ORDER BY lease_until LIMIT 1000) late
"""
_SWEEP = """
WITH late AS (
    SELECT q.delivery_id, q.lease_token, q.crashes + 1 AS crashes, c.kind FROM delivery_queue q
    JOIN channel c ON c.tenant_id = q.tenant_id AND c.id = q.channel_id
    WHERE q.tenant_id = %(tenant)s AND q.state = 'leased' AND q.lease_until < statement_timestamp()
    ORDER BY q.lease_until LIMIT %(batch)s FOR UPDATE OF q SKIP LOCKED
), fate AS (
    SELECT l.*, CASE WHEN l.crashes >= %(most)s THEN 'dead' WHEN l.kind = ANY(%(idempotent)s) THEN 'pending'
                     ELSE 'uncertain' END AS state
    FROM late l
), attempt AS (
    UPDATE delivery_attempt a SET ended_at = statement_timestamp(), outcome = 'crashed' FROM fate f
    WHERE a.tenant_id = %(tenant)s AND a.delivery_id = f.delivery_id AND a.lease_token = f.lease_token
      AND a.delivery_id = ANY(ARRAY(SELECT delivery_id FROM fate)) AND a.outcome = 'started'
), gone AS (
    DELETE FROM delivery_queue q USING fate f
    WHERE q.delivery_id = f.delivery_id AND f.state = 'dead'
), kept AS (
    UPDATE delivery_queue q SET state = f.state, lease_until = NULL, crashes = f.crashes,
        next_attempt_at = least(q.expires_at, statement_timestamp() + random() * interval '5 seconds')
    FROM fate f WHERE q.delivery_id = f.delivery_id AND f.state <> 'dead'
), settled AS (
    UPDATE delivery d SET state = f.state,
        state_reason = CASE WHEN f.state = 'dead' THEN %(poison)s ELSE %(crashed)s END,
        finished_at = CASE WHEN f.state = 'dead' THEN statement_timestamp() END
    FROM fate f WHERE d.tenant_id = %(tenant)s AND d.id = f.delivery_id AND d.state = 'leased'
)
SELECT delivery_id, state, kind FROM fate
"""


def tenants_with_late() -> list[UUID]:
    """Return tenants with leases that ran out."""
    with connection.cursor() as cursor:
        cursor.execute(_TENANTS)
        return [row[0] for row in cursor.fetchall()]


def sweep_tenant(tenant_id: UUID) -> int:
    """End one tenant's leases that ran out; returns how many.

    A receiver that drops repeats gets the message again; any other delivery is uncertain until `reconcile_tenant`
    has looked. What brought down its sender time and again is poison, and dead.
    """
    idempotent = [kind for kind in registry.kinds() if registry.adapter(kind).idempotent]
    with tenant_context(tenant_id):
        values: dict[str, Any] = {
            "tenant": current_tenant_id(),
            "batch": BATCH,
            "most": MAX_CRASHES,
            "idempotent": idempotent,
            "poison": _("Poison: its sender stopped in the middle %(count)d times.") % {"count": MAX_CRASHES},
            "crashed": _("Its sender stopped in the middle."),
        }
        with connection.cursor() as cursor:
            cursor.execute(_SWEEP, values)
            swept = [ending.Ended(*row) for row in cursor.fetchall()]
        ending.announce(swept)
    return len(swept)
