"""Messages to try templates on: one that looks like every day, and the worst ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from channels.message import AlertLine, Link, Message, Reason

AT = datetime(2026, 3, 14, 2, 41, tzinfo=UTC)
HOSTS = ("db-primary-1", "db-replica-2", "db-replica-3")
NASTY = "</td><script>&\"'`*_~<!channel>\u202e{{ 7*7 }}\n\n" * 40


def sample_message() -> Message:
    """Return a message such as a responder sees any night."""
    alerts = [_sample_alert(number, host) for number, host in enumerate(HOSTS)]
    return Message(
        title="Disk almost full on db-primary-1",
        created_at=AT,
        reason=Reason.FIRST,
        sent_reason="first notification of this group",
        severity=40,
        severity_name="critical",
        tenant_slug="payments",
        tenant_name="Payments",
        delivery_id="0192c0de-0000-7000-8000-000000000001",
        group_id="0192c0de-0000-7000-8000-000000000002",
        group_url="https://alerts.example.com/groups/0192c0de",
        group_labels={"alertname": "DiskAlmostFull", "cluster": "eu-west-1", "service": "ledger"},
        alerts=alerts,
        firing_count=4,
        resolved_count=1,
        total_count=5,
        links=[
            Link(text="Runbook", url="https://wiki.example.com/runbooks/disk-full"),
            Link(text="Dashboard", url="https://grafana.example.com/d/disk?var=a&to=now"),
        ],
        time_zone="Europe/Vienna",
    )


def worst_messages() -> list[Message]:
    """Return messages with nothing in them, with too much, and with evil."""
    empty = Message(title="", created_at=AT)
    crowd = AlertLine(
        fingerprint="f" * 32,
        status="firing",
        severity=40,
        severity_name="critical",
        labels={f"label_{number}": "v" * 200 for number in range(40)},
        annotations={"summary": "s" * 300, "description": "d" * 300},
        starts_at=AT - timedelta(days=400),
    )
    crowded = Message(title="t" * 2_000, created_at=AT, alerts=[crowd] * 20, total_count=100_000, severity=40)
    nasty_line = AlertLine(fingerprint="", status="firing", labels={NASTY: NASTY}, annotations={"summary": NASTY})
    nasty = Message(
        title=NASTY,
        created_at=AT,
        status="resolved",
        alerts=[nasty_line],
        group_labels={NASTY: NASTY, "items": "x"},
        group_url="javascript:alert(1)",
        time_zone="No/Where",
    )
    return [sample_message(), empty, crowded, nasty]


def _sample_alert(number: int, host: str) -> AlertLine:
    resolved = number == 2
    return AlertLine(
        fingerprint=f"{number:032x}",
        status="resolved" if resolved else "firing",
        severity=40 if number == 0 else 20,
        severity_name="critical" if number == 0 else "warning",
        labels={"alertname": "DiskAlmostFull", "instance": host, "mountpoint": "/var/lib/pg"},
        annotations={
            "summary": f"/var/lib/pg on {host} is {96 - number} % full",
            "description": "At this pace no space is left in 40 minutes.",
        },
        starts_at=AT - timedelta(minutes=6 + number),
        ends_at=AT - timedelta(minutes=1) if resolved else None,
        generator_url="https://prometheus.example.com/graph?g0.expr=disk",
        repeat_count=1 + number * 3,
    )
