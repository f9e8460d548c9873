"""The work of metrics that waits in queue tables, one function for each kind; tasks call these."""

import time
from typing import Final
from uuid import UUID

from alerting import wakeup
from metrics import draining
from metrics.intake import TAKE_IN
from metrics.storage import rollups, rows
from tenants.models import Tenant

ROLL: Final = "metrics.tasks.roll"
#: A busy tenant gives others their turn after this time: the same workers drain alerts, which must not wait long.
FAIR_SECONDS: Final = 1.0
#: While less than this comes in at once, a moment's patience makes the next set larger.
SMALL: Final = 20_000
LINGER_SECONDS: Final = 0.05
_WAITING: Final = {
    TAKE_IN: "SELECT DISTINCT tenant_id FROM metric_queue LIMIT 500",
    ROLL: "SELECT DISTINCT tenant_id FROM rollup_due LIMIT 500",
}


def take_in(tenant_id: UUID) -> int:
    """Take a tenant's waiting pushes in until none is left; return how many samples."""
    total, end = 0, time.monotonic() + FAIR_SECONDS
    is_last_look = False
    while time.monotonic() < end:
        samples = draining.drain(tenant_id)
        total += samples
        if not samples:
            if is_last_look:
                break
            wakeup.take_bell_down(TAKE_IN, tenant_id)
        elif samples < SMALL:
            time.sleep(LINGER_SECONDS)
        is_last_look = not samples
    else:
        wakeup.take_bell_down(TAKE_IN, tenant_id)
        wakeup.ring(TAKE_IN, tenant_id)
        wakeup.ring(ROLL, tenant_id)
        return total
    # Nothing waits now: the hours that have just ended are rolled up without a further wake-up.
    if total:
        roll(tenant_id)
    return total


def roll(tenant_id: UUID) -> int:
    """Roll a tenant's due hours up; return how many."""
    wakeup.take_bell_down(ROLL, tenant_id)
    total, end = 0, time.monotonic() + FAIR_SECONDS
    while time.monotonic() < end:
        done = rollups.roll(tenant_id)
        total += done
        if not done:
            return total
    wakeup.ring(ROLL, tenant_id)
    return total


def announce_waiting() -> None:
    """Announce all work that waits, for the case that its own wake-up was lost."""
    for task, sql in _WAITING.items():
        for (tenant_id,) in rows.fetch(sql, []):
            wakeup.announce(task, tenant_id)


def close_idle() -> int:
    """Close the last hours of series that fell silent, of all tenants; return how many."""
    return sum(rollups.close_idle(tenant_id) for tenant_id in Tenant.objects.values_list("pk", flat=True))
