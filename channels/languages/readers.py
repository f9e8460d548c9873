"""Whose language and time zone a message is in: the recipient's, else the channel's, else the tenant's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from channels.languages.book import NOBODYS_WORDS, TenantWords
from channels.languages.overrides import tenant_words
from channels.message import Message
from tenants.context import current_tenant_id

_READERS: Final = """
SELECT a.address, coalesce(p.locale, ''), coalesce(p.time_zone, ''), c.address IS NOT NULL
FROM unnest(%(addresses)s::text[]) AS a (address)
LEFT JOIN (SELECT lower(p.email) AS email, p.locale, p.time_zone
           FROM membership m JOIN person p ON p.id = m.user_id
           WHERE m.tenant_id = %(tenant)s AND p.is_active AND lower(p.email) = ANY(%(addresses)s)) p
       ON p.email = a.address
LEFT JOIN mail_consent c ON c.tenant_id = %(tenant)s AND c.address = a.address
WHERE p.locale <> '' OR p.time_zone <> '' OR c.address IS NOT NULL
"""


# An address that may be a person's own: a mailbox, a telephone number, a member of a Slack workspace.
_PERSONAL: Final = re.compile(r"[^@\s]+@[^@\s]+|\+\d{6,15}|[UW][A-Z0-9]{5,20}")

#: The kind of message that proves an address: the address is nobody's yet, so it comes in its future owner's language.
VERIFICATION: Final = "verification"


class Reader(msgspec.Struct, frozen=True):
    """What a person chose for themselves; empty where they chose nothing.

    `may_track` says that they agreed to be seen opening mails.
    """

    locale: str = ""
    time_zone: str = ""
    may_track: bool = False


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """The words of a tenant, and the members among those who are told."""

    words: TenantWords = NOBODYS_WORDS
    readers: Mapping[str, Reader] = {}

    def address(self, message: Message, recipient: str, locale: str = "", time_zone: str = "") -> Message:
        """Return the message for one recipient of a channel; what nobody chose stays the tenant's."""
        reader = self.readers.get(recipient.lower(), NOBODY)
        if message.kind == VERIFICATION:
            locale, time_zone = message.locale, message.time_zone
        return msgspec.structs.replace(
            message,
            locale=reader.locale or locale or message.locale,
            time_zone=reader.time_zone or time_zone or message.time_zone,
            may_track=reader.may_track,
        )


NOBODY: Final = Reader()
ANYBODY: Final = Audience()


def audience(recipients: Iterable[str]) -> Audience:
    """Return who these recipients of the current tenant are: at most three statements for all of them."""
    addresses = sorted({recipient.lower() for recipient in recipients if _PERSONAL.fullmatch(recipient)})
    readers: dict[str, Reader] = {}
    if mails := [address for address in addresses if "@" in address]:
        with connection.cursor() as cursor:
            cursor.execute(_READERS, {"tenant": current_tenant_id(), "addresses": mails})
            readers = {address: Reader(*chosen) for address, *chosen in cursor.fetchall()}
    unknown = [address for address in addresses if not (reader := readers.get(address)) or not reader.locale]
    for address, (locale, zone) in _owners(unknown).items():
        known = readers.get(address, NOBODY)
        chosen = {"locale": known.locale or locale, "time_zone": known.time_zone or zone}
        readers[address] = msgspec.structs.replace(known, **chosen)
    return Audience(words=tenant_words(), readers=readers)


def _owners(addresses: list[str]) -> Mapping[str, tuple[str, str]]:
    """Ask who knows whose other addresses are: numbers, members of a workspace, a second mailbox."""
    if not addresses or not settings.ADDRESS_OWNERS:
        return {}
    ask: Callable[[list[str]], Mapping[str, tuple[str, str]]] = import_string(settings.ADDRESS_OWNERS)
    return ask(addresses)
