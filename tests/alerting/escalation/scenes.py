"""A tenant whose groups escalate: people with contacts, schedules, policies, and time that passes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from alerting.escalation.stepping import step_due
from alerting.models import (
    ContactMethod,
    Escalation,
    EscalationNotice,
    EscalationPolicy,
    NotificationRule,
    OnCallSchedule,
    Route,
    Timer,
)
from channels.models import Channel
from tenants.models import User
from tests.alerting.scenes import Scene
from tests.factories import make_member

LONG_AGO = "2026-01-05T09:00:00"


def member_target(person: User, via: str = "") -> dict[str, str]:
    return {"kind": "member", "id": str(person.pk), "via": via}


def schedule_target(schedule: OnCallSchedule) -> dict[str, str]:
    return {"kind": "schedule", "id": str(schedule.pk)}


def channel_target(channel: Channel) -> dict[str, str]:
    return {"kind": "channel", "id": str(channel.pk)}


def level(minutes: float, *targets: dict[str, str], importance: str = "urgent") -> dict[str, Any]:
    return {"wait": int(minutes * 60), "targets": list(targets), "importance": importance}


@dataclass
class Call(Scene):
    """A scene with a channel `pager` through which people are reached."""

    pager: Channel = field(init=False)

    def __post_init__(self) -> None:
        self.pager = self.channel("pager")

    def person(self, name: str, *, contact: bool = True) -> User:
        """A member; their contact's address is their name, verified."""
        user = make_member(self.tenant, "responder", f"{name}-{self.tenant.slug}")
        User.objects.filter(pk=user.pk).update(first_name=name, last_name="")
        if contact:
            self.contact(user, name)
        return User.objects.get(pk=user.pk)

    def contact(self, person: User, address: str, *, verified: bool = True) -> ContactMethod:
        with self.context():
            made = ContactMethod.objects.create(person=person, channel=self.pager, address=address)
            if verified:
                ContactMethod.objects.filter(pk=made.pk).update(verified_at=Now())
        return made

    def rule(self, person: User, contact: ContactMethod, minutes: float, importance: str = "urgent") -> None:
        with self.context():
            NotificationRule.objects.create(
                person=person, contact=contact, wait=timedelta(minutes=minutes), importance=importance
            )

    def schedule(self, *people: User, name: str = "primary", **layer: Any) -> OnCallSchedule:
        row = {
            "name": "all",
            "people": [str(one.pk) for one in people],
            "unit": "weekly",
            "starts_at": LONG_AGO,
        } | layer
        with self.context():
            return OnCallSchedule.objects.create(name=name, layers=[row] if people else [])

    def policy_of(self, *levels: dict[str, Any], **more: Any) -> EscalationPolicy:
        with self.context():
            return EscalationPolicy.objects.create(**({"name": "ops", "levels": list(levels)} | more))

    def routed(self, *levels: dict[str, Any], **more: Any) -> Route:
        """A root route without channels that starts a policy of these levels."""
        return self.route(policy=self.policy_of(*levels, **more))

    def step(self) -> int:
        total = 0
        while done := step_due(self.id):
            total += done
        return total

    def wait(self, minutes: float) -> None:
        """Let so much time pass, then take the steps that are due."""
        self.age(minutes)
        self.step()

    def age(self, minutes: float) -> None:
        super().age(minutes)
        columns = {"escalation": ("due_at", "started_at"), "escalation_notice": ("due_at",)}
        with self.context(), connection.cursor() as cursor:
            for table, names in columns.items():
                moved = ", ".join(f"{name} = {name} - %(span)s" for name in names)
                cursor.execute(
                    f"UPDATE {table} SET {moved} WHERE tenant_id = %(tenant)s",
                    {"span": timedelta(minutes=minutes), "tenant": self.id},
                )

    def called(self) -> list[str]:
        """To whom messages of escalations went, in order."""
        return [one.recipient for one in self.deliveries() if one.kind == "escalation"]

    def escalation(self) -> Escalation:
        with self.context():
            return Escalation.objects.get()

    def notices(self, **wanted: Any) -> list[EscalationNotice]:
        with self.context():
            return list(EscalationNotice.objects.filter(**wanted).order_by("due_at", "id"))

    def due_in(self) -> float | None:
        """Minutes until the escalation's timer rings."""
        found = Timer.objects.filter(tenant_id=self.id, kind="escalation").values_list("due_at", flat=True).first()
        return None if found is None else round((found - datetime.now(UTC)) / timedelta(minutes=1), 1)
