"""Flush: look at the groups that are due, tell whom it concerns, write down every decision, set the next time."""

from datetime import datetime
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import msgspec
from prometheus_client import Counter

from alerting import inhibitors, timeline, timers
from alerting.configuration import Compiled, compiled
from alerting.deciding import Judge, Telling, Verdict
from alerting.due_groups import DueGroup, read_groups, read_sources
from alerting.escalation import starting
from alerting.exclusive import Moment, take_turn
from alerting.messages import message_for
from alerting.models import Timer
from alerting.muting import FiringSources, MaintenanceWindows
from alerting.rows import as_json, execute, one_message
from alerting.severity import Severity
from alerting.timeline import Event, Kind
from channels.delivery.queue import DEFAULT_HORIZON, NewDelivery, enqueue
from tenants.context import current_tenant_id, tenant_context

MAX_GROUPS: Final = 200
#: Looked at in one transaction, so that a drain never waits long for its turn; a larger group comes alone.
MAX_ALERTS: Final = 2_000
MAX_REASON: Final = 64
#: What is urgent goes first, and is not given up within a day.
PRIORITIES: Final[dict[int, int]] = {Severity.CRITICAL: 10, Severity.ERROR: 30, Severity.WARNING: 50, Severity.INFO: 70}

_told = Counter("alerting_notifications", "Destinations told, by reason", ["reason"])

_UPDATE_ALERTS: Final = """
UPDATE alert a SET muted_by = CASE WHEN json_typeof(r.muted_by) = 'array' THEN r.muted_by::jsonb END,
    is_flapping = r.is_flapping, changes = r.changes
FROM json_to_recordset(%s::json) AS r (id uuid, muted_by json, is_flapping bool, changes timestamptz[],
                                       severity int)
WHERE mod(r.severity, 1) = 0 AND a.tenant_id = %s AND a.id = r.id
"""
_UPDATE_GROUPS: Final = """
UPDATE alert_group g SET flushed_at = statement_timestamp(), untold_reason = r.untold_reason,
    is_flapping = r.is_flapping, version = g.version + 1,
    status = CASE WHEN r.closes THEN 'resolved' ELSE g.status END,
    resolved_at = CASE WHEN r.closes THEN statement_timestamp() ELSE g.resolved_at END,
    changed_at = CASE WHEN r.closes THEN statement_timestamp() ELSE g.changed_at END
FROM json_to_recordset(%s::json) AS r (id uuid, severity int, untold_reason text, is_flapping bool,
                                       closes bool)
WHERE mod(r.severity, 1) = 0 AND g.tenant_id = %s AND g.id = r.id
"""
_WRITE_LOG: Final = """
INSERT INTO notification_log (id, tenant_id, group_id, channel_id, recipient, firing, resolved, severity,
                              was_flapping, reason, told_at)
SELECT gen_random_uuid(), %s, group_id, channel_id, recipient, firing, resolved, severity, was_flapping, reason, %s
FROM json_to_recordset(%s::json) AS r (group_id uuid, channel_id uuid, recipient text, firing bigint[],
    resolved bigint[], severity smallint, was_flapping bool, reason text)
ON CONFLICT (tenant_id, group_id, channel_id, recipient) DO UPDATE SET firing = excluded.firing,
    resolved = excluded.resolved, severity = excluded.severity, was_flapping = excluded.was_flapping,
    reason = excluded.reason, told_at = excluded.told_at
"""


def flush_due(tenant_id: UUID, limit: int = MAX_GROUPS) -> int:
    """Look at the tenant's groups that are due, at most `limit`; return how many timers were dealt with.

    One transaction; the number of statements does not depend on the number of groups.
    """
    with tenant_context(tenant_id):
        moment = take_turn(tenant_id)
        configuration = compiled(moment)
        # Before the claim: a change of configuration holds its revision while it waits for its timer.
        inhibitors.refresh(moment, configuration)
        claimed = timers.claim_groups(moment.now, limit, MAX_ALERTS)
        if not claimed:
            return 0
        if any(kind == Timer.Kind.SETTINGS for kind, _object_id in claimed):
            timers.settle_settings()
        ids = [object_id for kind, object_id in claimed if kind == Timer.Kind.GROUP]
        if ids:
            _flush(ids, moment, configuration)
    return len(claimed)


def judge_for(configuration: Compiled, moment: Moment) -> Judge:
    """The judge of this moment, with the alerts that inhibit others now."""
    sources = FiringSources()
    if configuration.inhibitor.rules:
        sources = configuration.inhibitor.firing_sources(read_sources())
    return Judge(configuration, sources, moment.now)


def _flush(ids: list[UUID], moment: Moment, configuration: Compiled) -> None:
    groups = read_groups(ids)
    judge = judge_for(configuration, moment)
    verdicts = [judge.judge(group) for group in groups]
    deliveries = _enqueue(verdicts, moment, configuration)
    known = {group.id for group in groups}
    # The timer of a group that retention removed goes with it.
    gone: list[tuple[str, Any]] = [(str(one), None) for one in ids if one not in known]
    with one_message():
        _write_alerts(verdicts)
        _write_log(verdicts, moment.now)
        timeline.record([event for verdict in verdicts for event in _events(verdict, deliveries)])
        _write_groups(verdicts)
        timers.reset([*gone, *((str(verdict.group.id), verdict.due_at) for verdict in verdicts)])
    starting.follow(verdicts, configuration.routes, moment)


def _enqueue(verdicts: list[Verdict], moment: Moment, configuration: Compiled) -> dict[bytes, UUID]:
    """Put what is to be told into the queue; return the deliveries by their deduplication key."""
    windows = configuration.windows
    items = [_delivery(telling, verdict.group, moment, windows) for verdict in verdicts for telling in verdict.tellings]
    ids = enqueue(items)
    if len(ids) != len(items):
        return {}
    return {item.dedup_key: delivery_id for item, delivery_id in zip(items, ids, strict=True)}


def _delivery(telling: Telling, group: DueGroup, moment: Moment, windows: MaintenanceWindows) -> NewDelivery:
    _told.labels(telling.reason).inc()
    is_critical = telling.severity >= Severity.CRITICAL
    return NewDelivery(
        channel_id=telling.destination.id,
        recipient=telling.recipient,
        dedup_key=dedup_key(telling, group),
        message=message_for(telling, group, moment, windows),
        source_id=group.id,
        reason=telling.reason,
        priority=PRIORITIES.get(telling.severity, 50),
        expires_in=DEFAULT_HORIZON * (4 if is_critical else 1),
    )


def dedup_key(telling: Telling, group: DueGroup) -> bytes:
    """What makes this telling unique: the group, the destination, the reason and what it follows."""
    version = telling.previous.told_at.isoformat() if telling.previous else ""
    parts = (str(group.id), str(telling.destination.id), telling.recipient, telling.reason, version)
    return blake2b(msgspec.msgpack.encode(parts), digest_size=32).digest()


def _write_alerts(verdicts: list[Verdict]) -> None:
    rows = [
        {
            "id": alert.id,
            "severity": alert.severity,
            "muted_by": alert.muted_by,
            "is_flapping": alert.flapping.is_flapping,
            "changes": alert.flapping.changes,
        }
        for verdict in verdicts
        for alert in verdict.altered
    ]
    if rows:
        execute(_UPDATE_ALERTS, [as_json(rows), current_tenant_id()])


def _write_log(verdicts: list[Verdict], now: datetime) -> None:
    rows = [
        {
            "group_id": verdict.group.id,
            "channel_id": telling.destination.id,
            "recipient": telling.recipient,
            "firing": sorted(telling.firing),
            "resolved": sorted(telling.resolved),
            "severity": telling.severity,
            "was_flapping": telling.is_flapping,
            "reason": telling.reason,
        }
        for verdict in verdicts
        for telling in verdict.tellings
    ]
    if rows:
        execute(_WRITE_LOG, [current_tenant_id(), now, as_json(rows)])


def _events(verdict: Verdict, deliveries: dict[bytes, UUID]) -> list[Event]:
    """Every decision as a line; a reason for silence only when it was not said before."""
    group, events = verdict.group, list(verdict.events)
    for telling in verdict.tellings:
        data = {
            "channel": telling.destination.name,
            "channel_id": str(telling.destination.id),
            "recipient": telling.recipient,
            "firing": len(telling.firing),
            "resolved": len(telling.resolved),
        }
        delivery_id = deliveries.get(dedup_key(telling, group))
        if delivery_id is not None:
            data["delivery_id"] = str(delivery_id)
        events.append(Event(kind=Kind.TOLD, group_id=group.id, reason=telling.reason, data=data))
    before = group.untold_reason.split(",")
    for why, channels in sorted(verdict.untold.items()):
        if why not in before:
            events.append(Event(kind=Kind.NOT_TOLD, group_id=group.id, reason=why, data={"for": sorted(channels)}))
    if verdict.closes:
        events.append(Event(kind=Kind.CLOSED, group_id=group.id))
    return events


def _write_groups(verdicts: list[Verdict]) -> None:
    rows = [
        {
            "id": verdict.group.id,
            "severity": verdict.group.severity,
            "untold_reason": ",".join(sorted(verdict.untold))[:MAX_REASON],
            "is_flapping": any(alert.flapping.is_flapping for alert in verdict.group.alerts),
            "closes": verdict.closes,
        }
        for verdict in verdicts
    ]
    if rows:
        execute(_UPDATE_GROUPS, [as_json(rows), current_tenant_id()])
