"""On-call of the demo tenant: two people with proven contacts, a schedule they share, and a policy that calls them."""

from datetime import timedelta
from typing import Any, Final, NamedTuple

from django.utils import timezone

from alerting.models import ContactMethod, EscalationPolicy, Importance, NotificationRule, OnCallSchedule
from channels.models import Channel
from channels.selectors import database_now
from tenants import accounts, audit
from tenants.models import Membership, Role, User
from tenants.principal import Principal

SMS_AFTER: Final = timedelta(minutes=5)


class Person(NamedTuple):
    """Somebody of the demo; nobody signs in as them."""

    username: str
    first_name: str
    last_name: str
    number: str


PEOPLE: Final = (
    Person("maya", "Maya", "Lindqvist", "+436641234568"),
    Person("noor", "Noor", "Haddad", "+436641234569"),
)


def make(actor: Principal) -> EscalationPolicy:
    """Make all of it; return the policy for a route to start."""
    channels = {channel.kind: channel for channel in Channel.objects.all()}
    people = [_member(actor, person) for person in PEOPLE]
    for user, person in zip(people, PEOPLE, strict=True):
        _contacts(actor, user, person, channels)
    schedule = OnCallSchedule(name="Streaming on call", layers=_layers(people))
    audit.save_audited(actor, schedule)
    policy = EscalationPolicy(name="Whoever is on call, then both", levels=_levels(schedule, people, channels["slack"]))
    audit.save_audited(actor, policy)
    return policy


def _member(actor: Principal, person: Person) -> User:
    names = {"first_name": person.first_name, "last_name": person.last_name}
    defaults = {"email": f"{person.username}@example.org", "password": "!", **names}
    user, _is_new = User.objects.get_or_create(username=person.username, defaults=defaults)
    if not Membership.objects.filter(user=user).exists():
        accounts.add_member(actor, user, Role.objects.get(name="responder"))
    return user


def _contacts(actor: Principal, user: User, person: Person, channels: dict[str, Channel]) -> None:
    """An e-mail address and a telephone, both proven; e-mail first, and SMS at once when it is urgent."""
    mail = _contact(actor, user, channels["email"], user.email)
    phone = _contact(actor, user, channels["sms"], person.number)
    for importance, wait, contact in (
        (Importance.NORMAL, timedelta(0), mail),
        (Importance.NORMAL, SMS_AFTER, phone),
        (Importance.URGENT, timedelta(0), phone),
        (Importance.URGENT, timedelta(0), mail),
    ):
        audit.save_audited(actor, NotificationRule(person=user, importance=importance, wait=wait, contact=contact))


def _contact(actor: Principal, user: User, channel: Channel, address: str) -> ContactMethod:
    contact = ContactMethod(person=user, channel=channel, address=address, verified_at=database_now())
    audit.save_audited(actor, contact, reason="the demo's own inbox")
    return contact


def _layers(people: list[User]) -> list[dict[str, Any]]:
    """Weeks in turn, and the nights of the week by the other one."""
    today = timezone.localdate()
    # From the week before this one on: today's calendar has no hole before the first hand-over.
    monday = today - timedelta(days=today.weekday() + 7)
    maya, noor = (str(user.pk) for user in people)
    night = {"start": "22:00:00", "end": "06:00:00", "weekdays": []}
    return [
        _layer("Week", [maya, noor], f"{monday}T09:00:00", []),
        _layer("Night", [noor, maya], f"{monday}T22:00:00", [night]),
    ]


def _layer(name: str, people: list[str], starts_at: str, restrictions: list[dict[str, Any]]) -> dict[str, Any]:
    turn = {"unit": "weekly", "every": 1, "starts_at": starts_at, "ends_at": None}
    return {"name": name, "people": people, **turn, "restrictions": restrictions}


def _levels(schedule: OnCallSchedule, people: list[User], room: Channel) -> list[dict[str, Any]]:
    """After a minute whoever is on call, five minutes later both, ten minutes later the room."""
    both = [_target("member", user.pk) for user in people]
    return [
        {"wait": 60, "targets": [_target("schedule", schedule.pk)], "importance": "urgent"},
        {"wait": 300, "targets": both, "importance": "urgent"},
        {"wait": 600, "targets": [_target("channel", room.pk)], "importance": "urgent"},
    ]


def _target(kind: str, target_id: object) -> dict[str, str]:
    return {"kind": kind, "id": str(target_id), "via": ""}
