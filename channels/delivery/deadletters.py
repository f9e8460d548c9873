"""What people do with dead letters: replay one, or lay it aside."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from channels.delivery.queue import WAKE_UP
from channels.delivery.states import IllegalStep
from channels.models import Delivery, DeliveryState
from tenants import audit
from tenants.context import current_tenant_id, tenant_context
from tenants.principal import Principal

SHORTEST_HORIZON = timedelta(hours=1)

# The lease token goes on from the last attempt: the attempt log keeps one row for each token.
_REPLAY = """
WITH again AS (
    UPDATE delivery d SET state = 'pending', state_reason = '', finished_at = NULL, attempts = 0,
        ambiguous_resends = 0, replay_no = d.replay_no + 1,
        dedup_key = substring(sha256(d.dedup_key || convert_to('replay ' || (d.replay_no + 1), 'UTF8')) FROM 1 FOR 32),
        expires_at = statement_timestamp() + greatest(d.expires_at - d.created_at, %(shortest)s)
    WHERE d.tenant_id = %(tenant)s AND d.id = %(id)s AND d.state = 'dead'
    RETURNING d.id, d.tenant_id, d.channel_id, d.priority, d.expires_at
), queued AS (
    INSERT INTO delivery_queue (delivery_id, tenant_id, channel_id, priority, next_attempt_at, expires_at, lease_token)
    SELECT g.id, g.tenant_id, g.channel_id, g.priority, statement_timestamp(), g.expires_at,
        coalesce((SELECT max(a.lease_token) FROM delivery_attempt a
                  WHERE a.tenant_id = g.tenant_id AND a.delivery_id = g.id), 0)
    FROM again g
)
SELECT pg_notify(%(wake_up)s, %(tenant)s::text) FROM again
"""


def replay(principal: Principal, delivery_id: UUID, reason: str = "") -> Delivery:
    """Send a dead delivery once more, with a new horizon.

    Raises Delivery.DoesNotExist, or IllegalStep when it is not dead.
    """
    principal.require("replay_deliveries")
    with tenant_context(principal.tenant_id):
        before = _lock(delivery_id, DeliveryState.PENDING)
        values: dict[str, Any] = {
            "tenant": current_tenant_id(),
            "id": delivery_id,
            "shortest": SHORTEST_HORIZON,
            "wake_up": WAKE_UP,
        }
        with connection.cursor() as cursor:
            cursor.execute(_REPLAY, values)
        after = Delivery.objects.get(pk=delivery_id)
        audit.record(principal, "delivery.replayed", after, before=_told(before), after=_told(after), reason=reason)
    return after


def dismiss(principal: Principal, delivery_id: UUID, reason: str = "") -> Delivery:
    """Lay a dead delivery aside: nobody needs to hear it any more.

    Raises Delivery.DoesNotExist, or IllegalStep when it is not dead.
    """
    principal.require("replay_deliveries")
    with tenant_context(principal.tenant_id):
        delivery = _lock(delivery_id, DeliveryState.CANCELLED)
        before = _told(delivery)
        words = _("Laid aside by %(who)s. Before: %(why)s") % {"who": principal.label, "why": delivery.state_reason}
        delivery.state, delivery.state_reason = DeliveryState.CANCELLED, words[:300]
        delivery.save(update_fields=["state", "state_reason"])
        audit.record(principal, "delivery.dismissed", delivery, before=before, after=_told(delivery), reason=reason)
    return delivery


def _lock(delivery_id: UUID, new: DeliveryState) -> Delivery:
    delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
    if delivery.state != DeliveryState.DEAD:
        raise IllegalStep(delivery.state, new)
    return delivery


def _told(delivery: Delivery) -> dict[str, Any]:
    return {"state": delivery.state, "state_reason": delivery.state_reason, "replay_no": delivery.replay_no}
