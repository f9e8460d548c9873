"""Alerts of a night, as messages; the golden files show how each is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from channels.message import AlertLine, Link, Message, PlannedWork, Reason, Saying

AT = datetime(2026, 3, 14, 2, 41, tzinfo=UTC)
ZONES = {
    "en": "Europe/London",
    "fr": "Europe/Paris",
    "de": "Europe/Berlin",
    "es": "America/Bogota",
    "it": "Europe/Rome",
}


def alert(number: int = 0, minutes: int = 6, *, over: bool = False, **fields: Any) -> AlertLine:
    """Return one alert that began so many minutes before the message; one that is over ended a minute before."""
    return AlertLine(
        fingerprint=f"{number:032x}",
        status="resolved" if over else "firing",
        severity=fields.pop("severity", 40),
        starts_at=AT - timedelta(minutes=minutes),
        ends_at=AT - timedelta(minutes=1) if over else None,
        **fields,
    )


def told(title: str, *alerts: AlertLine, **fields: Any) -> Message:
    """Return the message about these alerts."""
    firing = sum(one.status == "firing" for one in alerts)
    given: dict[str, Any] = {
        "title": title,
        "created_at": AT,
        "status": "firing" if firing else "resolved",
        "severity": max(one.severity for one in alerts),
        "tenant_slug": "payments",
        "tenant_name": "Payments",
        "delivery_id": "0192c0de-0000-7000-8000-000000000001",
        "group_id": "0192c0de-0000-7000-8000-000000000002",
        "group_url": "https://alerts.example.com/groups/0192c0de",
        "group_labels": {name: alerts[0].labels[name] for name in ("alertname", "service") if name in alerts[0].labels},
        "alerts": list(alerts),
        "firing_count": firing,
        "resolved_count": len(alerts) - firing,
        "total_count": len(alerts),
        "links": [Link(text="Runbook", url="https://wiki.example.com/runbooks/it", role="runbook")],
    }
    return Message(**(given | fields))


CPU = {
    "labels": {"alertname": "HighCpu", "instance": "db-1", "service": "ledger"},
    "annotations": {"metric": "cpu_usage", "value": "96.4", "threshold": "90", "unit": "%", "for_seconds": "900"},
}
LATENCY = {
    "metric": "p99 latency",
    "value": "2.35",
    "expected": "0.3",
    "low": "0.12",
    "high": "0.48",
    "unit": "s",
    # Written in the tenant's language; the sentence made of the facts says it in the reader's.
    "finding_id": "0192c0de-0000-7000-8000-000000000004",
    "summary": "p99 latency is at 2.35 s; usual are 0.12 s to 0.48 s",
}
CHECKOUT = {"labels": {"alertname": "EndpointDown", "instance": "checkout.example.com", "alert_type": "availability"}}
HOSTS = [
    alert(
        number,
        minutes=5 + number,
        over=number == 2,
        severity=40 if number == 0 else 20,
        labels={"alertname": "DiskAlmostFull", "instance": f"db-{number + 1}", "service": "ledger"},
        annotations={"summary": f"/var/lib/pg on db-{number + 1} is {96 - number} % full"},
        repeat_count=1 + number * 3,
    )
    for number in range(4)
]
MANY = [
    alert(number, minutes=95, severity=30, labels={"alertname": "PodRestarting", "pod": f"api-{number}"})
    for number in range(50)
]

DISKS = PlannedWork(
    id="0192c0de-0000-7000-8000-000000000003",
    name="Bigger disks for the ledger",
    starts_at=AT + timedelta(hours=20),
    ends_at=AT + timedelta(hours=22),
)
ON_CALL = Saying(key="escalation.on_call", values={"schedule": "primary", "level": "2", "policy": "Ledger"})

SITUATIONS: dict[str, Message] = {
    "01-threshold": told("HighCpu", alert(**CPU)),
    "02-threshold-over": told("HighCpu", alert(minutes=48, over=True, **CPU), reason=Reason.ALL_RESOLVED),
    "03-anomaly": told(
        "Login latency",
        alert(
            severity=20,
            labels={"alertname": "LatencyAnomaly", "service": "search", "finding_kind": "adaptive"},
            annotations=LATENCY,
        ),
    ),
    "04-forecast": told(
        "Disk fills up",
        alert(
            severity=20,
            labels={
                "alertname": "DiskWillFill",
                "instance": "db-1",
                "finding_kind": "forecast",
                "threshold": "disk-full",
            },
            annotations={
                "metric": "disk usage",
                "value": "0.87",
                "threshold": "1",
                "unit": "ratio",
                "breach_at": "2026-03-15T04:10:00+00:00",
            },
        ),
    ),
    "05-down": told("EndpointDown", alert(annotations={"status_code": "503"}, **CHECKOUT)),
    "06-up-again": told("EndpointDown", alert(minutes=94, over=True, **CHECKOUT), reason=Reason.ALL_RESOLVED),
    "07-business": told(
        "Revenue",
        alert(
            severity=30,
            labels={"alertname": "RevenueDrop", "service": "shop"},
            annotations={"metric": "revenue per hour", "value": "1234.5", "expected": "18200", "currency": "EUR"},
        ),
    ),
    "08-security": told(
        "BruteForce",
        alert(
            labels={"alertname": "BruteForceLogin", "host": "vpn-2", "category": "security"},
            annotations={"actor": "root", "source_ip": "203.0.113.7", "attempts": "1250"},
        ),
    ),
    "09-group": told("Disk almost full", *HOSTS, reason=Reason.NEW_ALERTS, planned=[DISKS]),
    "10-many": told("Pods restart", *MANY, reason=Reason.REPEAT, firing_count=1_250, total_count=1_250),
    "11-raised": told(
        "Queue grows",
        alert(severity=40, minutes=3_000, labels={"alertname": "QueueGrows", "service": "mail"}, repeat_count=2),
        reason=Reason.SEVERITY_RAISED,
    ),
    "12-flapping": told(
        "Link flaps",
        alert(severity=10, labels={"alertname": "LinkFlaps", "host": "edge-3"}, repeat_count=41),
        reason=Reason.FLAPPING,
        links=[],
    ),
    "13-escalation": told(
        "QueueGrows",
        alert(severity=40, minutes=17, labels={"alertname": "QueueGrows", "service": "mail"}),
        kind="escalation",
        reason=Reason.ESCALATION,
        why=[ON_CALL, Saying(key="escalation.late", spans={"span": 420.0})],
    ),
    "14-no-data": told(
        "NoData",
        alert(
            severity=30,
            minutes=12,
            labels={"alertname": "NoData", "instance": "db-2", "finding_kind": "absence"},
            annotations={"metric": "replication_lag", "for_seconds": "720"},
        ),
    ),
    "15-change": told(
        "Latency has changed",
        alert(
            severity=20,
            labels={"alertname": "LatencyChanged", "service": "search", "finding_kind": "change"},
            annotations={
                "metric": "request_latency_seconds",
                "value": "0.41",
                "expected": "0.26",
                "unit": "s",
                "direction": "above",
                "change": "level",
                "changed_at": "2026-03-15T01:20:00+00:00",
            },
        ),
    ),
    "16-change-over": told(
        "Queue has a trend",
        alert(
            severity=20,
            minutes=380,
            over=True,
            labels={"alertname": "QueueTrend", "queue": "royalties", "finding_kind": "change"},
            annotations={
                "metric": "queue_depth",
                "value": "120",
                "expected": "0",
                "unit": "messages/h",
                "change": "trend",
                "changed_at": "2026-03-15T01:20:00+00:00",
                "ended_because": "settled",
            },
        ),
        reason=Reason.ALL_RESOLVED,
    ),
    # All its sender says of it are three facts.
    "17-measure": told(
        "HighLatency",
        alert(
            labels={"alertname": "HighLatency", "instance": "web-1"},
            annotations={"value": "2.4", "threshold": "1", "unit": "s"},
        ),
    ),
}


def situation(name: str, locale: str) -> Message:
    """Return a situation for a reader of that language."""
    return msgspec.structs.replace(SITUATIONS[name], locale=locale, time_zone=ZONES[locale])
