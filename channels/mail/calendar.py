"""Planned maintenance as a calendar file, so that a reader puts it into theirs with one press."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from channels.languages.voice import Voice
from channels.message import Message
from channels.sanitise import one_line

NAME: Final = "maintenance.ics"
MAX_EVENTS: Final = 20
MAX_NAME: Final = 200


def planned_ics(message: Message, voice: Voice) -> bytes:
    """Return the file; empty when no maintenance is planned.

    An event keeps its UID from mail to mail, so a calendar that has it changes it and does not add another.
    """
    if not message.planned:
        return b""
    # Few mails need it, and every process would load it when it starts.
    from icalendar import Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//alerting//maintenance//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for work in message.planned[:MAX_EVENTS]:
        event = Event()
        starts_at = work.starts_at.astimezone(UTC)
        event.add("uid", f"{one_line(work.id, 64)}-{starts_at:%Y%m%dT%H%M%SZ}@maintenance")
        event.add("dtstamp", message.created_at.astimezone(UTC))
        event.add("dtstart", starts_at)
        event.add("dtend", work.ends_at.astimezone(UTC))
        event.add("summary", voice.t("planned.title", name=one_line(work.name, MAX_NAME)))
        # It takes nobody's time.
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    made: bytes = calendar.to_ical()
    return made
