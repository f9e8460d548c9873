"""The quarantine: items the door could not take, to be fixed and replayed through the same door, or discarded."""

from dataclasses import replace as changed
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from alerting.decoding import decode_one
from alerting.intake import MAX_RAW_BYTES, Accepted, accept
from alerting.models import QuarantinedAlert
from tenants import audit
from tenants.context import tenant_context
from tenants.faults import InputRefused
from tenants.principal import Principal

State = QuarantinedAlert.State


def waiting() -> QuerySet[QuarantinedAlert]:
    """The items of the current tenant that wait for a fix, newest first."""
    return QuarantinedAlert._default_manager.filter(state=State.WAITING)


def replay(principal: Principal, item_id: UUID, fixed: bytes | None = None) -> Accepted:
    """Send an item in again, as it came or as `fixed` (a JSON object in the format of its source).

    The item settles in the transaction that stores the alert, so it is never taken twice. An item that is
    still faulty stays where it is, and the faults are raised as InputRefused.
    """
    principal.require("replay_deliveries")
    with tenant_context(principal.tenant_id):
        item = _locked(item_id)
        body = bytes(item.raw) if fixed is None else fixed
        if fixed is None and len(body) >= MAX_RAW_BYTES:
            detail = _("Only the first %(limit)d bytes of this item were kept; send it whole, fixed.")
            raise InputRefused(409, "conflict", detail % {"limit": MAX_RAW_BYTES})
        decoded = decode_one(item.source, body, timezone.now())
        if decoded.rejected:
            raise InputRefused(400, "invalid", decoded.rejected[0].message, decoded.rejected)
        accepted = accept(_sender(principal), item.source, decoded)
        _settle(principal, item, State.REPLAYED, {"intake_id": str(accepted.id), "was_fixed": fixed is not None})
    return accepted


def discard(principal: Principal, item_id: UUID, reason: str = "") -> None:
    """Give an item up; it stays readable until retention removes it."""
    principal.require("replay_deliveries")
    with tenant_context(principal.tenant_id):
        _settle(principal, _locked(item_id), State.DISCARDED, {}, reason)


def _sender(principal: Principal) -> Principal:
    # Whoever may replay may send this one item in, also with a role or key that sends nothing of its own.
    return changed(principal, permissions=principal.permissions | {"send_alerts"})


def _locked(item_id: UUID) -> QuarantinedAlert:
    item = QuarantinedAlert._default_manager.select_for_update().filter(pk=item_id).first()
    if item is None:
        raise QuarantinedAlert.DoesNotExist
    if item.state != State.WAITING:
        detail = _("This item is settled already: %(state)s.") % {"state": State(item.state).label}
        raise InputRefused(409, "conflict", detail)
    return item


def _settle(
    principal: Principal, item: QuarantinedAlert, state: QuarantinedAlert.State, after: dict[str, Any], reason: str = ""
) -> None:
    QuarantinedAlert._default_manager.filter(pk=item.pk).update(
        state=state, settled_at=Now(), settled_by=principal.label[:200]
    )
    audit.record(principal, f"quarantine.{state.value}", item, after={"state": state.value, **after}, reason=reason)
