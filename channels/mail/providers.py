"""Mail through a provider's API by django-anymail, with its errors in the engine's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import requests
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from channels.errors import ChannelError, ErrorReason
from channels.retry_after import read_retry_after
from channels.sanitise import one_line


class Provider(NamedTuple):
    """How one provider is called and how it calls: anymail's names of what it needs.

    `signing` is what its view of news calls the key of signatures; without `must_sign` a password will do.
    `regions` are addresses of its API other than the usual one.
    """

    backend: str
    key: str
    news: str
    signing: str = ""
    must_sign: bool = False
    regions: Mapping[str, str] = {}


#: What anymail calls a mail that a provider has; "unknown" ones have an id all the same.
TAKEN: Final = frozenset({"sent", "queued", "unknown"})
PROVIDERS: Final[dict[str, Provider]] = {
    "postmark": Provider(
        "anymail.backends.postmark.EmailBackend",
        "server_token",
        "anymail.webhooks.postmark.PostmarkTrackingWebhookView",
    ),
    "sendgrid": Provider(
        "anymail.backends.sendgrid.EmailBackend",
        "api_key",
        "anymail.webhooks.sendgrid.SendGridTrackingWebhookView",
        signing="tracking_webhook_verification_key",
        regions={"eu": "https://api.eu.sendgrid.com/v3/"},
    ),
    "brevo": Provider(
        "anymail.backends.brevo.EmailBackend", "api_key", "anymail.webhooks.brevo.BrevoTrackingWebhookView"
    ),
    "mailgun": Provider(
        "anymail.backends.mailgun.EmailBackend",
        "api_key",
        "anymail.webhooks.mailgun.MailgunTrackingWebhookView",
        signing="webhook_signing_key",
        must_sign=True,
        regions={"eu": "https://api.eu.mailgun.net/v3/"},
    ),
    "resend": Provider(
        "anymail.backends.resend.EmailBackend", "api_key", "anymail.webhooks.resend.ResendTrackingWebhookView"
    ),
}


def send(provider: str, key: str, mail: EmailMultiAlternatives, timeout: float, region: str = "") -> str:
    """Hand one mail to the provider; return its id for it. Raises `ChannelError`."""
    chosen = PROVIDERS[provider]
    options: dict[str, Any] = {chosen.key: key, "requests_timeout": timeout, "fail_silently": False}
    if region in chosen.regions:
        options["api_url"] = chosen.regions[region]
    backend = import_string(chosen.backend)(**options)
    try:
        backend.open()
        # Neither the proxies and passwords of the process nor redirects, which would carry the key elsewhere.
        backend.session.trust_env = False
        backend.session.max_redirects = 0
        backend.send_messages([mail])
    except (AnymailError, requests.RequestException) as error:
        raise classify(error) from error
    finally:
        backend.close()
    return _taken(getattr(mail, "anymail_status", None))


def _taken(status: Any) -> str:
    """Return the provider's id for the mail; anything but a clear yes is a refusal, or it would be lost in silence."""
    states, key = set(getattr(status, "status", None) or ()), getattr(status, "message_id", None)
    if states <= TAKEN and states and key:
        return one_line(str(key), 120)
    detail = _("The mail provider did not take the mail.")
    raise ChannelError(ErrorReason.CLIENT_ERROR, detail, permanent=True)


def classify(error: Exception) -> ChannelError:
    """Turn what the library raised into what the delivery engine understands."""
    if isinstance(error, AnymailRecipientsRefused):
        detail = _("The mail provider refuses this address.")
        return ChannelError(ErrorReason.INVALID_RECIPIENT, detail, permanent=True)
    status = getattr(error, "status_code", None)
    if isinstance(error, AnymailAPIError) and status is None:
        cause = error.__cause__ or error.__context__
        if isinstance(cause, requests.Timeout):
            detail = _("The mail provider did not answer in time.")
            return ChannelError(ErrorReason.TIMEOUT, detail, ambiguous=not isinstance(cause, requests.ConnectTimeout))
        return ChannelError(ErrorReason.NETWORK, _("The connection to the mail provider failed."), ambiguous=True)
    if status == 429:
        response = getattr(error, "response", None)
        wait = read_retry_after(response.headers) if response is not None else None
        detail = _("The mail provider asks to slow down.")
        return ChannelError(ErrorReason.RATE_LIMITED, detail, retry_after=wait, status=status, is_shared=True)
    if status is not None and (status >= 500 or 200 <= status < 300):
        # Taken, or perhaps taken: also an answer of 200 that cannot be read.
        return ChannelError(ErrorReason.SERVER_ERROR, f"HTTP {status}", ambiguous=True, status=status)
    reason = ErrorReason.AUTH if status in {401, 403} else ErrorReason.CLIENT_ERROR
    if status == 413:
        reason = ErrorReason.TOO_LARGE
    detail = f"HTTP {status}" if status else type(error).__name__
    return ChannelError(reason, detail, permanent=True, status=status)
