"""Reads of alerts, groups, timelines and the quarantine, each with the columns and joins its reader needs."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db.models import Prefetch, QuerySet

from alerting.filters import Wanted, alerts_with_text, by_matchers, expressions, groups_with_text, narrow
from alerting.matchers import Matcher
from alerting.models import Alert, AlertGroup, QuarantinedAlert, Route, RouteChannel, TimelineEvent
from channels.models import Delivery
from channels.selectors import database_now

#: A preview looks at so many alerts at most; beyond that it says that it is partial.
MAX_SCANNED: Final = 20_000
EXAMPLES: Final = 10
WEEK: Final = timedelta(days=7)


def list_alerts(wanted: Wanted) -> QuerySet[Alert]:
    """Alerts by what SQL can judge; the caller applies `filters.expressions` to the rows."""
    return alerts_with_text(narrow(Alert._default_manager.all(), wanted, "last_seen_at"), wanted.text)


def list_groups(wanted: Wanted) -> QuerySet[AlertGroup]:
    """Groups by what SQL can judge, with whom they are assigned to."""
    rows = narrow(AlertGroup._default_manager.select_related("assigned_to"), wanted, "opened_at")
    return groups_with_text(rows, wanted.text)


def group_timeline(group_id: UUID) -> QuerySet[TimelineEvent]:
    """All that was decided about a group and its alerts."""
    return TimelineEvent._default_manager.filter(group_id=group_id)


def alert_timeline(alert_id: UUID) -> QuerySet[TimelineEvent]:
    """All that was decided about one alert."""
    return TimelineEvent._default_manager.filter(alert_id=alert_id)


def list_quarantine(state: str | None = None) -> QuerySet[QuarantinedAlert]:
    """Items that could not be taken."""
    rows = QuarantinedAlert._default_manager.all()
    return rows.filter(state=state) if state else rows


def list_routes() -> QuerySet[Route]:
    """Routes with the ids of their channels, in two statements however many there are."""
    return Route._default_manager.prefetch_related(
        Prefetch("route_channels", RouteChannel._default_manager.order_by("id"))
    )


class Muting(msgspec.Struct, frozen=True):
    """What matchers catch among the alerts of some time."""

    count: int
    is_partial: bool
    alerts: list[Alert]
    group_ids: set[UUID]


class SilencePreview(msgspec.Struct, frozen=True):
    """What a silence would mute now, and what it would have muted in the last seven days."""

    now: Muting
    last_week: Muting
    deliveries_last_week: int


def preview_silence(matchers: tuple[Matcher, ...]) -> SilencePreview:
    """Judge the alerts of now and of the last week by the matchers of a silence that does not exist yet."""
    since = database_now() - WEEK
    firing = _caught(Alert._default_manager.filter(status="firing"), matchers)
    week = _caught(Alert._default_manager.filter(last_seen_at__gte=since), matchers)
    deliveries = Delivery._default_manager.filter(source_id__in=week.group_ids, created_at__gte=since)
    return SilencePreview(firing, week, deliveries.exclude(kind="test").count() if week.group_ids else 0)


def _caught(rows: QuerySet[Alert], matchers: tuple[Matcher, ...]) -> Muting:
    rows = by_matchers(rows, matchers).order_by("-changed_at", "-id")
    fits = expressions(matchers)
    scanned = list(rows.values_list("id", "labels", "group_id")[: MAX_SCANNED + 1])
    found: list[tuple[Any, Any]] = [
        (alert_id, group_id) for alert_id, labels, group_id in scanned[:MAX_SCANNED] if fits is None or fits(labels)
    ]
    shown = {
        alert.pk: alert for alert in Alert._default_manager.filter(pk__in=[one for one, _group in found[:EXAMPLES]])
    }
    examples = [shown[one] for one, _group in found[:EXAMPLES]]
    groups = {group for _one, group in found if group is not None}
    return Muting(len(found), len(scanned) > MAX_SCANNED, examples, groups)
