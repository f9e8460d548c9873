"""Twilio: sends and looks up through its own library over this service's guarded way out."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _
from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.response import Response

from channels.adapters.base import Outgoing
from channels.egress.operator import request_operator
from channels.errors import ChannelError, ErrorReason
from channels.retry_after import read_retry_after
from channels.sms import twilio_errors
from channels.sms.composing import code_of

if TYPE_CHECKING:
    from twilio.rest import Client

OWN_BASE_URL: Final = "https://api.twilio.com"
CLOCK_SKEW = timedelta(minutes=2)
#: A page of messages stays below what an answer may weigh here.
PAGE_SIZE, MAX_PAGES = 20, 5
# The library writes each request with its body to its log.
_quiet = logging.getLogger("channels.twilio_sdk")
_quiet.setLevel(logging.CRITICAL)


class GuardedClient(HttpClient):
    """What the library talks through: the operator's address only, one try, a bounded answer, no redirects."""

    def __init__(self, timeout: float) -> None:
        super().__init__(_quiet, False, timeout)
        self.seconds = timeout
        self.base_url = (getattr(settings, "TWILIO_API_BASE_URL", "") or OWN_BASE_URL).rstrip("/")

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Make the call; whatever is no success is raised as a `ChannelError` or left to the library's own."""
        query = f"?{urlencode(params, doseq=True)}" if params else ""
        sent = dict(headers or {})
        if auth is not None:
            sent["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
        sent.pop("Accept-Encoding", None)
        answer = request_operator(
            method,
            url.replace(OWN_BASE_URL, self.base_url, 1) + query,
            base_url=self.base_url,
            body=urlencode(data, doseq=True).encode() if data else b"",
            headers=sent,
            timeout=self.seconds,
        )
        if answer.truncated:
            raise ChannelError(ErrorReason.SERVER_ERROR, _("Twilio's answer is too long."), ambiguous=method == "POST")
        text = answer.body.decode("utf-8", "replace")
        if not 200 <= answer.status < 300:
            raise twilio_errors.by_answer(
                answer.status, text, wait=read_retry_after(answer.headers), is_send=method == "POST"
            )
        return Response(answer.status, text, answer.headers)


def send(outgoing: Outgoing[Any, Any], text: str, timeout: float) -> str:
    """Create the message and return its SID."""
    sender = outgoing.settings.sender
    origin = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
    callback = status_callback(outgoing.message.tenant_slug, outgoing.delivery_id)
    client = _client(outgoing.settings.account_sid, outgoing.credentials, timeout)
    try:
        created = client.messages.create(
            to=outgoing.recipient, body=text, **origin, **({"status_callback": callback} if callback else {})
        )
        sid = str(created.sid or "")
    except (TwilioException, ValueError, TypeError, AttributeError) as error:
        raise _unreadable(ambiguous=True) from error
    if not sid:
        raise _unreadable(ambiguous=True)
    return sid


def find(outgoing: Outgoing[Any, Any], text: str, since: datetime, timeout: float) -> str:
    """Return the SID of the message to that number that bears this delivery's code, empty when there is none."""
    client = _client(outgoing.settings.account_sid, outgoing.credentials, timeout)
    tag = f"[{code_of(outgoing.delivery_id)}]"
    try:
        page = client.messages.page(to=outgoing.recipient, date_sent_after=since - CLOCK_SKEW, page_size=PAGE_SIZE)
        for _number in range(MAX_PAGES):
            for message in page or []:
                body = str(message.body or "")
                if (body == text or body.endswith(tag)) and message.status not in twilio_errors.UNSENT:
                    return str(message.sid)
            page = page.next_page() if page is not None else None
            if page is None:
                return ""
    except (TwilioException, ValueError, TypeError, AttributeError) as error:
        raise _unreadable(ambiguous=False) from error
    raise ChannelError(ErrorReason.UNKNOWN, _("The number got too many messages to search."))


def status_callback(tenant_slug: str, delivery_id: str) -> str:
    """Return where Twilio tells how far a message got; empty where it cannot reach us."""
    base = getattr(settings, "PUBLIC_BASE_URL", "")
    return f"{base}/callbacks/twilio/{tenant_slug}/status/{delivery_id}" if base and tenant_slug else ""


def _client(account_sid: str, credentials: Any, timeout: float) -> Client:
    # Loading the library's client takes half a second, which a process that sends no SMS need not spend.
    from twilio.rest import Client

    user = credentials.api_key or account_sid
    secret = credentials.api_secret or credentials.auth_token
    if not secret:
        raise ChannelError(ErrorReason.AUTH, _("The channel has no auth token."), permanent=True)
    return Client(user, secret, account_sid=account_sid, http_client=GuardedClient(timeout))


def _unreadable(*, ambiguous: bool) -> ChannelError:
    return ChannelError(ErrorReason.SERVER_ERROR, _("Twilio's answer cannot be read."), ambiguous=ambiguous)
