"""Addresses that get nothing more: kept when mail came back or its reader complained, and not written to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from channels.delivery import ending
from channels.errors import ErrorReason
from channels.models import Channel, DeliveryState, PausedAddress
from channels.sending import Sent
from tenants import audit
from tenants.context import current_tenant_id
from tenants.principal import Principal, system

log = structlog.get_logger(__name__)
#: What a dotted path of `settings.PAUSED_ADDRESS_OBSERVERS` names: tenant, rows, whether they are paused from now on.
Observer = Callable[[UUID, Sequence[PausedAddress], bool], None]

_PAUSED: Final = """
SELECT d.id, p.why FROM delivery d
JOIN paused_address p ON p.tenant_id = d.tenant_id AND p.address = lower(d.recipient)
WHERE d.tenant_id = %s AND d.id = ANY(%s::uuid[])
"""
_LOCK: Final = """
SELECT delivery_id FROM delivery_queue WHERE tenant_id = %s AND delivery_id = ANY(%s::uuid[]) AND state = 'pending'
ORDER BY delivery_id FOR UPDATE SKIP LOCKED
"""


def pause(address: str, why: str, detail: str = "", principal: Principal | None = None) -> bool:
    """Write nothing more to an address, with an entry in the audit log; False when it was so already."""
    row, is_new = PausedAddress._default_manager.get_or_create(
        address=address.lower()[:320],
        defaults={"why": why, "detail": detail[:300], "tenant_id": current_tenant_id()},
    )
    if is_new:
        actor = principal or system(current_tenant_id(), "mail")
        after = {"address": row.address, "why": why}
        audit.record(actor, "pausedaddress.paused", row, after=after, reason=detail[:300])
        row.refresh_from_db(fields=["paused_at"])
        _announce(row, is_paused=True)
    return bool(is_new)


def resume(principal: Principal, row: PausedAddress) -> None:
    """Write to an address again, as a person wants who took it off."""
    _announce(row, is_paused=False)
    audit.delete_audited(principal, row)


def _announce(row: PausedAddress, *, is_paused: bool) -> None:
    """Tell settings.PAUSED_ADDRESS_OBSERVERS; what one of them raises must not undo what was done."""
    for path in settings.PAUSED_ADDRESS_OBSERVERS:
        observer: Observer = import_string(path)
        try:
            with transaction.atomic():
                observer(current_tenant_id(), [row], is_paused)
        except Exception:  # the address is paused or free again whether or not anybody could be told
            log.exception("paused_address_observer_failed", observer=path)


class HasSent(Protocol):
    """Whatever holds how a call went, and on which kind of channel."""

    @property
    def sent(self) -> Sent: ...

    @property
    def kind(self) -> str: ...


def pause_refused(results: Iterable[HasSent]) -> None:
    """Pause the addresses that the server or provider refused for good, in the running transaction."""
    for one in results:
        error = one.sent.error
        if one.kind == "email" and error is not None and error.reason is ErrorReason.INVALID_RECIPIENT:
            pause(one.sent.parcel.recipient, PausedAddress.Why.REFUSED, error.detail)


def admit(chosen: list[UUID], channels: Mapping[UUID, Channel]) -> set[UUID]:
    """Return which of the chosen go now (`channels.delivery.admitting.Admission`).

    What is for a paused address ends as undelivered, so that whoever listens to failures hears of it.
    """
    tenant_id = current_tenant_id()
    with connection.cursor() as cursor:
        cursor.execute(_PAUSED, [tenant_id, chosen])
        paused = dict(cursor.fetchall())
        if not paused:
            return set(chosen)
        cursor.execute(_LOCK, [tenant_id, list(paused)])
        locked = [row[0] for row in cursor.fetchall()]
    for why, ids in _by_reason(paused, locked).items():
        label = PausedAddress.Why(why).label
        ending.end(ids, DeliveryState.EXPIRED, _("The address is paused: %(why)s.") % {"why": label})
    return set(chosen) - set(paused)


def _by_reason(paused: Mapping[UUID, str], locked: Iterable[UUID]) -> dict[str, list[UUID]]:
    found: dict[str, list[UUID]] = {}
    for one in locked:
        found.setdefault(paused[one], []).append(one)
    return found
