"""What the flush knows of the groups that are due: read for all of them at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from alerting.flapping import STEADY, Flapping
from alerting.needs import Told
from alerting.rows import fetch
from tenants.context import current_tenant_id

_decode: Final = msgspec.json.Decoder().decode
_MASK: Final = (1 << 64) - 1
_SPREAD: Final = 0x9E3779B97F4A7C15

_GROUPS: Final = """
SELECT id, status, severity, labels, title, firing_count, alert_count, opened_at, is_flapping, untold_reason
FROM alert_group WHERE tenant_id = %s AND id = ANY(%s::uuid[]) ORDER BY id
"""
_LOG: Final = """
SELECT group_id, channel_id, recipient, firing, resolved, severity, was_flapping, told_at
FROM notification_log WHERE tenant_id = %s AND group_id = ANY(%s::uuid[])
"""
# Of those that are over, the ones that ended since somebody was told last: earlier ones were told.
_ALERTS: Final = """
SELECT a.group_id, a.id, a.fingerprint, a.cycle, a.status, a.severity, a.labels, a.annotations, a.starts_at,
       a.resolved_at, a.generator_url, a.repeat_count, a.is_flapping, a.changes, a.muted_by
FROM (SELECT g.id, (SELECT min(n.told_at) FROM notification_log n
                    WHERE n.tenant_id = %s AND n.group_id = g.id) AS since
      FROM unnest(%s::uuid[]) AS g (id)) AS g
CROSS JOIN LATERAL (
    SELECT * FROM alert WHERE tenant_id = %s AND group_id = g.id
    AND (status = 'firing' OR is_flapping OR muted_by IS NOT NULL OR g.since IS NULL OR changed_at >= g.since) OFFSET 0
) AS a
ORDER BY a.group_id, a.severity DESC, a.starts_at, a.id
"""
# All that a message about a group may show, also when it is over.
_LATEST: Final = """
SELECT a.group_id, a.id, a.fingerprint, a.cycle, a.status, a.severity, a.labels, a.annotations, a.starts_at,
       a.resolved_at, a.generator_url, a.repeat_count, a.is_flapping, a.changes, a.muted_by
FROM unnest(%s::uuid[]) AS g (id)
CROSS JOIN LATERAL (
    SELECT * FROM alert WHERE tenant_id = %s AND group_id = g.id ORDER BY changed_at DESC, id LIMIT %s
) AS a
ORDER BY a.group_id, a.severity DESC, a.starts_at, a.id
"""
MAX_LATEST: Final = 200
_SOURCES: Final = """
SELECT fingerprint, labels FROM alert WHERE tenant_id = %s AND is_inhibitor AND status = 'firing' ORDER BY first_seen_at
"""


class DueAlert(msgspec.Struct, gc=False):
    """An alert of a due group."""

    id: UUID
    fingerprint: bytes
    #: Names this firing of this alert in the notification log.
    number: int
    status: str
    severity: int
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    resolved_at: datetime | None
    generator_url: str
    repeat_count: int
    flapping: Flapping
    muted_by: list[dict[str, str]] | None

    @property
    def is_firing(self) -> bool:
        return self.status == "firing"


class DueGroup(msgspec.Struct, kw_only=True):
    """A due group with its alerts and what was told about it, by channel and recipient."""

    id: UUID
    status: str
    severity: int
    labels: dict[str, str]
    title: str
    firing_count: int
    alert_count: int
    opened_at: datetime
    is_flapping: bool
    untold_reason: str
    alerts: list[DueAlert]
    told: dict[tuple[UUID, str], Told]


def firing_number(fingerprint: bytes, cycle: int) -> int:
    """A signed 64-bit number for one firing of one alert; an alert that comes back has another."""
    mixed = (int.from_bytes(fingerprint[:8]) ^ cycle * _SPREAD) & _MASK
    return mixed - (1 << 64) if mixed >> 63 else mixed


def read_groups(ids: Sequence[UUID]) -> list[DueGroup]:
    """These groups with alerts and log, in three statements."""
    tenant_id, array = current_tenant_id(), "{" + ",".join(map(str, ids)) + "}"
    told: dict[UUID, dict[tuple[UUID, str], Told]] = defaultdict(dict)
    for group_id, channel_id, recipient, firing, resolved, severity, flapped, told_at in fetch(
        _LOG, [tenant_id, array]
    ):
        told[group_id][channel_id, recipient] = Told(
            firing=frozenset(firing),
            resolved=frozenset(resolved),
            severity=severity,
            was_flapping=flapped,
            told_at=told_at,
        )
    alerts = _read_alerts(tenant_id, array)
    return [_group(row, alerts[row[0]], told[row[0]]) for row in fetch(_GROUPS, [tenant_id, array])]


def read_groups_whole(ids: Sequence[UUID]) -> list[DueGroup]:
    """These groups, with the latest alerts of those that are over in place of none."""
    groups = read_groups(ids)
    over = [group.id for group in groups if not any(alert.is_firing for alert in group.alerts)]
    if not over:
        return groups
    latest = _by_group(fetch(_LATEST, ["{" + ",".join(map(str, over)) + "}", current_tenant_id(), MAX_LATEST]))
    return [msgspec.structs.replace(one, alerts=latest[one.id]) if one.id in latest else one for one in groups]


def _group(row: tuple[Any, ...], alerts: list[DueAlert], told: dict[tuple[UUID, str], Told]) -> DueGroup:
    return DueGroup(
        id=row[0],
        status=row[1],
        severity=row[2],
        labels=_decode(row[3]),
        title=row[4],
        firing_count=row[5],
        alert_count=row[6],
        opened_at=row[7],
        is_flapping=row[8],
        untold_reason=row[9],
        alerts=alerts,
        told=told,
    )


def _read_alerts(tenant_id: UUID, array: str) -> dict[UUID, list[DueAlert]]:
    return _by_group(fetch(_ALERTS, [tenant_id, array, tenant_id]))


def _by_group(rows: Iterable[tuple[Any, ...]]) -> dict[UUID, list[DueAlert]]:
    found: dict[UUID, list[DueAlert]] = defaultdict(list)
    for row in rows:
        fingerprint = bytes(row[2])
        found[row[0]].append(
            DueAlert(
                row[1],
                fingerprint,
                firing_number(fingerprint, row[3]),
                row[4],
                row[5],
                _decode(row[6]),
                _decode(row[7]),
                row[8],
                row[9],
                row[10],
                row[11],
                Flapping(row[12], tuple(row[13])) if row[13] or row[12] else STEADY,
                None if row[14] is None else _decode(row[14]),
            )
        )
    return found


def read_sources() -> Iterable[tuple[bytes, dict[str, str]]]:
    """The firing alerts of the tenant that can inhibit others, oldest first."""
    return [(bytes(identity), _decode(labels)) for identity, labels in fetch(_SOURCES, [current_tenant_id()])]
