"""Pushes set aside: what is in them, sent in again through the same queue, given up, and forgotten in the end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
import numpy as np
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from alerting import wakeup
from metrics.intake import TAKE_IN
from metrics.judging.states import moment
from metrics.models import SamplesAside
from metrics.points import decode_about, decode_parcel
from metrics.storage import rows
from tenants import audit
from tenants.context import tenant_context
from tenants.faults import InputRefused
from tenants.models import Tenant
from tenants.principal import Principal

State = SamplesAside.State
#: As long as alerts in quarantine are kept.
KEPT: Final = timedelta(days=30)
AT_ONCE: Final = 1_000
MOST_SHOWN: Final = 50

# The oldest waiting push: out of the queue, so that others behind it go on, and here with the reason.
_PUT: Final = """
WITH taken AS (
    DELETE FROM metric_queue WHERE id IN
        (SELECT id FROM metric_queue WHERE tenant_id = %(tenant)s ORDER BY received_at, id LIMIT 1)
    RETURNING id, received_at, samples
), request AS (
    DELETE FROM metric_request r USING taken t WHERE r.tenant_id = %(tenant)s AND r.id = t.id
    RETURNING r.id, r.body, t.received_at, t.samples
)
INSERT INTO samples_aside (id, tenant_id, body, samples, error, state, received_at, settled_by)
SELECT id, %(tenant)s, body, samples, %(error)s, 'waiting', received_at, '' FROM request RETURNING id
"""
_AGAIN: Final = """
WITH request AS (
    INSERT INTO metric_request (id, tenant_id, body)
    SELECT gen_random_uuid(), tenant_id, body FROM samples_aside WHERE tenant_id = %s AND id = %s
    RETURNING id, tenant_id
)
INSERT INTO metric_queue (id, tenant_id, samples) SELECT id, tenant_id, %s FROM request RETURNING id
"""


class Part(NamedTuple):
    """One series of a push."""

    metric: str
    labels: dict[str, str]
    unit: str
    samples: int
    first: Any
    last: Any


def put(tenant_id: UUID, error: Exception) -> list[UUID]:
    """Set the oldest waiting push of a tenant aside, which is the one that failed alone; return its id."""
    words = f"{type(error).__name__}: {error}".replace("\x00", "")[:500]
    with tenant_context(tenant_id):
        return [row[0] for row in rows.fetch(_PUT, {"tenant": tenant_id, "error": words})]


def contents(item: SamplesAside) -> list[Part] | None:
    """The series in it, as far as it can be read; None where it cannot."""
    try:
        parcel = decode_parcel(bytes(item.body))
        counts, times = np.frombuffer(parcel.lengths, np.int32), np.frombuffer(parcel.ms, np.int64) / 1000.0
        ends = np.cumsum(counts)
        if (counts < 0).any() or (len(ends) and ends[-1] > len(times)):
            return None
        return [
            _part(raw, unit, times[end - count : end])
            for raw, unit, count, end in list(zip(parcel.about, parcel.units, counts, ends, strict=True))[:MOST_SHOWN]
        ]
    except (msgspec.MsgspecError, ValueError, OverflowError, OSError):
        return None


def _part(raw: msgspec.Raw, unit: str, at: Any) -> Part:
    about = decode_about(raw)
    first, last = (moment(float(at.min())), moment(float(at.max()))) if len(at) else (None, None)
    return Part(about.metric, dict(about.labels), unit, len(at), first, last)


def replay(principal: Principal, item_id: UUID) -> None:
    """Put a push back into the queue as it came; if it fails once more, it is set aside anew."""
    principal.require("replay_deliveries")
    with tenant_context(principal.tenant_id):
        item = _locked(item_id)
        rows.fetch(_AGAIN, [principal.tenant_id, item.pk, item.samples])
        _settle(principal, item, State.REPLAYED)
        transaction.on_commit(lambda: wakeup.ring(TAKE_IN, principal.tenant_id))


def discard(principal: Principal, item_id: UUID) -> None:
    """Give a push up; it stays to be looked at until retention removes it."""
    principal.require("replay_deliveries")
    with tenant_context(principal.tenant_id):
        _settle(principal, _locked(item_id), State.DISCARDED)


def _locked(item_id: UUID) -> SamplesAside:
    item = SamplesAside._default_manager.select_for_update().get(pk=item_id)
    if item.state != State.WAITING:
        detail = _("This item is settled already: %(state)s.") % {"state": State(item.state).label}
        raise InputRefused(409, "conflict", detail)
    return item


def _settle(principal: Principal, item: SamplesAside, state: SamplesAside.State) -> None:
    SamplesAside._default_manager.filter(pk=item.pk).update(
        state=state, settled_at=Now(), settled_by=principal.label[:200]
    )
    audit.record(principal, f"samplesaside.{state.value}", item, after={"state": state.value, "samples": item.samples})


def forget_all() -> int:
    """Remove what was set aside long ago in every tenant; return how many pushes."""
    return sum(forget(tenant_id) for tenant_id in Tenant.objects.values_list("id", flat=True))


def forget(tenant_id: UUID) -> int:
    """Remove a tenant's pushes that are past their time; a bounded number each time."""
    with tenant_context(tenant_id):
        old = SamplesAside._default_manager.filter(set_aside_at__lt=Now() - KEPT).values("pk")[:AT_ONCE]
        return int(SamplesAside._default_manager.filter(pk__in=old).delete()[0])
