"""A tenant with routes and channels, and the way of an alert through the pipeline in one call."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from alerting.decoding import Decoded, NativeAlert
from alerting.intake import accept
from alerting.models import Alert, AlertGroup, AlertingPolicy, GroupingRule, Route, RouteChannel, TimelineEvent, Timer
from alerting.notifying import flush_due
from alerting.pipeline.drain import DrainResult, drain
from channels.message import Message
from channels.models import Channel, Delivery
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.principal import Principal, system
from tests.factories import make_tenant

SEVERITIES = {"info": 10, "warning": 20, "error": 30, "critical": 40}


def at(minutes: float) -> datetime:
    """A time so many minutes from now."""
    return datetime.now(UTC) + timedelta(minutes=minutes)


def alert(name: str = "Down", status: str = "firing", severity: str = "warning", **more: Any) -> NativeAlert:
    """An alert; what is no field of it is a label."""
    fields = {one: more.pop(one) for one in ("starts_at", "ends_at", "metric_value", "annotations") if one in more}
    labels = {"alertname": name, **more}
    annotations = fields.pop("annotations", {"summary": f"{name} is down"})
    return NativeAlert(labels, annotations, SEVERITIES[severity], status, **fields)


@dataclass
class Scene:
    """One tenant as a test sees it."""

    tenant: Tenant = field(default_factory=make_tenant)

    @property
    def principal(self) -> Principal:
        return system(self.tenant.pk, "Alice")

    @property
    def id(self) -> UUID:
        return self.tenant.pk

    def send(self, *alerts: NativeAlert) -> None:
        """One accepted request."""
        accept(self.principal, "native", Decoded(list(alerts), []))

    def drain(self) -> DrainResult:
        return drain(self.id)

    def feed(self, *alerts: NativeAlert) -> DrainResult:
        """Send and drain."""
        self.send(*alerts)
        return self.drain()

    def flush(self) -> int:
        """Look at all groups that are due, as often as it takes."""
        total = 0
        while flushed := flush_due(self.id):
            total += flushed
        return total

    def run(self, *alerts: NativeAlert) -> None:
        """Send, drain and flush whatever has a timer."""
        if alerts:
            self.feed(*alerts)
        self.hurry()
        self.flush()

    def hurry(self) -> None:
        """Make every timer due."""
        Timer.objects.filter(tenant_id=self.id).update(due_at=at(-1))

    def context(self) -> Any:
        return tenant_context(self.id)

    def channel(self, name: str = "ops", **fields: Any) -> Channel:
        with self.context():
            settings = {"url": "http://127.0.0.1:9/hook"}
            return Channel.objects.create(name=name, kind="webhook", settings=settings, **fields)

    def route(self, *channels: Channel, parent: Route | None = None, **fields: Any) -> Route:
        """A route; timers of zero unless given, so that nothing has to be waited for."""
        defaults: dict[str, Any] = {"name": "root"}
        if parent is None:
            defaults |= {
                "group_wait": timedelta(0),
                "group_interval": timedelta(minutes=5),
                "repeat_interval": timedelta(hours=4),
            }
        with self.context():
            made = Route.objects.create(parent=parent, **(defaults | fields))
            for channel in channels:
                RouteChannel.objects.create(route=made, channel=channel)
        return made

    def group_by(self, *labels: str) -> None:
        with self.context():
            GroupingRule.objects.create(name="by " + " ".join(labels), group_by=list(labels))

    def policy(self, **fields: Any) -> None:
        with self.context():
            AlertingPolicy.objects.create(**fields)

    def alerts(self, **wanted: Any) -> list[Alert]:
        with self.context():
            return list(Alert.objects.filter(**wanted).order_by("first_seen_at", "id"))

    def alert(self, **wanted: Any) -> Alert:
        (found,) = self.alerts(**wanted)
        return found

    def groups(self) -> list[AlertGroup]:
        with self.context():
            return list(AlertGroup.objects.order_by("opened_at", "id"))

    def group(self) -> AlertGroup:
        (found,) = self.groups()
        return found

    def kinds(self) -> list[str]:
        """What the timeline says, in order: kind, and reason where there is one."""
        with self.context():
            events = TimelineEvent.objects.order_by("id").values_list("kind", "reason")
            return [f"{kind}:{reason}" if reason else kind for kind, reason in events]

    def deliveries(self) -> list[Delivery]:
        with self.context():
            return list(Delivery.objects.select_related("channel").order_by("id"))

    def told(self) -> list[tuple[str, str]]:
        """The channel and the reason of each delivery, in order."""
        return [(delivery.channel.name, delivery.reason) for delivery in self.deliveries()]

    def messages(self) -> list[Message]:
        return [Message.from_json(bytes(delivery.message)) for delivery in self.deliveries()]

    def timer(self) -> datetime | None:
        """The timer of the only group that has one."""
        return Timer.objects.filter(tenant_id=self.id, kind="group").values_list("due_at", flat=True).first()

    def age(self, minutes: float) -> None:
        """Let time pass: everything of this tenant happened so many minutes earlier."""
        columns = {
            "alert": ("starts_at", "ends_at", "first_seen_at", "changed_at", "last_seen_at", "resolved_at"),
            "alert_group": ("opened_at", "changed_at", "flushed_at"),
            "notification_log": ("told_at",),
            "timer": ("due_at",),
        }
        with self.context(), connection.cursor() as cursor:
            for table, names in columns.items():
                moved = ", ".join(f"{name} = {name} - %(span)s" for name in names)
                if table == "alert":
                    moved += ", changes = array(SELECT c - %(span)s FROM unnest(changes) c)"
                cursor.execute(
                    f"UPDATE {table} SET {moved} WHERE tenant_id = %(tenant)s",
                    {"span": timedelta(minutes=minutes), "tenant": self.id},
                )
