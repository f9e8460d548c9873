"""Whose an address is: the member who gave a code back that was sent there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from alerting.models import ContactMethod
from alerting.rows import fetch
from tenants.context import current_tenant_id
from tenants.models import User

# A Slack user is known by a linked account as well.
_LANGUAGES: Final = """
SELECT DISTINCT ON (o.address) o.address, p.locale, p.time_zone FROM (
    SELECT lower(c.address) AS address, c.person_id, c.verified_at AS since FROM contact_method c
    WHERE c.tenant_id = %(tenant)s AND lower(c.address) = ANY(%(addresses)s) AND c.verified_at IS NOT NULL
    UNION ALL
    SELECT lower(i.external_id), i.user_id, i.linked_at FROM channel_identity i
    WHERE i.tenant_id = %(tenant)s AND lower(i.external_id) = ANY(%(addresses)s)
) o
JOIN membership m ON m.tenant_id = %(tenant)s AND m.user_id = o.person_id
JOIN person p ON p.id = o.person_id AND p.is_active
WHERE p.locale <> '' OR p.time_zone <> ''
ORDER BY o.address, o.since
"""


def owner_of(address: str) -> User | None:
    """Return the active member who proved first that an address of the current tenant is theirs."""
    contacts = ContactMethod.objects.filter(address=address, verified_at__isnull=False, person__is_active=True)
    contact = contacts.select_related("person").order_by("verified_at").first()
    return contact.person if contact else None


def languages(addresses: Collection[str]) -> Mapping[str, tuple[str, str]]:
    """Return language and time zone by address in lower case, of who chose any (`settings.ADDRESS_OWNERS`)."""
    values = {"tenant": current_tenant_id(), "addresses": sorted(addresses)}
    rows = fetch(_LANGUAGES, values)  # type: ignore[arg-type]  # named parameters
    return {address: (locale, time_zone) for address, locale, time_zone in rows}
