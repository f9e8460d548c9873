"""What a wake-up means: do all that waits for one tenant. Called by Celery tasks and by the relay alike."""

import time
from uuid import UUID

from alerting import wakeup
from alerting.notifying import flush_due
from alerting.pipeline.drain import drain
from channels.delivery.engine import deliver_due

# Few requests a look are few alerts a transaction: wait a moment for more.
LINGER_SECONDS = 0.025
SMALL_DRAIN = 200
# After this long others get their turn; what is left is announced again.
FAIR_SECONDS = 2.0


def drain_intake(tenant_id: UUID) -> int:
    """Drain a tenant's intake until nothing waits; return the number of alerts."""
    total, end = 0, time.monotonic() + FAIR_SECONDS
    is_last_look = False
    while time.monotonic() < end:
        drained = drain(tenant_id)
        total += drained.alerts
        if drained.due_now:
            flush_groups(tenant_id)
        if drained.is_busy_elsewhere or (not drained.alerts and is_last_look):
            return total
        if not drained.alerts:
            wakeup.take_bell_down(wakeup.INTAKE, tenant_id)
            is_last_look = True
            continue
        is_last_look = False
        if drained.alerts < SMALL_DRAIN:
            time.sleep(LINGER_SECONDS)
    wakeup.take_bell_down(wakeup.INTAKE, tenant_id)
    wakeup.ring(wakeup.INTAKE, tenant_id)
    return total


def flush_groups(tenant_id: UUID) -> int:
    """Tell about a tenant's due groups; return how many were looked at."""
    wakeup.take_bell_down(wakeup.GROUPS, tenant_id)
    total = 0
    while flushed := flush_due(tenant_id):
        total += flushed
    if total:
        wakeup.ring(wakeup.DELIVERIES, tenant_id)
    return total


def deliver(tenant_id: UUID) -> int:
    """Send a tenant's due deliveries; return how many were tried."""
    wakeup.take_bell_down(wakeup.DELIVERIES, tenant_id)
    total, end = 0, time.monotonic() + FAIR_SECONDS
    while tried := deliver_due(tenant_id):
        total += tried
        if time.monotonic() > end:
            wakeup.ring(wakeup.DELIVERIES, tenant_id)
            break
    return total
