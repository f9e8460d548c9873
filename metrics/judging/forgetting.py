"""Findings that are long over go, with what people said of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from metrics.judging.due import database_time
from metrics.judging.states import moment
from metrics.models import Finding
from tenants.context import tenant_context
from tenants.models import Tenant

#: As long as a year may be compared with the one before.
KEPT: Final = timedelta(days=400)
AT_ONCE: Final = 5_000


def forget_all() -> int:
    """Remove what is past its time in every tenant; return how many findings."""
    return sum(forget(tenant_id) for tenant_id in Tenant.objects.values_list("id", flat=True))


def forget(tenant_id: UUID) -> int:
    """Remove a tenant's findings that were over long ago; a bounded number each time."""
    with tenant_context(tenant_id):
        before = moment(database_time()) - KEPT
        old = Finding._default_manager.filter(ended_at__lt=before).order_by("ended_at").values("pk")[:AT_ONCE]
        return Finding._default_manager.filter(pk__in=old).delete()[1].get("metrics.Finding", 0)
