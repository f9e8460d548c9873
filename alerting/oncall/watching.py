"""Looks ahead for every tenant, and leaves what would go wrong where the overview shows it."""

from typing import Final
from uuid import UUID

from alerting.auditor import EXAMPLES
from alerting.models import AuditFinding
from alerting.oncall.findings import Finding, findings
from channels.selectors import database_now
from tenants.context import tenant_context
from tenants.models import Tenant

#: The kinds of findings and the checks they stand under. They are the tenant's to mend and say nothing about the
#: service, so the dead man's switch does not ask for them.
CHECKS: Final = {"gap": "nobody_on_call", "unreachable": "on_call_unreachable", "target": "escalation_targets_gone"}


def watch_all() -> dict[str, int]:
    """Look fourteen days ahead for every tenant; return the sums by check."""
    totals = dict.fromkeys(CHECKS.values(), 0)
    for tenant_id in Tenant.objects.filter(is_active=True).values_list("pk", flat=True):
        for name, count in watch(tenant_id).items():
            totals[name] += count
    return totals


def watch(tenant_id: UUID) -> dict[str, int]:
    """Store what would go wrong for one tenant; a tenant without schedules and policies gets no lines."""
    with tenant_context(tenant_id):
        now = database_now()
        found = findings(now)
        counts: dict[str, int] = {}
        for kind, name in CHECKS.items():
            mine = [one for one in found if one.kind == kind]
            counts[name] = len(mine)
            known = AuditFinding.objects.filter(check_name=name)
            values = {"count": len(mine), "examples": [_example(one) for one in mine[:EXAMPLES]], "checked_at": now}
            if not known.update(**values) and mine:
                AuditFinding.objects.create(check_name=name, **values)
    return counts


def _example(one: Finding) -> str:
    when = f" {one.starts_at:%Y-%m-%d %H:%M}" if one.starts_at else ""
    return f"{one.name}{when}: {one.sentence}"[:200]
