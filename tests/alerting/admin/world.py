"""A tenant with one row of everything the admin shows, each carrying the tenant's marker."""

import os
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerting.models import (
    Alert,
    AlertGroup,
    AlertingPolicy,
    AuditFinding,
    ContactMethod,
    EnrichmentStep,
    EscalationPolicy,
    GroupingRule,
    InhibitionRule,
    LanguageModel,
    MaintenanceWindow,
    NotificationRule,
    OnCallSchedule,
    QuarantinedAlert,
    Route,
    RouteChannel,
    ScheduleOverride,
    Silence,
    TimelineEvent,
)
from channels.message import Message
from channels.models import (
    Channel,
    ChannelIdentity,
    Delivery,
    DeliveryAttempt,
    MailConsent,
    MessageTemplate,
    PausedAddress,
    PhraseOverride,
    SharedLimit,
    SmsOptOut,
    SmsPlan,
)
from metrics.models import Finding, MetricChoice, MetricsPolicy, SamplesAside, Series, Source, Threshold
from tenants import keys
from tenants.context import tenant_context
from tenants.models import AuditEntry, Membership, Role, Tenant, User
from tenants.principal import system
from tests.factories import make_member, make_tenant


@dataclass
class World:
    """A tenant, its people and its rows by model."""

    tenant: Tenant
    marker: str
    owner: User
    viewer: User
    responder: User
    rows: dict[type[models.Model], Any] = field(default_factory=dict)

    def client(self, user: User) -> Client:
        """Return a browser in which a person is signed in."""
        client = Client()
        client.force_login(user)
        return client

    def url(self, model: type[models.Model], page: str = "change") -> str:
        """Return the address of a page of this world's row of a model."""
        return admin_url(model, page, self.rows[model].pk)


def admin_url(model: type[models.Model], page: str, pk: object = None) -> str:
    """Return the address of a page of a model."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=[pk] if pk is not None else [])


def make_world(marker: str) -> World:
    """Make a tenant with one row of everything; `marker` is in every name and label."""
    tenant = make_tenant(marker.lower())
    people = {role: make_member(tenant, role, f"{role}-{marker}") for role in ("owner", "viewer", "responder")}
    world = World(tenant, marker, **people)
    with tenant_context(tenant.pk):
        _configuration(world)
        _work(world)
        world.rows[Tenant] = tenant
        world.rows[Role] = Role.objects.create(name=f"role {marker}", group=_group(marker))
        world.rows[Membership] = Membership.objects.get(user=world.viewer)
        world.rows[keys.ApiKey] = keys.issue(system(tenant.pk), f"key {marker}", ["alerts:write"]).key
        world.rows[AuditEntry] = AuditEntry.objects.first()
    return world


def _group(marker: str) -> Any:
    from django.contrib.auth.models import Group

    return Group.objects.create(name=f"group {marker}")


def matchers(marker: str) -> list[dict[str, str]]:
    """Return one matcher that carries the marker."""
    return [{"name": "team", "op": "=", "value": marker}]


def _configuration(world: World) -> None:
    marker, rows = world.marker, world.rows
    rows[MessageTemplate] = MessageTemplate.objects.create(
        name=f"template {marker}", kind="webhook", parts={"summary": f"{marker} {{{{ title }}}}"}
    )
    rows[Channel] = Channel.objects.create(
        name=f"channel {marker}",
        kind="webhook",
        settings={"url": f"https://example.org/{marker}"},
        credentials=f'{{"secrets": ["whsec_{marker}"]}}',
        template=rows[MessageTemplate],
    )
    rows[SmsPlan] = SmsPlan.objects.create(prices={"AT": "0.07"})
    rows[SmsOptOut] = SmsOptOut.objects.create(channel=rows[Channel], number="+436641234567", source=f"STOP {marker}")
    rows[SharedLimit] = SharedLimit.objects.create(key=f"slack:{marker}", kind="slack", detail=f"workspace {marker}")
    rows[ChannelIdentity] = ChannelIdentity.objects.create(
        channel=rows[Channel], external_id="U1", external_name=f"slack {marker}", user=world.owner
    )
    rows[PausedAddress] = PausedAddress.objects.create(address=f"{marker}@example.com", why="bounced")
    rows[Series] = Series.objects.create(metric=marker, labels={"team": marker}, label_hash=os.urandom(16))
    rows[Source] = Source.objects.create(
        name=f"source {marker}",
        kind="json",
        settings={"url": f"http://127.0.0.1:9/{marker}", "values": {"n": "n"}},
        credentials=f'{{"token": "secret-{marker}"}}',
        labels={"team": marker},
    )
    rows[Threshold] = Threshold.objects.create(
        name=f"threshold {marker}", metric=marker, settings={"above": 10}, labels={"team": marker}
    )
    rows[Finding] = Finding.objects.create(
        threshold=rows[Threshold],
        series=rows[Series],
        subject=bytes(rows[Series].label_hash),
        kind="static",
        metric=marker,
        labels={"team": marker},
        severity=40,
        began_at=timezone.now(),
        raised_at=timezone.now(),
        value=12.0,
        limit=10.0,
    )
    rows[MetricsPolicy] = MetricsPolicy.objects.create(holidays="AT")
    rows[MetricChoice] = MetricChoice.objects.create(key="technical.latency", metric=f"latency_{marker}")
    rows[MailConsent] = MailConsent.objects.create(address=f"{marker}@example.com", wording=f"yes {marker}")
    rows[PhraseOverride] = PhraseOverride.objects.create(locale="en", key="status.silenced", text=f"hushed {marker}")
    rows[Route] = Route.objects.create(name=f"route {marker}")
    RouteChannel.objects.create(route=rows[Route], channel=rows[Channel])
    _on_call(world)
    rows[GroupingRule] = GroupingRule.objects.create(name=f"grouping {marker}", matchers=matchers(marker))
    rows[InhibitionRule] = InhibitionRule.objects.create(
        name=f"inhibition {marker}", source_matchers=matchers(marker), target_matchers=matchers(marker), equal=["team"]
    )
    rows[EnrichmentStep] = EnrichmentStep.objects.create(
        name=f"step {marker}", kind="static", settings={"labels": {"owner": marker}}
    )
    rows[LanguageModel] = LanguageModel.objects.create(url="http://127.0.0.1:9/v1", model=marker)
    rows[AlertingPolicy] = AlertingPolicy.objects.create(ignored_labels=[marker])
    now = timezone.now()
    rows[Silence] = Silence.objects.create(
        matchers=matchers(marker), starts_at=now, ends_at=now + timedelta(hours=1), comment=f"silence {marker}"
    )
    rows[MaintenanceWindow] = MaintenanceWindow.objects.create(
        name=f"window {marker}",
        matchers=matchers(marker),
        start_date=date(2026, 1, 4),
        start_time=time(3),
        duration=timedelta(hours=1),
        rrule="FREQ=WEEKLY;BYDAY=SU",
    )


def _on_call(world: World) -> None:
    marker, rows, now = world.marker, world.rows, timezone.now()
    people = [str(world.owner.pk)]
    layer = {"name": f"layer {marker}", "people": people, "unit": "weekly", "starts_at": "2026-01-05T09:00:00"}
    rows[OnCallSchedule] = OnCallSchedule.objects.create(name=f"schedule {marker}", layers=[layer])
    rows[ScheduleOverride] = ScheduleOverride.objects.create(
        schedule=rows[OnCallSchedule],
        person=world.responder,
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        comment=f"override {marker}",
    )
    rows[ContactMethod] = ContactMethod.objects.create(
        person=world.owner, channel=rows[Channel], address=f"{marker}@example.org"
    )
    rows[NotificationRule] = NotificationRule.objects.create(
        person=world.owner, contact=rows[ContactMethod], wait=timedelta(minutes=5)
    )
    target = {"kind": "schedule", "id": str(rows[OnCallSchedule].pk), "via": ""}
    rows[EscalationPolicy] = EscalationPolicy.objects.create(
        name=f"policy {marker}", levels=[{"wait": 0, "targets": [target], "importance": "urgent"}]
    )


def _work(world: World) -> None:
    marker, rows = world.marker, world.rows
    rows[AlertGroup] = make_group(marker)
    rows[Alert] = make_alert(rows[AlertGroup], marker)
    TimelineEvent.objects.create(
        group_id=rows[AlertGroup].pk, alert_id=rows[Alert].pk, kind="comment", actor=marker, data={"text": marker}
    )
    rows[Delivery] = make_delivery(rows[Channel], rows[AlertGroup], marker)
    rows[QuarantinedAlert] = QuarantinedAlert.objects.create(
        source="native",
        item_index=0,
        raw=f'{{"labels": {{"team": "{marker}"}}, "severity": "hot"}}'.encode(),
        errors=[{"pointer": "/severity", "code": "severity", "message": f"no severity {marker}"}],
    )
    AuditFinding.objects.create(check_name=f"check_{marker}", count=1)
    rows[SamplesAside] = SamplesAside.objects.create(
        body=marker.encode(), samples=1, error=f"DecodeError: {marker}", received_at=timezone.now()
    )


def make_group(marker: str, **values: Any) -> AlertGroup:
    """Make a firing group in the running context."""
    values = {"title": f"group {marker}", "severity": 40, "firing_count": 1, "alert_count": 1, **values}
    return AlertGroup.objects.create(key=os.urandom(16), labels={"team": marker}, **values)


def make_alert(group: AlertGroup, marker: str, **values: Any) -> Alert:
    """Make a firing alert of a group in the running context."""
    values = {"labels": {"alertname": f"alert {marker}", "team": marker}, "severity": 40, **values}
    return Alert.objects.create(
        fingerprint=os.urandom(16),
        status="firing",
        annotations={"summary": f"summary {marker}"},
        starts_at=timezone.now(),
        group=group,
        **values,
    )


def make_delivery(channel: Channel, group: AlertGroup, marker: str) -> Delivery:
    """Make a dead delivery with one attempt in the running context."""
    now = timezone.now()
    message = Message(title=f"message {marker}", created_at=now)
    delivery = Delivery.objects.create(
        channel=channel,
        recipient=f"recipient-{marker}",
        source_id=group.pk,
        kind="notification",
        reason="first",
        dedup_key=os.urandom(32),
        message=message.to_json(),
        expires_at=now + timedelta(hours=1),
    )
    # The table of states is guarded by a trigger: a delivery dies by way of being sent.
    for state in ("leased", "dead"):
        Delivery.objects.filter(pk=delivery.pk).update(state=state, state_reason=f"dead {marker}")
    DeliveryAttempt.objects.create(
        delivery=delivery, lease_token=1, outcome="permanent", ended_at=now, error_excerpt=f"answer {marker}"
    )
    delivery.refresh_from_db()
    return delivery
