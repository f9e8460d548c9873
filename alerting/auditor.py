"""The auditor: SQL that proves nothing was lost, for every tenant, every minute; each count must be 0."""

import http.client
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection

from alerting.health import silent_components
from alerting.rows import as_json, execute
from channels.egress import EgressError, request
from tenants.context import tenant_context
from tenants.models import Tenant

log = structlog.get_logger(__name__)

EXAMPLES: Final = 5

# The same number that alerting/due_groups.py: firing_number() gives one firing of one alert.
_SPREAD: Final = "mod(a.cycle::numeric * 11400714819323198485, 18446744073709551616)"
_NUMBER: Final = f"""
    ('x' || encode(substr(a.fingerprint, 1, 8), 'hex'))::bit(64)::bigint
    # (CASE WHEN {_SPREAD} >= 9223372036854775808 THEN {_SPREAD} - 18446744073709551616 ELSE {_SPREAD} END)::bigint
"""


@dataclass(frozen=True)
class Check:
    """A query whose rows are ids of what must not exist; `%(tenant)s` is the tenant."""

    name: str
    sql: str


CHECKS: Final = (
    Check(
        "intake_waiting",
        "SELECT id FROM intake_queue WHERE tenant_id = %(tenant)s AND received_at < now() - interval '30 seconds'",
    ),
    Check(
        "intake_forgotten",
        """SELECT r.id FROM intake_request r WHERE r.tenant_id = %(tenant)s AND r.drained_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM intake_queue q WHERE q.id = r.id)""",
    ),
    Check(
        "alerts_without_group",
        """SELECT a.id FROM alert a LEFT JOIN alert_group g ON g.tenant_id = a.tenant_id AND g.id = a.group_id
           WHERE a.tenant_id = %(tenant)s AND a.status = 'firing' AND (g.id IS NULL OR g.status = 'resolved')""",
    ),
    # I2: what fires, is not muted and was looked at has been told somewhere, or the reason why not is written.
    Check(
        "alerts_untold",
        f"""SELECT a.id FROM alert a JOIN alert_group g ON g.tenant_id = a.tenant_id AND g.id = a.group_id
            WHERE a.tenant_id = %(tenant)s AND a.status = 'firing' AND a.muted_by IS NULL AND NOT a.is_flapping
            AND g.status = 'firing' AND g.flushed_at > a.changed_at AND g.untold_reason = ''
            AND NOT EXISTS (SELECT 1 FROM timer t WHERE t.tenant_id = g.tenant_id AND t.object_id = g.id
                            AND t.due_at <= now())
            AND NOT EXISTS (SELECT 1 FROM notification_log n, unnest(n.firing) AS told (number)
                            WHERE n.tenant_id = %(tenant)s AND n.group_id = g.id AND told.number = {_NUMBER})""",  # noqa: S608 - a constant of this module
    ),
    Check(
        "groups_without_timer",
        """SELECT g.id FROM alert_group g WHERE g.tenant_id = %(tenant)s AND g.status <> 'resolved'
           AND (g.flushed_at IS NULL OR g.flushed_at < g.changed_at)
           AND NOT EXISTS (SELECT 1 FROM timer t WHERE t.tenant_id = g.tenant_id AND t.object_id = g.id)""",
    ),
    Check(
        "escalations_without_timer",
        """SELECT e.id FROM escalation e WHERE e.tenant_id = %(tenant)s AND e.state = 'running'
           AND NOT EXISTS (SELECT 1 FROM timer t WHERE t.tenant_id = e.tenant_id AND t.kind = 'escalation'
                           AND t.object_id = e.id)""",
    ),
    Check(
        "calls_without_delivery",
        """SELECT n.id FROM escalation_notice n WHERE n.tenant_id = %(tenant)s AND n.state = 'sent'
           AND n.due_at > now() - interval '1 day'
           AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.tenant_id = n.tenant_id AND d.id = n.delivery_id)""",
    ),
    Check(
        "timers_overdue",
        "SELECT object_id FROM timer WHERE tenant_id = %(tenant)s AND due_at < now() - interval '60 seconds'",
    ),
    Check(
        "told_without_delivery",
        """SELECT n.id FROM notification_log n WHERE n.tenant_id = %(tenant)s AND n.told_at > now() - interval '1 day'
           AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.tenant_id = n.tenant_id AND d.source_id = n.group_id
                           AND d.channel_id = n.channel_id AND d.recipient = n.recipient
                           AND d.created_at >= n.told_at - interval '1 minute')""",
    ),
    Check(
        "deliveries_forgotten",
        """SELECT d.id FROM delivery d WHERE d.tenant_id = %(tenant)s AND d.state IN ('pending', 'leased', 'uncertain')
           AND NOT EXISTS (SELECT 1 FROM delivery_queue q WHERE q.delivery_id = d.id)""",
    ),
    Check(
        "deliveries_overdue",
        """SELECT q.delivery_id FROM delivery_queue q WHERE q.tenant_id = %(tenant)s AND q.state <> 'leased'
           AND q.next_attempt_at < now() - interval '60 seconds'
           AND NOT EXISTS (SELECT 1 FROM destination_health h WHERE h.tenant_id = q.tenant_id
                           AND h.channel_id = q.channel_id AND h.blocked_until > now() - interval '60 seconds')""",
    ),
    Check(
        "leases_overdue",
        """SELECT delivery_id FROM delivery_queue WHERE tenant_id = %(tenant)s AND state = 'leased'
           AND lease_until < now() - interval '30 seconds'""",
    ),
)

_STORE: Final = """
INSERT INTO audit_finding (id, tenant_id, check_name, count, examples, checked_at)
SELECT gen_random_uuid(), %s, f.name, f.count, f.examples, statement_timestamp()
FROM json_to_recordset(%s::json) AS f (name text, count int, examples jsonb)
ON CONFLICT (tenant_id, check_name) DO UPDATE SET count = excluded.count, examples = excluded.examples,
    checked_at = excluded.checked_at
"""
_STORE_TOTALS: Final = """
INSERT INTO audit_total (check_name, count, checked_at)
SELECT t->>0, (t->>1)::int, statement_timestamp() FROM json_array_elements(%s::json) AS t
ON CONFLICT (check_name) DO UPDATE SET count = excluded.count, checked_at = excluded.checked_at
"""


@dataclass(frozen=True)
class Finding:
    """How many rows one check found in one tenant, and the ids of the first ones."""

    name: str
    count: int
    examples: list[str]


def audit(tenant_id: UUID) -> list[Finding]:
    """Run every check for one tenant and store what was found."""
    with tenant_context(tenant_id):
        found = [_run(check, tenant_id) for check in CHECKS]
        rows = [{"name": one.name, "count": one.count, "examples": one.examples} for one in found]
        execute(_STORE, [tenant_id, as_json(rows)])
    return found


def _run(check: Check, tenant_id: UUID) -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), (array_agg(id))[1:{EXAMPLES}] FROM ({check.sql}) AS found (id)",  # noqa: S608 - constants
            {"tenant": tenant_id},
        )
        count, examples = cursor.fetchone()
    return Finding(check.name, count, [str(example) for example in examples or ()])


def audit_all() -> dict[str, int]:
    """Audit every tenant, publish the sums, and tell the dead man's switch when all is well."""
    totals = {check.name: 0 for check in CHECKS}
    for tenant_id in Tenant.objects.values_list("pk", flat=True):
        for finding in audit(tenant_id):
            totals[finding.name] += finding.count
            if finding.count:
                log.error("audit found trouble", check=finding.name, count=finding.count, tenant_id=str(tenant_id))
    quiet = silent_components()
    with connection.cursor() as cursor:
        cursor.execute(_STORE_TOTALS, [as_json(list(totals.items()))])
    if quiet:
        log.error("parts are silent", components=quiet)
    if settings.DEAD_MAN_URL and not quiet and not any(totals.values()):
        _ping()
    return totals


def _ping() -> None:
    try:
        request("GET", settings.DEAD_MAN_URL)
    except (EgressError, OSError, http.client.HTTPException) as error:
        log.warning("dead man's switch not reached", error_class=type(error).__name__)
