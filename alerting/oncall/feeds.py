"""The calendar of a schedule for other programs: an address that needs no key, and the .ics behind it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from alerting.models import OnCallSchedule
from alerting.oncall.reading import read_schedules
from alerting.oncall.schedule import final
from channels.selectors import database_now
from tenants import audit
from tenants.context import tenant_context
from tenants.models import User
from tenants.principal import Principal

BEFORE, AFTER = timedelta(days=31), timedelta(days=92)
_signer: Final = Signer(salt="on-call-feed", sep=".")
_WIDTH: Final = 74


def address(schedule: OnCallSchedule) -> str:
    """Where the calendar is read; the address itself is the secret."""
    token = _signer.sign(f"{schedule.tenant_id.hex}{schedule.pk.hex}-{schedule.feed_number}")
    return settings.PUBLIC_BASE_URL + reverse("on-call-feed", args=[token])


def renew(principal: Principal, schedule: OnCallSchedule) -> None:
    """Make the address that was given out useless."""
    schedule.feed_number += 1
    audit.save_audited(principal, schedule)


def calendar(token: str) -> str | None:
    """The calendar an address stands for; None when it was forged, renewed or its schedule is gone."""
    try:
        said = _signer.unsign(token)
        tenant_id, schedule_id, number = UUID(said[:32]), UUID(said[32:64]), int(said[65:])
    except (BadSignature, ValueError):
        return None
    with tenant_context(tenant_id):
        row = OnCallSchedule._default_manager.filter(pk=schedule_id, feed_number=number).first()
        if row is None:
            return None
        now = database_now()
        start = now - BEFORE
        schedule = read_schedules([row.pk], start)[row.pk]
        shifts = final(schedule, start, now + AFTER)
        names = User.objects.in_bulk({shift.person for shift in shifts})
        events = [
            [
                "BEGIN:VEVENT",
                f"UID:{row.pk.hex}-{shift.person.hex}-{_stamp(shift.starts_at)}@on-call",
                f"DTSTAMP:{_stamp(now)}",
                f"DTSTART:{_stamp(shift.starts_at)}",
                f"DTEND:{_stamp(shift.ends_at)}",
                f"SUMMARY:{_text(f'{names[shift.person]} ({row.name})')}",
                "END:VEVENT",
            ]
            for shift in shifts
            if shift.person in names
        ]
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//alerting//on-call//EN", f"X-WR-CALNAME:{_text(row.name)}"]
    lines = [*head, *(line for event in events for line in event), "END:VCALENDAR"]
    return "".join(_folded(lines))


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(words: str) -> str:
    """Words as RFC 5545 writes them: commas, semicolons and line ends escaped."""
    plain = words.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return plain.replace("\r", "").replace("\n", "\\n")


def _folded(lines: Iterable[str]) -> Iterable[str]:
    """Lines of at most 75 bytes; what is longer goes on after a blank."""
    for line in lines:
        rest = line.encode()
        while len(rest) > _WIDTH:
            cut = _WIDTH
            while rest[cut] & 0xC0 == 0x80:
                cut -= 1
            yield rest[:cut].decode() + "\r\n "
            rest = rest[cut:]
        yield rest.decode() + "\r\n"
