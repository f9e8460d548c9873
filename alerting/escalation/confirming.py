"""An SMS that was lost, or that nobody confirmed in time, makes an escalation call the next one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from alerting import undelivered
from alerting.escalation import hurrying
from alerting.rows import fetch
from channels.models import Delivery
from channels.sms.receipts import UNDER_WAY
from tenants.context import current_tenant_id

#: A phone that is on and has a network confirms within seconds; after so long it is not counted on.
CONFIRMED_WITHIN: Final = timedelta(minutes=2)

_EXPECT: Final = """
INSERT INTO timer (tenant_id, kind, object_id, due_at)
SELECT DISTINCT n.tenant_id, 'escalation', n.escalation_id, statement_timestamp() + %(within)s::interval
FROM escalation_notice n JOIN escalation e ON e.tenant_id = n.tenant_id AND e.id = n.escalation_id
WHERE n.tenant_id = %(tenant)s AND n.delivery_id = %(delivery)s AND e.state = 'running'
ON CONFLICT (tenant_id, kind, object_id) DO UPDATE SET due_at = least(timer.due_at, excluded.due_at)
RETURNING object_id
"""
# Each is found once: what is marked is under way no more.
_UNCONFIRMED: Final = """
UPDATE sms_message s SET receipt = 'unconfirmed', receipt_at = statement_timestamp()
FROM escalation_notice n
WHERE n.tenant_id = %(tenant)s AND n.escalation_id = ANY(%(ids)s::uuid[]) AND n.delivery_id IS NOT NULL
  AND s.tenant_id = n.tenant_id AND s.delivery_id = n.delivery_id AND s.receipt = ANY(%(under_way)s)
  AND s.admitted_at <= statement_timestamp() - %(within)s::interval
RETURNING s.delivery_id
"""


def note_lost(delivery_id: UUID, state: str, error_code: int | None) -> None:
    """Write down that the provider could not bring an SMS to the phone, and call the next one at once."""
    code = f" ({error_code})" if error_code else ""
    reason = _("The gateway took it, and it did not reach the phone%(code)s.") % {"code": code}
    Delivery.objects.filter(pk=delivery_id).update(state_reason=reason[:300])
    undelivered.note(current_tenant_id(), [delivery_id], state)
    hurrying.note(current_tenant_id(), [delivery_id], state)


def expect(delivery_id: UUID) -> None:
    """Look again after the time in which a phone confirms; only what an escalation sent is waited for."""
    fetch(
        _EXPECT,
        {"tenant": current_tenant_id(), "delivery": delivery_id, "within": CONFIRMED_WITHIN},  # type: ignore[arg-type]
    )


def hurry_unconfirmed(escalation_ids: Sequence[UUID]) -> None:
    """Bring forward what follows SMS of these escalations that were not confirmed in time."""
    values = {
        "tenant": current_tenant_id(),
        "ids": list(escalation_ids),
        "under_way": sorted(UNDER_WAY),
        "within": CONFIRMED_WITHIN,
    }
    if late := fetch(_UNCONFIRMED, values):  # type: ignore[arg-type]  # named parameters
        hurrying.note(current_tenant_id(), [row[0] for row in late], "unconfirmed")
