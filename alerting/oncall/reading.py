"""Reads schedules, and how people are reached, for many at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog
from django.db.models import Exists, OuterRef
from django.db.models.functions import Lower

from alerting.models import ContactMethod, NotificationRule, OnCallSchedule, ScheduleOverride
from alerting.oncall.layers import LayerError, read
from alerting.oncall.schedule import Override, Schedule
from channels.models import PausedAddress
from tenants.models import Membership, Tenant

log = structlog.get_logger(__name__)


class Contact(msgspec.Struct, frozen=True):
    """A verified address of a member."""

    id: UUID
    channel_id: UUID
    kind: str
    address: str


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A member and how they want to be told, by importance: (after how long, at which contact)."""

    id: UUID
    name: str
    locale: str = ""
    time_zone: str = ""
    contacts: tuple[Contact, ...] = ()
    rules: dict[str, tuple[tuple[timedelta, Contact], ...]] = {}

    def stages(self, importance: str, via: str = "") -> tuple[tuple[timedelta, Contact], ...]:
        """When and where to tell them: by channels of one kind at once, else as their rules say, else everywhere."""
        at_once = tuple((NOW, one) for one in self.contacts if not via or one.kind == via)
        if via:
            return at_once
        return self.rules.get(importance) or next(iter(self.rules.values()), ()) or at_once


NOW: Final = timedelta(0)


def read_schedules(ids: Collection[UUID] | None, since: datetime) -> dict[UUID, Schedule]:
    """Schedules by id, all of them for None, with the overrides that end after `since`; three statements.

    Layers that cannot be read are left out, so that overrides still hold.
    """
    rows = OnCallSchedule._default_manager.all()
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    found = list(rows)
    if not found:
        return {}
    zone = Tenant.objects.values_list("time_zone", flat=True).get(pk=found[0].tenant_id)
    overrides: dict[UUID, list[Override]] = defaultdict(list)
    wanted = ScheduleOverride._default_manager.filter(schedule__in=[row.pk for row in found], ends_at__gt=since)
    for one in wanted.order_by("created_at", "id"):
        overrides[one.schedule_id].append(
            Override(
                id=one.pk,
                person=one.person_id,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                replaces=one.replaces_id,
            )
        )
    return {row.pk: schedule_of(row, zone, overrides[row.pk]) for row in found}


def schedule_of(row: OnCallSchedule, tenant_zone: str, overrides: Iterable[Override] = ()) -> Schedule:
    """One row made ready for the arithmetic."""
    try:
        layers = read(row.layers, row.pk)
    except LayerError as error:
        log.error("layers left out", schedule_id=str(row.pk), reason=str(error))
        layers = ()
    zone = row.time_zone or tenant_zone
    return Schedule(id=row.pk, name=row.name, time_zone=zone, layers=layers, overrides=tuple(overrides))


def read_people(ids: Collection[UUID]) -> dict[UUID, Person]:
    """The members among these people, with their verified contacts on channels in use; three statements.

    An address that is paused, since mail to it came back, is no contact: somebody else or another way is told at once.
    """
    if not ids:
        return {}
    members = Membership._default_manager.filter(user_id__in=ids, user__is_active=True).select_related("user")
    contacts: dict[UUID, list[Contact]] = defaultdict(list)
    known: dict[UUID, Contact] = {}
    paused = PausedAddress._default_manager.filter(address=Lower(OuterRef("address")))
    verified = ContactMethod._default_manager.filter(
        person_id__in=ids, verified_at__isnull=False, channel__is_active=True
    ).exclude(Exists(paused), channel__kind="email")
    for row in verified.select_related("channel"):
        contact = Contact(row.pk, row.channel_id, row.channel.kind, row.address)
        known[row.pk] = contact
        contacts[row.person_id].append(contact)
    rules: dict[UUID, dict[str, list[tuple[timedelta, Contact]]]] = defaultdict(lambda: defaultdict(list))
    for rule in NotificationRule._default_manager.filter(person_id__in=ids).order_by("wait", "id"):
        if rule.contact_id in known:
            rules[rule.person_id][rule.importance].append((rule.wait, known[rule.contact_id]))
    return {
        one.user_id: Person(
            id=one.user_id,
            name=str(one.user),
            locale=one.user.locale,
            time_zone=one.user.time_zone,
            contacts=tuple(contacts[one.user_id]),
            rules={importance: tuple(steps) for importance, steps in rules[one.user_id].items()},
        )
        for one in members
    }
