"""How far SMS got, for whoever decides whether the next number must be told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from channels.models import SmsMessage, SmsReceipt

CONFIRMED = frozenset({SmsReceipt.DELIVERED, SmsReceipt.READ})
LOST = frozenset({SmsReceipt.UNDELIVERED, SmsReceipt.FAILED})
#: On its way, as the provider said: so its calls do reach us, and silence means something.
UNDER_WAY = frozenset({SmsReceipt.QUEUED, SmsReceipt.SENDING, SmsReceipt.SENT})


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one SMS: on the phone, lost, or neither yet."""

    delivery_id: UUID
    number: str
    receipt: str
    receipt_at: datetime | None

    @property
    def is_confirmed(self) -> bool:
        """Whether it is on the phone."""
        return self.receipt in CONFIRMED

    @property
    def is_lost(self) -> bool:
        """Whether it surely did not arrive."""
        return self.receipt in LOST


def reached(delivery_ids: Iterable[UUID]) -> dict[UUID, Reached]:
    """Return what is known, in the tenant's context; deliveries that were not let out as SMS are left out."""
    rows = SmsMessage._default_manager.filter(delivery_id__in=list(delivery_ids))
    found = rows.values_list("delivery_id", "number", "receipt", "receipt_at")
    return {row[0]: Reached(delivery_id=row[0], number=row[1], receipt=row[2], receipt_at=row[3]) for row in found}
