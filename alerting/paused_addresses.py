"""Tells a tenant, by an alert of its own, of each address that gets nothing more, until somebody takes it off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from alerting.decoding import Decoded, NativeAlert
from alerting.intake import accept
from alerting.severity import Severity
from channels.models import PausedAddress
from channels.selectors import database_now
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.principal import system

SOURCE: Final = "channels"
NAME: Final = "AddressPaused"
#: The alert ends by itself so long after the last word from here; the word is repeated hourly.
LASTS: Final = timedelta(hours=3)
AT_ONCE: Final = 500


def note(tenant_id: UUID, rows: Sequence[PausedAddress], is_paused: bool) -> None:
    """Tell of addresses that were paused or taken off just now; in the transaction that did it."""
    tenant = Tenant.objects.get(pk=tenant_id)
    now = database_now()
    with translation.override(tenant.locale):
        alerts = [_alert(row, now, is_paused=is_paused) for row in rows]
    for first in range(0, len(alerts), AT_ONCE):
        accept(system(tenant_id, SOURCE), SOURCE, Decoded(alerts[first : first + AT_ONCE], []))


def repeat_all() -> int:
    """Say once more which addresses are still paused, in every active tenant; return how many there are."""
    return sum(_repeat(tenant_id) for tenant_id in Tenant.objects.filter(is_active=True).values_list("pk", flat=True))


def _repeat(tenant_id: UUID) -> int:
    with tenant_context(tenant_id):
        rows = list(PausedAddress._default_manager.all())
        if rows:
            note(tenant_id, rows, is_paused=True)
        return len(rows)


def _alert(row: PausedAddress, now: datetime, *, is_paused: bool) -> NativeAlert:
    why = PausedAddress.Why(row.why)
    # Who wants no more said so; what is dead or refused is news, and perhaps nobody is told at night.
    severity = Severity.INFO if why is PausedAddress.Why.UNSUBSCRIBED else Severity.WARNING
    summary = _("No more mail goes to %(address)s: %(why)s.") % {"address": row.address, "why": why.label}
    advice = _("Whoever is told by this address hears nothing. Mend it, then take it off the paused addresses.")
    return NativeAlert(
        # The same at its end, and whatever the reason is: the labels are what makes it the same alert.
        labels={"alertname": NAME, "address": row.address, "channel_kind": "email"},
        annotations={"summary": summary, "description": " ".join(filter(None, [advice, row.detail])), "reason": why},
        severity=severity,
        status="firing" if is_paused else "resolved",
        starts_at=row.paused_at,
        ends_at=now + LASTS if is_paused else now,
        generator_url=f"{settings.PUBLIC_BASE_URL}/admin/channels/pausedaddress/",
    )
