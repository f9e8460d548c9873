"""A tenant with one row of every kind, for tests that walk all routes."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from alerting.models import (
    Alert,
    AlertGroup,
    ContactMethod,
    EscalationPolicy,
    IntakeRequest,
    NotificationRule,
    OnCallSchedule,
    QuarantinedAlert,
    ScheduleOverride,
)
from channels.models import Delivery, PausedAddress, SharedLimit, SmsOptOut
from channels.templating.samples import sample_message
from metrics.models import Finding, Series
from tenants.context import tenant_context
from tenants.isolation import new_id
from tenants.models import Tenant
from tests.factories import make_member
from tests.security import corpus

HOOK: dict[str, Any] = {
    "kind": "webhook",
    "settings": {"url": "https://example.org/"},
    "credentials": {"secrets": ["whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVg=="]},
}


class House:
    """A tenant with one row of everything, each carrying its marker, and its owner signed in."""

    def __init__(self, tenant: Tenant, marker: str = "mine") -> None:
        self.tenant, self.marker = tenant, marker
        self.client = Client(raise_request_exception=False)
        self.owner = make_member(tenant, "owner")
        self.client.force_login(self.owner)
        self.ids = {name: self._make(name, body) for name, body in self._bodies()}
        with tenant_context(tenant.pk):
            self.ids |= self._rows()

    def address(self, path: str) -> str:
        """The path with the id of a row of this tenant in it."""
        return path.replace("{id}", str(self.ids.get(path.split("/")[3], "")))

    def _make(self, name: str, body: dict[str, Any]) -> str:
        answer = self.client.post(f"/api/v1/{name}", body, corpus.JSON)
        assert answer.status_code == 201, (name, answer.json())
        return str(answer.json()["id"])

    def _bodies(self) -> Iterator[tuple[str, dict[str, Any]]]:
        name = self.marker
        matchers = [{"name": "team", "op": "=", "value": name}]
        ends_at = (timezone.now() + timedelta(hours=1)).isoformat()
        window = {"start_date": "2026-01-04", "start_time": "02:00", "duration": 3600, "matchers": matchers}
        yield "channels", {"name": name, **HOOK}
        yield "templates", {"name": name, "kind": "email", "parts": {"subject": "x"}}
        yield "routes", {"name": name, "parent": None}
        yield "grouping-rules", {"name": name, "group_by": ["team"]}
        yield "enrichment-steps", {"name": name, "kind": "static", "settings": {"labels": {"site": "eu"}}}
        yield "inhibition-rules", {"name": name, "source_matchers": matchers, "target_matchers": matchers}
        yield "maintenance-windows", {"name": name, **window}
        yield "silences", {"matchers": matchers, "ends_at": ends_at, "comment": name}
        yield "phrases", {"locale": "en", "key": "status.silenced", "text": name}
        yield "thresholds", {"name": name, "metric": name, "settings": {"above": 1}, "labels": {"team": name}}
        yield "api-keys", {"name": name, "scopes": ["alerts:read"]}
        yield "roles", {"name": name, "permissions": []}
        # Nobody listens there: a try of it ends at once.
        settings = {"url": f"http://127.0.0.1:9/{name}", "values": {"n": "n"}}
        yield "metric-sources", {"name": name, "kind": "json", "settings": settings, "credentials": {"token": name}}
        yield "metric-choices", {"key": "technical.latency", "metric": "latency_" + name.replace("-", "_")}

    def _on_call(self) -> dict[str, Any]:
        people = [str(self.owner.pk)]
        layer = {"name": self.marker, "people": people, "unit": "weekly", "starts_at": "2026-01-05T09:00:00"}
        schedule = OnCallSchedule.objects.create(name=self.marker, layers=[layer])
        now = timezone.now()
        override = ScheduleOverride.objects.create(
            schedule=schedule,
            person=self.owner,
            starts_at=now,
            ends_at=now + timedelta(hours=1),
            comment=self.marker,
        )
        contact = ContactMethod.objects.create(
            person=self.owner, channel_id=self.ids["channels"], address=f"{self.marker}@example.org"
        )
        rule = NotificationRule.objects.create(person=self.owner, contact=contact, wait=timedelta(minutes=5))
        target = {"kind": "schedule", "id": str(schedule.pk), "via": ""}
        policy = EscalationPolicy.objects.create(
            name=self.marker, levels=[{"wait": 0, "targets": [target], "importance": "urgent"}]
        )
        return {
            "on-call-schedules": schedule,
            "overrides": override,
            "contacts": contact,
            "notification-rules": rule,
            "escalation-policies": policy,
        }

    def _limits(self) -> dict[str, Any]:
        limit = SharedLimit.objects.create(key=f"slack:{self.marker}", kind="slack", detail=self.marker)
        gone = SmsOptOut.objects.create(channel_id=self.ids["channels"], number="+436641234567", source=self.marker)
        paused = PausedAddress.objects.create(address=f"{self.marker}@example.com", why="bounced")
        series = Series.objects.create(metric=self.marker, labels={"team": self.marker}, label_hash=new_id().bytes)
        finding = Finding.objects.create(
            threshold_id=self.ids["thresholds"],
            series=series,
            subject=bytes(series.label_hash),
            kind="static",
            metric=self.marker,
            labels={"team": self.marker},
            severity=20,
            began_at=timezone.now(),
            raised_at=timezone.now(),
        )
        told = {"shared-limits": limit, "sms-opt-outs": gone, "paused-addresses": paused}
        return {"series": series, "findings": finding, **told}

    def _rows(self) -> dict[str, Any]:
        group = AlertGroup.objects.create(
            key=new_id().bytes, labels={"team": self.marker}, title=self.marker, severity=20
        )
        alert = Alert.objects.create(
            fingerprint=new_id().bytes,
            status="firing",
            severity=20,
            labels={"team": self.marker},
            annotations={},
            starts_at=timezone.now(),
        )
        delivery = Delivery.objects.create(
            channel_id=self.ids["channels"],
            recipient=self.marker,
            kind="notification",
            reason="first",
            dedup_key=b"d",
            message=sample_message().to_json(),
            expires_at=timezone.now(),
        )
        item = QuarantinedAlert.objects.create(
            source="native", item_index=0, raw=json.dumps(self.marker).encode(), errors=[]
        )
        intake = IntakeRequest.objects.create(source="native", body_sha256=b"", accepted=1, trace_id="")
        members = self.client.get("/api/v1/members").json()["results"]
        audit = self.client.get("/api/v1/audit").json()["results"]
        made: dict[str, Any] = self._on_call() | self._limits()
        made |= {"groups": group, "alerts": alert, "deliveries": delivery, "quarantine": item, "intake": intake}
        return {name: row.pk for name, row in made.items()} | {"members": members[0]["id"], "audit": audit[0]["id"]}
