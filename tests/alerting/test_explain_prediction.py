"""The proof of explain: what it foretells is what the pipeline then does, and it writes nothing."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from alerting import configuration, intake, wakeup
from alerting.decoding import decode_native
from alerting.explain import Explanation, explain
from alerting.models import (
    Alert,
    AlertGroup,
    AlertingPolicy,
    EnrichmentStep,
    GroupingRule,
    InhibitionRule,
    MaintenanceWindow,
    NotificationLog,
    Route,
    RouteChannel,
    Silence,
    Timer,
)
from alerting.notifying import flush_due
from alerting.pipeline.drain import drain
from channels.models import Channel, Delivery
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.principal import system
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db

DISK = {"alertname": "DiskFull", "service": "db", "region": "eu-west-2"}


@dataclass
class World:
    """A tenant with a route to a Slack channel, and below it one for what is critical, to e-mail."""

    tenant: Tenant
    channels: dict[str, Channel] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)

    def alert(self, labels: dict[str, str] = DISK, **fields: Any) -> dict[str, Any]:
        return {"labels": labels, **fields}

    def send(self, alert: dict[str, Any]) -> None:
        """Send an alert and let the drain work on it."""
        decoded = decode_native(json.dumps(alert).encode(), timezone.now())
        assert decoded.alerts, decoded.rejected
        intake.accept(system(self.tenant.pk), "native", decoded)
        assert drain(self.tenant.pk).alerts == 1

    def flush(self) -> None:
        while flush_due(self.tenant.pk):
            pass

    def told(self, alert: dict[str, Any]) -> None:
        """Send an alert and look at its group at once, whatever the timers say."""
        self.send(alert)
        self.age(timedelta(0), hurry=True)
        self.flush()

    def age(self, by: timedelta, *, hurry: bool = False) -> None:
        """Let time pass: what is stored moves back, since the clock is the database's."""
        with tenant_context(self.tenant.pk), connection.cursor() as cursor:
            for table, columns in AGEING.items():
                changes = ", ".join(f"{column} = {column} - %s" for column in columns)
                cursor.execute(
                    f"UPDATE {table} SET {changes} WHERE tenant_id = %s", [*[by] * len(columns), self.tenant.pk]
                )
            if hurry:
                cursor.execute("UPDATE timer SET due_at = statement_timestamp() WHERE tenant_id = %s", [self.tenant.pk])

    def deliveries(self) -> dict[Any, tuple[str, str, str]]:
        with tenant_context(self.tenant.pk):
            rows = Delivery.objects.values_list("id", "channel__name", "recipient", "reason")
            return {key: (name, recipient, reason) for key, name, recipient, reason in rows}

    def channel(self, name: str) -> Channel:
        return self.channels[name]


AGEING = {
    "timer": ["due_at"],
    "notification_log": ["told_at"],
    "alert_group": ["flushed_at", "opened_at"],
    "alert": ["starts_at", "changed_at", "last_seen_at"],
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(wakeup, "ring", lambda *_: None)
    configuration.forget()
    made = World(make_tenant())
    with tenant_context(made.tenant.pk):
        for name, to in (("Chat", "#alerts"), ("Pager", "#pager")):
            made.channels[name] = Channel.objects.create(
                name=name, kind="slack", settings={"channel": to}, credentials=json.dumps({"token": "xoxb-1"})
            )
        zero = timedelta(0)
        root = Route.objects.create(
            name="All", group_wait=zero, group_interval=timedelta(minutes=5), repeat_interval=timedelta(hours=4)
        )
        critical = Route.objects.create(
            name="Critical", parent=root, matchers=matchers(severity="critical"), repeat_interval=timedelta(hours=1)
        )
        made.routes = {"All": root, "Critical": critical}
        RouteChannel.objects.create(route=root, channel=made.channels["Chat"])
        for channel in made.channels.values():
            RouteChannel.objects.create(route=critical, channel=channel)
    yield made
    configuration.forget()


def matchers(**wanted: str) -> list[dict[str, str]]:
    return [{"name": name, "op": "=", "value": value} for name, value in wanted.items()]


def silence(begins: int = -60, ends: int = 60, **wanted: str) -> None:
    now = timezone.now()
    Silence.objects.create(
        matchers=matchers(**wanted),
        starts_at=now + timedelta(minutes=begins),
        ends_at=now + timedelta(minutes=ends),
        author="Ann",
        comment="db upgrade",
    )


def window(hours_ahead: float, **wanted: str) -> None:
    begins = timezone.now() + timedelta(hours=hours_ahead)
    MaintenanceWindow.objects.create(
        name="Import",
        matchers=matchers(**wanted),
        start_date=begins.date(),
        start_time=begins.time().replace(microsecond=0),
        duration=timedelta(hours=2),
        time_zone="UTC",
    )


def inhibition() -> None:
    InhibitionRule.objects.create(
        name="Region down",
        source_matchers=matchers(alertname="RegionDown"),
        target_matchers=matchers(service="db"),
        equal=["region"],
    )


# Each situation prepares the world and returns the alert that is then explained and sent.
def new(world: World) -> dict[str, Any]:
    return world.alert()


def new_and_critical(world: World) -> dict[str, Any]:
    return world.alert({**DISK, "severity": "critical"})


def waits_for_companions(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        Route.objects.filter(name="All").update(group_wait=timedelta(seconds=30))
    return world.alert()


def repeated(world: World) -> dict[str, Any]:
    world.told(world.alert())
    return world.alert()


def repeated_when_due_again(world: World) -> dict[str, Any]:
    world.told(world.alert())
    world.age(timedelta(hours=4, minutes=1))
    return world.alert()


def more_severe(world: World) -> dict[str, Any]:
    world.told(world.alert(severity="warning"))
    world.age(timedelta(minutes=6))
    return world.alert(severity="error")


def companion(world: World) -> dict[str, Any]:
    world.told(world.alert())
    world.age(timedelta(minutes=6))
    return world.alert({**DISK, "host": "db-2"})


def companion_within_interval(world: World) -> dict[str, Any]:
    world.told(world.alert())
    return world.alert({**DISK, "host": "db-2"})


def silenced(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        silence(service="db")
    return world.alert()


def silenced_nearly(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        silence(service="db", region="eu-west-1")
    return world.alert()


def silenced_until_a_while_ago(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        silence(begins=-120, ends=-5, service="db")
    return world.alert()


def inhibited(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        inhibition()
    world.told(world.alert({"alertname": "RegionDown", "region": "eu-west-2"}))
    return world.alert()


def inhibited_elsewhere(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        inhibition()
    world.told(world.alert({"alertname": "RegionDown", "region": "us-east-1"}))
    return world.alert()


def inhibited_by_a_rule_made_since(world: World) -> dict[str, Any]:
    world.told(world.alert({"alertname": "RegionDown", "region": "eu-west-2"}))
    with tenant_context(world.tenant.pk):
        inhibition()
    return world.alert()


def in_maintenance(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        window(-1, service="db")
    return world.alert()


def before_maintenance(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        window(5, service="db")
    return world.alert()


def acknowledged(world: World) -> dict[str, Any]:
    world.told(world.alert())
    with tenant_context(world.tenant.pk):
        AlertGroup.objects.update(status="acknowledged", acknowledged_by="Ann", acknowledged_at=timezone.now())
    world.age(timedelta(hours=5))
    return world.alert()


def companion_of_an_acknowledged_one(world: World) -> dict[str, Any]:
    acknowledged(world)
    return world.alert({**DISK, "host": "db-2"})


def flapping(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        AlertingPolicy.objects.create(flap_enter=3, flap_leave=1)
    world.told(world.alert())
    world.send(world.alert(status="resolved"))
    world.send(world.alert(starts_at=timezone.now().isoformat()))
    world.age(timedelta(minutes=6))
    return world.alert(status="resolved")


def known_to_flap(world: World) -> dict[str, Any]:
    world.told(flapping(world))
    world.age(timedelta(minutes=6))
    return world.alert(starts_at=timezone.now().isoformat())


def no_channel(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        RouteChannel.objects.all().delete()
    return world.alert()


def channel_switched_off(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        Channel.objects.filter(name="Chat").update(is_active=False)
    return world.alert({**DISK, "severity": "critical"})


def resolved(world: World) -> dict[str, Any]:
    world.told(world.alert())
    world.age(timedelta(minutes=6))
    return world.alert(status="resolved")


def resolved_not_wanted(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        Channel.objects.update(send_resolved=False)
    return resolved(world)


def resolved_unknown(world: World) -> dict[str, Any]:
    return world.alert(status="resolved")


def fires_again(world: World) -> dict[str, Any]:
    world.told(world.alert(starts_at=(timezone.now() - timedelta(hours=1)).isoformat()))
    world.age(timedelta(minutes=6))
    world.told(world.alert(status="resolved"))
    return world.alert(starts_at=timezone.now().isoformat())


def old_news(world: World) -> dict[str, Any]:
    world.told(world.alert(starts_at=(timezone.now() - timedelta(hours=1)).isoformat()))
    return world.alert(starts_at=(timezone.now() - timedelta(hours=3)).isoformat())


def rerouted_by_enrichment(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        EnrichmentStep.objects.create(
            name="Databases matter", kind="static", matchers=matchers(service="db"),
            settings={"labels": {"severity": "critical"}, "overwrite": True},
        )  # fmt: skip
    return world.alert()


def grouped_with_others(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        GroupingRule.objects.create(name="By region", group_by=["region"])
    world.told(world.alert())
    world.age(timedelta(minutes=6))
    return world.alert({"alertname": "HighLoad", "region": "eu-west-2"})


def ignored_label_differs(world: World) -> dict[str, Any]:
    with tenant_context(world.tenant.pk):
        AlertingPolicy.objects.create(ignored_labels=["pod"])
    world.told(world.alert({**DISK, "pod": "a"}))
    return world.alert({**DISK, "pod": "b"})


Situation = Callable[[World], dict[str, Any]]
#: Each with how many are told at once; None: the timers decide, and the test follows explain.
SITUATIONS: dict[Situation, int] = {
    new: 1,
    new_and_critical: 2,
    waits_for_companions: 1,
    repeated: 1,
    repeated_when_due_again: 1,
    more_severe: 1,
    companion: 1,
    companion_within_interval: 1,
    silenced: 0,
    silenced_nearly: 1,
    silenced_until_a_while_ago: 1,
    inhibited: 0,
    inhibited_elsewhere: 1,
    inhibited_by_a_rule_made_since: 0,
    in_maintenance: 0,
    before_maintenance: 1,
    acknowledged: 0,
    companion_of_an_acknowledged_one: 1,
    flapping: 1,
    known_to_flap: 0,
    no_channel: 0,
    channel_switched_off: 1,
    resolved: 1,
    resolved_not_wanted: 0,
    resolved_unknown: 0,
    fires_again: 1,
    old_news: 1,
    rerouted_by_enrichment: 2,
    grouped_with_others: 1,
    ignored_label_differs: 1,
}


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.__name__)
def test_what_is_foretold_happens(world: World, situation: Situation) -> None:
    alert = situation(world)
    before = world.deliveries()
    rows = row_counts(world)
    foretold = explain(world.tenant.pk, alert)
    assert row_counts(world) == rows
    told = [one for one in foretold.destinations if one.is_told]
    assert len(told) == SITUATIONS[situation], foretold.summary

    world.send(alert)
    later = max((one.at for one in told if one.at), default=foretold.at) - foretold.at
    if later > timedelta(0):
        world.flush()
        assert world.deliveries() == before, "nothing goes out before the time explain gave"
        world.age(later)
    world.flush()
    made = sorted(value for key, value in world.deliveries().items() if key not in before)
    assert made == sorted((one.channel, one.recipient, one.reason) for one in told)
    assert_same_messages(world, foretold, set(before))


def assert_same_messages(world: World, foretold: Explanation, before: set[Any]) -> None:
    """What explain shows of a message is what the snapshot that goes out renders to, but for names of what is new."""
    with tenant_context(world.tenant.pk):
        made = {row.channel.name: row for row in Delivery.objects.exclude(pk__in=before).select_related("channel")}
    assert set(made) == {one.channel for one in foretold.messages}
    for one in foretold.messages:
        message = json.loads(bytes(made[one.channel].message))
        assert message["title"] in one.parts["title"] or message["title"] in one.parts["text"]


def row_counts(world: World) -> dict[str, int]:
    """How many rows every table holds, of all tenants where it is no tenant's."""
    with tenant_context(world.tenant.pk):
        return {model._meta.db_table: model._base_manager.count() for model in apps.get_models() if model._meta.managed}


def test_the_database_itself_refuses_writes_inside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from alerting import explain as package

    def meddle(*_: Any) -> Any:
        Silence.objects.create(matchers=[], ends_at=timezone.now(), author="x", comment="x")

    monkeypatch.setattr(package, "foretell", meddle)
    with pytest.raises(Exception, match="read-only transaction"):
        explain(world.tenant.pk, world.alert())


def test_after_it_the_transaction_may_write_again(world: World) -> None:
    with tenant_context(world.tenant.pk):
        explain(world.tenant.pk, world.alert())
        silence(service="db")
        assert Silence.objects.count() == 1


def test_nothing_of_the_alert_is_left_behind(world: World) -> None:
    explain(world.tenant.pk, world.alert())
    with tenant_context(world.tenant.pk):
        assert not Alert.objects.exists()
        assert not AlertGroup.objects.exists()
        assert not NotificationLog.objects.exists()
        assert not Timer.objects.filter(kind="group").exists()
