"""Remove what is past its retention, a bounded number of rows a statement."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection

from tenants.context import tenant_context
from tenants.models import Tenant

ROWS_A_STATEMENT = 5_000


@dataclass(frozen=True)
class Rule:
    """Rows of a table that go: older than `keep` by `column`, where `condition` holds."""

    table: str
    column: str
    keep: timedelta
    condition: str = "true"


# Order matters: what refers to other rows goes before them.
RULES = (
    Rule("intake_request", "received_at", timedelta(hours=48), "body IS NULL"),
    Rule("quarantined_alert", "received_at", timedelta(days=30)),
    Rule("timeline_event", "at", timedelta(days=90)),
    Rule("provider_event", "received_at", timedelta(days=30)),
    Rule("slack_act", "ended_at", timedelta(days=30)),
    Rule("callback_call", "received_at", timedelta(days=30)),
    Rule("thread_anchor", "updated_at", timedelta(days=90)),
    Rule("delivery", "created_at", timedelta(days=90), "state NOT IN ('pending', 'leased', 'uncertain')"),
    Rule("escalation", "ended_at", timedelta(days=90), "state = 'ended'"),
    Rule("schedule_override", "ends_at", timedelta(days=90)),
    Rule("alert", "changed_at", timedelta(days=90), "status = 'resolved'"),
    Rule("alert_group", "changed_at", timedelta(days=90), "status = 'resolved'"),
    Rule("silence", "ends_at", timedelta(days=90)),
    # Of accounts that no channel names any more; a rate that the tenant chose is kept, the rest comes about anew.
    Rule("shared_limit", "updated_at", timedelta(days=30), "rate_per_minute IS NULL"),
)


def clean_up() -> int:
    """Apply every rule to every tenant; return how many rows went."""
    return sum(_clean(tenant_id, rule) for tenant_id in Tenant.objects.values_list("pk", flat=True) for rule in RULES)


def _clean(tenant_id: UUID, rule: Rule) -> int:
    total = 0
    while True:
        with tenant_context(tenant_id), connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {rule.table} WHERE id IN"  # noqa: S608 - constants
                f" (SELECT id FROM {rule.table} WHERE tenant_id = %s"
                f" AND {rule.column} < now() - %s * interval '1 second' AND {rule.condition} LIMIT %s)",
                [tenant_id, rule.keep.total_seconds(), ROWS_A_STATEMENT],
            )
            removed = int(cursor.rowcount)
            total += removed
            if removed < ROWS_A_STATEMENT:
                return total
