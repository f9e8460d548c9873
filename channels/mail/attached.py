"""What is attached to a mail: the list of its alerts, planned maintenance, and what other floors add, within caps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from channels.languages.voice import Voice
from channels.mail import attachments, calendar
from channels.message import Message

log = structlog.get_logger(__name__)

#: Mail servers refuse big mails; what is attached is never worth the mail.
MAX_FILE: Final = 300 * 1024
MAX_TOTAL: Final = 1024 * 1024
MAX_FILES: Final = 6


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """One file. A picture is shown in the mail, with `alt` for those who do not see it."""

    name: str
    mime: str
    content: bytes
    alt: str = ""


#: What a dotted path of `settings.MESSAGE_ATTACHMENTS` names; called in a thread of its own, away from the database.
Provider = Callable[[Message], list[Attachment]]


def attached(message: Message, voice: Voice) -> list[Attachment]:
    """Return the files of a mail. One that cannot be made is left out and logged; the mail goes out without it."""
    makers: list[tuple[str, Provider]] = [
        ("csv", _table),
        ("ics", lambda one: _calendar(one, voice)),
        *((path, import_path(path)) for path in settings.MESSAGE_ATTACHMENTS),
    ]
    found: list[Attachment] = []
    room = MAX_TOTAL
    for name, make in makers:
        for one in _made(name, make, message):
            if len(one.content) > min(MAX_FILE, room) or len(found) >= MAX_FILES:
                log.warning("attachment left out", name=one.name, bytes=len(one.content))
                continue
            found.append(one)
            room -= len(one.content)
    return found


def import_path(path: str) -> Provider:
    """Return what a setting names; one that cannot be loaded fails when called, as any provider may."""

    def provide(message: Message) -> list[Attachment]:
        made: list[Attachment] = import_string(path)(message)
        return made

    return provide


def _made(name: str, make: Provider, message: Message) -> list[Attachment]:
    try:
        return make(message)
    except Exception as error:
        # Whatever goes wrong with a file, the words go out.
        log.warning("attachment failed", name=name, group=message.group_id, error_class=type(error).__name__)
        return []


def _table(message: Message) -> list[Attachment]:
    table = attachments.alerts_csv(message)
    return [Attachment(name=attachments.NAME, mime="text/csv", content=table)] if table else []


def _calendar(message: Message, voice: Voice) -> list[Attachment]:
    events = calendar.planned_ics(message, voice)
    return [Attachment(name=calendar.NAME, mime="text/calendar", content=events)] if events else []
