"""How the drain reads and writes alerts: one statement for repeats, one for what is known, one each for changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from alerting.flapping import Flapping
from alerting.pipeline.folding import Folded
from alerting.pipeline.news import START_ASSUMED, State
from alerting.rows import as_json, execute, fetch
from tenants.context import current_tenant_id

# Touches no indexed column, so that PostgreSQL updates in place. What it does not find is new or news.
_REPEATS: Final = """
UPDATE alert a SET last_seen_at = statement_timestamp(), repeat_count = a.repeat_count + r.n,
    metric_value = coalesce(r.m, a.metric_value),
    ends_at = CASE WHEN a.status = 'firing' THEN r.e ELSE a.ends_at END
FROM json_to_recordset(%s::json) AS r (f bytea, s text, v smallint, b timestamptz, m float8, n int, e timestamptz)
WHERE mod(r.n, 1) = 0 AND a.tenant_id = %s AND a.fingerprint = r.f AND a.status = r.s AND a.severity = r.v
  AND NOT a.is_flapping AND (a.status = 'resolved' OR coalesce(r.b >= a.starts_at, true))
RETURNING a.fingerprint
"""
# One look into the index for each, whatever the planner believes about the table.
_KNOWN: Final = """
SELECT a.id, a.fingerprint, a.status, a.severity, a.starts_at, %s = ANY(a.flags), a.resolved_because, a.cycle,
       a.changes, a.is_flapping, a.is_inhibitor, g.id, g.key, g.flushed_at
FROM unnest(%s::bytea[]) AS wanted (fingerprint)
CROSS JOIN LATERAL (SELECT * FROM alert WHERE tenant_id = %s AND fingerprint = wanted.fingerprint LIMIT 1) AS a
LEFT JOIN alert_group g ON g.tenant_id = a.tenant_id AND g.id = a.group_id AND g.status <> 'resolved'
"""
_COLUMNS: Final = """
    id uuid, fingerprint bytea, status text, severity smallint, labels jsonb, annotations jsonb, enrichment jsonb,
    starts_at timestamptz, ends_at timestamptz, generator_url text, metric_name text, metric_value float8,
    flags varchar(32)[], cycle int, count bigint, is_changed bool, is_outdated bool,
    resolved_at timestamptz, resolved_because text, group_id uuid, is_inhibitor bool, changes timestamptz[],
    is_flapping bool, scores jsonb
"""
# A row without labels is about an alert whose content stays as it is.
_UPDATE: Final = f"""
UPDATE alert a SET status = r.status, severity = r.severity,
    labels = coalesce(r.labels, a.labels), annotations = coalesce(r.annotations, a.annotations),
    enrichment = CASE WHEN r.labels IS NULL THEN a.enrichment ELSE r.enrichment END,
    starts_at = r.starts_at, ends_at = CASE WHEN r.is_outdated THEN a.ends_at ELSE r.ends_at END,
    generator_url = coalesce(r.generator_url, a.generator_url), metric_name = coalesce(r.metric_name, a.metric_name),
    metric_value = coalesce(r.metric_value, a.metric_value), flags = coalesce(r.flags, a.flags), cycle = r.cycle,
    repeat_count = a.repeat_count + r.count, last_seen_at = statement_timestamp(),
    changed_at = CASE WHEN r.is_changed THEN statement_timestamp() ELSE a.changed_at END,
    resolved_at = CASE WHEN r.status = 'firing' THEN NULL ELSE coalesce(r.resolved_at, a.resolved_at) END,
    resolved_because = r.resolved_because, group_id = coalesce(r.group_id, a.group_id),
    is_inhibitor = r.is_inhibitor, changes = r.changes, is_flapping = r.is_flapping,
    scores = coalesce(r.scores, a.scores)
FROM json_to_recordset(%s::json) AS r ({_COLUMNS})
WHERE mod(r.cycle, 1) = 0 AND a.tenant_id = %s AND a.id = r.id
"""  # noqa: S608 - a constant of this module
_INSERT: Final = f"""
INSERT INTO alert (id, tenant_id, fingerprint, status, severity, labels, annotations, enrichment, starts_at, ends_at,
    generator_url, metric_name, metric_value, flags, cycle, repeat_count, first_seen_at, changed_at, last_seen_at,
    resolved_at, resolved_because, group_id, is_inhibitor, changes, is_flapping, scores)
SELECT id, %s, fingerprint, status, severity, labels, annotations, enrichment, starts_at, ends_at,
    coalesce(generator_url, ''), coalesce(metric_name, ''), metric_value, coalesce(flags, '{{}}'), cycle, count,
    statement_timestamp(), statement_timestamp(), statement_timestamp(),
    resolved_at, resolved_because, group_id, is_inhibitor, changes, is_flapping, scores
FROM json_to_recordset(%s::json) AS r ({_COLUMNS})
"""  # noqa: S608 - a constant of this module


class Known(msgspec.Struct, gc=False):
    """What the database knows of an alert, with its group as long as that is open."""

    id: str
    state: State
    severity: int
    cycle: int
    flapping: Flapping
    is_inhibitor: bool
    group_id: str | None
    group_key: bytes | None
    flushed_at: datetime | None


class AlertRow(msgspec.Struct, kw_only=True, gc=False):
    """An alert as it is to be written; None in a column of content keeps what is there."""

    id: str
    fingerprint: str
    status: str
    severity: int
    labels: Any = None
    annotations: Any = None
    enrichment: Any = None
    starts_at: datetime
    ends_at: datetime | None = None
    generator_url: str | None = None
    metric_name: str | None = None
    metric_value: float | None = None
    flags: list[str] | None = None
    cycle: int = 1
    count: int = 1
    is_changed: bool = True
    #: Nothing but older news, which is counted and changes nothing else.
    is_outdated: bool = False
    resolved_at: datetime | None = None
    resolved_because: str = ""
    group_id: str | None = None
    is_inhibitor: bool = False
    changes: tuple[datetime, ...] = ()
    is_flapping: bool = False
    #: What scoring says of this firing; None keeps what is there.
    scores: Any = None


class _Repeat(msgspec.Struct, rename={"fingerprint": "f", "status": "s", "severity": "v", "starts_at": "b"}, gc=False):
    """What a plain repeat may touch; short names, for there are many."""

    fingerprint: str
    status: str
    severity: int
    starts_at: datetime | None
    m: float | None
    n: int
    e: datetime | None


def touch_repeats(folded: Sequence[Folded]) -> set[bytes]:
    """Count the plain repeats among these; return the alerts that were."""
    rows = []
    for one in folded:
        alert = one.last.alert
        rows.append(
            _Repeat(
                "\\x" + one.fingerprint.hex(),
                alert.status,
                alert.severity,
                alert.starts_at,
                alert.metric_value,
                one.count,
                alert.ends_at,
            )
        )
    if not rows:
        return set()
    return {bytes(row[0]) for row in fetch(_REPEATS, [as_json(rows), current_tenant_id()])}


def read_known(fingerprints: Sequence[bytes]) -> dict[bytes, Known]:
    """What the database knows of these alerts."""
    if not fingerprints:
        return {}
    rows = fetch(_KNOWN, [START_ASSUMED, bytea_array(fingerprints), current_tenant_id()])
    return {bytes(row[1]): _known(row) for row in rows}


def _known(row: tuple[Any, ...]) -> Known:
    alert_id, _fp, status, severity, starts_at, assumed, because, cycle, changes, flaps, inhibits, *group = row
    group_id, group_key, flushed_at = group
    return Known(
        str(alert_id),
        State(status, starts_at, assumed, because),
        severity,
        cycle,
        Flapping(flaps, tuple(changes)),
        inhibits,
        None if group_id is None else str(group_id),
        None if group_key is None else bytes(group_key),
        flushed_at,
    )


def update(rows: Sequence[AlertRow]) -> None:
    """Write what changed of known alerts."""
    if rows:
        execute(_UPDATE, [as_json(rows), current_tenant_id()])


def insert(rows: Sequence[AlertRow]) -> None:
    """Write new alerts."""
    if rows:
        execute(_INSERT, [current_tenant_id(), as_json(rows)])


def bytea_array(values: Sequence[bytes]) -> str:
    """Bytes as the text of an array, which costs less than a list handed to the driver."""
    return "{" + ",".join(['"\\\\x' + value.hex() + '"' for value in values]) + "}"
