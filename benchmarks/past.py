"""A past for a tenant of a benchmark: alerts and groups of a month with what people did about them, made by SQL.

Scoring learns from the past; without one it has nothing to say, and a benchmark would not measure it.
"""

from typing import Any, Final
from uuid import UUID

from django.db import connection

from tenants.context import tenant_context

ALERTS: Final = 10_000
GROUPS: Final = 3_000

# People take care of the first services and let the last ones be; nobody works at night.
_GROUPS: Final = """
WITH made AS (
    SELECT gen_random_uuid() AS id, n, (%(names)s::text[])[1 + n %% cardinality(%(names)s::text[])] AS name,
        1 + n %% cardinality(%(services)s::text[]) AS service,
        now() - interval '1 day' - n * interval '28 days' / %(groups)s AS at
    FROM generate_series(0, %(groups)s - 1) AS n
), grouped AS (
    INSERT INTO alert_group (id, tenant_id, key, labels, title, status, severity, alert_count, opened_at, resolved_at)
    SELECT id, %(tenant)s, decode(md5('past ' || n), 'hex'),
        jsonb_build_object('alertname', name, 'service', (%(services)s::text[])[service]), 'past', 'resolved',
        20 + 10 * (n %% 3), 1, at, at + interval '20 minutes'
    FROM made
), said AS (
    INSERT INTO timeline_event (id, tenant_id, at, group_id, kind, actor)
    SELECT gen_random_uuid(), %(tenant)s, at, id, 'told', '' FROM made UNION ALL
    SELECT gen_random_uuid(), %(tenant)s, at + interval '3 minutes', id, 'acknowledged', 'bench' FROM made
    WHERE service <= cardinality(%(services)s::text[]) / 2 AND n %% 10 <> 0 AND extract(hour FROM at) BETWEEN 5 AND 22
)
INSERT INTO alert (id, tenant_id, fingerprint, status, severity, labels, annotations, starts_at, first_seen_at,
                   changed_at, last_seen_at, resolved_at, resolved_because, group_id)
SELECT gen_random_uuid(), %(tenant)s, decode(md5('past ' || n || ' ' || k), 'hex'), 'resolved', 20 + 10 * (n %% 3),
    %(common)s::jsonb || jsonb_build_object(
        'alertname', name, 'service', (%(services)s::text[])[service], 'instance', 'past-' || n || '-' || k
    ), '{}', at, at, at, at, at + interval '20 minutes', 'sender', id
FROM made CROSS JOIN generate_series(1, %(each)s) AS k
"""


def give_past(tenant_id: UUID, names: list[str], services: list[str], common: str = "{}") -> int:
    """Make a month of alerts with these names and services, and let scoring learn from it; return how many.

    `common` is a JSON object of labels that all of them have.
    """
    from alerting.scoring import learning

    params: dict[str, Any] = {
        "tenant": tenant_id,
        "names": names,
        "services": services,
        "common": common,
        "groups": GROUPS,
        "each": -(-ALERTS // GROUPS),
    }
    with tenant_context(tenant_id), connection.cursor() as cursor:
        cursor.execute(_GROUPS, params)
        made = cursor.rowcount
    if learning.learn(tenant_id) != len(("novelty", "urgency")):
        raise SystemExit("Scoring did not learn from the past that was made for it.")
    return int(made)
