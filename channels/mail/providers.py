"""Mail through a provider's API by django-anymail, with its errors in the engine's words."""

from __future__ import annotations

from typing import Any, Final

import requests
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from channels.errors import ChannelError, ErrorReason
from channels.retry_after import read_retry_after
from channels.sanitise import one_line

#: Backend, the name its key has there, and the view that reads its webhooks.
PROVIDERS: Final[dict[str, tuple[str, str, str]]] = {
    "postmark": (
        "anymail.backends.postmark.EmailBackend",
        "server_token",
        "anymail.webhooks.postmark.PostmarkTrackingWebhookView",
    ),
    "sendgrid": (
        "anymail.backends.sendgrid.EmailBackend",
        "api_key",
        "anymail.webhooks.sendgrid.SendGridTrackingWebhookView",
    ),
    "brevo": ("anymail.backends.brevo.EmailBackend", "api_key", "anymail.webhooks.brevo.BrevoTrackingWebhookView"),
}


def send(provider: str, key: str, mail: EmailMultiAlternatives, timeout: float) -> str:
    """Hand one mail to the provider; return its id for it. Raises `ChannelError`."""
    path, name, _view = PROVIDERS[provider]
    backend = import_string(path)(**{name: key, "requests_timeout": timeout, "fail_silently": False})
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
    status: Any = getattr(mail, "anymail_status", None)
    return one_line(str(getattr(status, "message_id", "") or ""), 120)


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
