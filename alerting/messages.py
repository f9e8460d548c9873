"""The snapshot of a group that a destination is told: made once, stored with the delivery."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils import translation

from alerting.deciding import Telling
from alerting.due_groups import DueAlert, DueGroup
from alerting.exclusive import Moment
from alerting.muting import MaintenanceWindows
from alerting.severity import LABELS
from alerting.timeline import why_title
from channels.message import AlertLine, Link, Message, PlannedWork
from channels.message import Reason as Said

#: A message carries so many alerts; its counts are of all.
MAX_LINES: Final = 50
MAX_LINKS: Final = 5
MAX_PLANNED: Final = 5
_RUNBOOKS: Final = ("runbook_url", "runbook")


def message_for(telling: Telling, group: DueGroup, moment: Moment, windows: MaintenanceWindows) -> Message:
    """What this destination is told about the group now, with the planned work that concerns it."""
    locale = telling.destination.locale or moment.locale
    firing = [alert for alert in group.alerts if alert.number in telling.firing]
    resolved = [alert for alert in group.alerts if alert.number in telling.resolved]
    with translation.override(locale):
        sent_reason = str(why_title(telling.reason))
    return Message(
        title=group.title,
        created_at=moment.now,
        reason=Said(telling.reason),
        sent_reason=sent_reason,
        status="firing" if firing else "resolved",
        severity=telling.severity,
        severity_name=LABELS.get(telling.severity, str(telling.severity)),
        tenant_slug=moment.slug,
        tenant_name=moment.name,
        group_id=str(group.id),
        group_url=group_url(group.id),
        group_labels=group.labels,
        alerts=[_line(alert) for alert in [*firing, *resolved][:MAX_LINES]],
        firing_count=len(firing),
        resolved_count=len(resolved),
        total_count=len(firing) + len(resolved),
        links=_links([*firing, *resolved]),
        planned=_planned([*firing, *resolved], windows, moment),
        locale=locale,
        time_zone=moment.time_zone,
    )


def group_url(group_id: UUID) -> str:
    """Where a person works on the group; a worker that only tells has no need to load the admin for it."""
    return f"{settings.PUBLIC_BASE_URL}/admin/alerting/alertgroup/{group_id}/change/"


def _line(alert: DueAlert) -> AlertLine:
    return AlertLine(
        fingerprint=alert.fingerprint.hex(),
        status=alert.status,
        severity=alert.severity,
        severity_name=LABELS.get(alert.severity, ""),
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at=alert.starts_at,
        ends_at=alert.resolved_at,
        generator_url=alert.generator_url,
        repeat_count=alert.repeat_count,
    )


def _planned(alerts: Sequence[DueAlert], windows: MaintenanceWindows, moment: Moment) -> list[PlannedWork]:
    """Maintenance that is under way or begins soon."""
    coming = windows.coming([alert.labels for alert in alerts[:MAX_LINES]], moment.now)
    return [
        PlannedWork(id=str(row.id), name=row.name, starts_at=one.starts_at, ends_at=one.ends_at)
        for row, one in coming[:MAX_PLANNED]
    ]


def _links(alerts: Iterable[DueAlert]) -> list[Link]:
    """The runbooks the alerts name, each once."""
    urls: dict[str, None] = {}
    for alert in alerts:
        for name in _RUNBOOKS:
            url = alert.annotations.get(name, "")
            if url.startswith(("https://", "http://")):
                urls[url] = None
        if len(urls) >= MAX_LINKS:
            break
    return [Link(text="Runbook", url=url, role="runbook") for url in list(urls)[:MAX_LINKS]]
