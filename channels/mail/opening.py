"""Whether we may see that a mail is opened: only with its reader's own consent, and of the opening only the time."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import connection

from channels.models import MailConsent, MailOpening
from tenants import audit
from tenants.context import current_tenant_id
from tenants.isolation import new_id
from tenants.principal import Principal

#: The smallest picture there is: one pixel that nobody sees.
PIXEL: Final = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")

# The delivery must be the reader's, and the consent must still hold; a second opening changes nothing.
_RECORD: Final = """
INSERT INTO mail_opening (id, tenant_id, delivery_id, address, opened_at)
SELECT %s, d.tenant_id, d.id, c.address, statement_timestamp()
FROM delivery d JOIN mail_consent c ON c.tenant_id = d.tenant_id AND c.address = lower(d.recipient)
WHERE d.tenant_id = %s AND d.id = %s AND c.address = %s
ON CONFLICT (tenant_id, delivery_id) DO NOTHING
"""


def has_consent(address: str) -> bool:
    """Say whether this reader agreed."""
    return bool(MailConsent._default_manager.filter(address=address.lower()).exists())


def give(principal: Principal, address: str, wording: str) -> None:
    """Keep a reader's consent, with the words they agreed to."""
    row, is_new = MailConsent._default_manager.get_or_create(
        address=address.lower()[:320], defaults={"wording": wording[:500], "tenant_id": current_tenant_id()}
    )
    if is_new:
        audit.record(principal, "mailconsent.given", row, after={"address": row.address, "wording": row.wording})


def withdraw(principal: Principal, address: str) -> None:
    """Take a consent back, and with it all that was seen because of it."""
    for row in MailConsent._default_manager.filter(address=address.lower()):
        audit.record(principal, "mailconsent.withdrawn", row, before={"address": row.address})
        row.delete()
    MailOpening._default_manager.filter(address=address.lower()).delete()


def record(delivery_id: UUID, address: str) -> bool:
    """Note that a mail was opened just now; False when it was known or nobody agreed."""
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [new_id(), current_tenant_id(), delivery_id, address.lower()])
        return bool(cursor.rowcount == 1)
