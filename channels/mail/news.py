"""Reads what mail providers tell about mails: proven to be theirs, and what it means for an address."""

from __future__ import annotations

from typing import Any, Final

from anymail.exceptions import AnymailError
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.utils.module_loading import import_string

from channels.mail.providers import PROVIDERS
from channels.models import PausedAddress

WHY: Final = {
    "bounced": PausedAddress.Why.BOUNCED,
    "complained": PausedAddress.Why.COMPLAINED,
    "unsubscribed": PausedAddress.Why.UNSUBSCRIBED,
}
MALFORMED: Final = (ValueError, KeyError, TypeError, AttributeError, IndexError)


class NotTheirs(Exception):
    """Nothing proves that the provider sent this."""


class Malformed(Exception):
    """It is theirs, and cannot be read."""


def read_news(request: HttpRequest, provider: str, *, secret: str, signing_key: str) -> list[Any]:
    """Return the events of a provider's call (anymail's), once its password or signature proves it.

    A channel with neither set takes no news: anybody could pause its addresses.
    """
    chosen = PROVIDERS.get(provider)
    signs = chosen is not None and bool(chosen.signing and signing_key)
    if chosen is None or not (secret or signs) or (chosen.must_sign and not signs):
        raise NotTheirs
    options: dict[str, Any] = {"webhook_secret": secret}
    if chosen.signing and signing_key:
        options[chosen.signing] = signing_key
    try:
        view = import_string(chosen.news)(**options)
        view.run_validators(request)
    except (AnymailError, SuspiciousOperation, *MALFORMED) as error:
        # Also a key that cannot be one: then nothing is proven.
        raise NotTheirs from error
    try:
        return list(view.parse_events(request))
    except (AnymailError, *MALFORMED) as error:
        raise Malformed from error


def why_paused(provider: str, event: Any) -> PausedAddress.Why | None:
    """Return why an address gets no more mail, None when it still does."""
    why = WHY.get(event.event_type)
    if why is PausedAddress.Why.BOUNCED and _passes(provider, event.esp_event):
        return None
    return why


def _passes(provider: str, said: Any) -> bool:
    """Say whether a bounce is one that may pass: a full mailbox, a server that blocks the sender for now.

    anymail calls these bounced too, and a person on call must not go silent for a full mailbox.
    """
    if not isinstance(said, dict):
        return False
    match provider:
        case "postmark":
            return said.get("Type") == "SoftBounce"
        case "sendgrid":
            return said.get("type") == "blocked"
        case "brevo":
            return said.get("event") == "soft_bounce"
        case "resend":
            bounce = (said.get("data") or {}).get("bounce") or {}
            return str(bounce.get("type", "Permanent")).lower() != "permanent"
    return False
