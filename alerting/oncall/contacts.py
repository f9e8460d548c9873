"""Proof that an address is the person's own: a code sent there by the delivery engine, given back by them."""

import hashlib
import hmac
import os
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from alerting.models import ContactMethod
from channels.delivery.queue import NewDelivery, enqueue
from channels.languages import Voice
from channels.languages.readers import VERIFICATION
from channels.languages.voice import in_words
from channels.message import Message, Reason, Saying
from channels.selectors import database_now
from tenants import audit
from tenants.models import Tenant
from tenants.principal import Principal

LASTS: Final = timedelta(minutes=15)
#: Another code may be asked for after so long.
PAUSE: Final = timedelta(seconds=30)
MAX_TRIES: Final = 5
PRIORITY: Final = 10


class TooSoon(ValueError):
    """No code is sent now: another one was sent a moment ago."""


def send_code(principal: Principal, contact: ContactMethod) -> None:
    """Send a new code to the address; the one before it is worth nothing any more."""
    now = database_now()
    if contact.code_until is not None and contact.code_until - LASTS + PAUSE > now:
        raise TooSoon(_("A code was sent a moment ago; wait before you ask for another."))
    code = f"{secrets.randbelow(1_000_000):06d}"
    contact.code_digest, contact.code_until, contact.code_tries = _digest(contact, code), now + LASTS, 0
    contact.save(update_fields=["code_digest", "code_until", "code_tries"])
    tenant = Tenant.objects.get(pk=contact.tenant_id)
    message = _message(contact, tenant, code, now)
    enqueue(
        [
            NewDelivery(
                contact.channel_id,
                contact.address,
                os.urandom(16),
                message,
                kind=VERIFICATION,
                reason=Reason.TEST,
                priority=PRIORITY,
                expires_in=LASTS,
            )
        ]
    )
    audit.record(principal, "contactmethod.code_sent", contact)


def _message(contact: ContactMethod, tenant: Tenant, code: str, now: datetime) -> Message:
    """The code in the language of whose address it is to be, whoever asked for it."""
    locale = contact.person.locale or contact.channel.locale or tenant.locale
    zone = contact.person.time_zone or contact.channel.time_zone or tenant.time_zone
    heading, why = Saying(key="verification.title", values={"code": code}), [Saying(key="verification.why")]
    voice = Voice(locale, zone, now)
    return Message(
        title=voice.say(heading),
        heading=heading,
        created_at=now,
        kind=VERIFICATION,
        reason=Reason.TEST,
        sent_reason=in_words(why, voice),
        why=why,
        status="info",
        tenant_slug=tenant.slug,
        tenant_name=tenant.name,
        locale=locale,
        time_zone=zone,
    )


def verify(principal: Principal, contact: ContactMethod, code: str) -> str:
    """Take the code; return why it is refused, empty when it is right.

    It does not raise: the try must be counted, and an error would undo that.
    """
    now = database_now()
    digest = bytes(contact.code_digest) if contact.code_digest is not None else b""
    if not digest or contact.code_until is None or contact.code_until <= now or contact.code_tries >= MAX_TRIES:
        return _("There is no code that holds; ask for a new one.")
    if not hmac.compare_digest(digest, _digest(contact, code.strip())):
        contact.code_tries += 1
        contact.save(update_fields=["code_tries"])
        return _("This is not the code that was sent.")
    contact.verified_at, contact.code_digest, contact.code_until = now, None, None
    contact.save(update_fields=["verified_at", "code_digest", "code_until"])
    audit.record(principal, "contactmethod.verified", contact)
    return ""


def _digest(contact: ContactMethod, code: str) -> bytes:
    said = f"{contact.pk}:{contact.address}:{code}"
    return hmac.digest(settings.API_KEY_PEPPER.encode(), said.encode(), hashlib.sha256)
