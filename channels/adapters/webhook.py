"""Signed outgoing webhook, in the form of Standard Webhooks; what it says is native or Alertmanager's."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from typing import Literal

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import egress
from channels.adapters.base import Adapter, AdapterCredentials, AdapterSettings, Outgoing, Receipt
from channels.adapters.webhook_alertmanager import build_alertmanager
from channels.egress.client import TOTAL_SECONDS
from channels.errors import ChannelError, ErrorReason
from channels.message import Message
from channels.retry_after import read_retry_after

EVENT_TYPE = "alert.notification"
#: Of the native form: raised when a field goes or changes its meaning, not when one is added.
SCHEMA_VERSION = 1
PREFIX = "whsec_"
MIN_SECRET, MAX_SECRET = 16, 64
MAX_SECRETS = 4
TRY_AGAIN = {408, 425}
GONE = 410


class WebhookSettings(AdapterSettings, frozen=True, kw_only=True):
    """`url` gets a POST for each message.

    `format` alertmanager sends what Prometheus Alertmanager's webhooks send (version 4), so that receivers
    written for it work; it is signed all the same.
    """

    url: str
    format: Literal["native", "alertmanager"] = "native"

    def problems(self) -> dict[str, str]:
        """Check the address as far as that goes without asking the network."""
        try:
            egress.check_url(self.url)
        except egress.Blocked as error:
            return {"url": error.detail}
        return {}


class WebhookCredentials(AdapterCredentials, frozen=True, kw_only=True):
    """`secrets` sign each request, newest first; two of them let a receiver change over."""

    secrets: list[str]

    def problems(self) -> dict[str, str]:
        """Check that each secret is whsec_ and base64 of 16 to 64 bytes."""
        if not 1 <= len(self.secrets) <= MAX_SECRETS:
            return {"secrets": _("Give one to four secrets.")}
        if all(MIN_SECRET <= len(_key(secret)) <= MAX_SECRET for secret in self.secrets):
            return {}
        return {"secrets": _("A secret is whsec_ followed by 16 to 64 bytes in base64.")}


WebhookOutgoing = Outgoing[WebhookSettings, WebhookCredentials]


class WebhookAdapter(Adapter[WebhookSettings, WebhookCredentials]):
    """The receiver drops repeats by webhook-id, which is the delivery id on every try."""

    kind = "webhook"
    label = gettext_lazy("Webhook")
    Settings = WebhookSettings
    Credentials = WebhookCredentials
    parts = {"summary": "text"}
    idempotent = True
    default_rate_per_minute = 600
    send_timeout = TOTAL_SECONDS

    def recipients(self, settings: WebhookSettings) -> list[str]:
        """Return the one address."""
        return [settings.url]

    def send(self, outgoing: WebhookOutgoing) -> Receipt:
        """Post the signed message; any 2xx is a receipt."""
        body = body_of(outgoing)
        sent_at = str(int(time.time()))
        answer = egress.request(
            "POST",
            outgoing.recipient,
            body=body,
            headers={
                "Content-Type": "application/json",
                "webhook-id": outgoing.delivery_id,
                "webhook-timestamp": sent_at,
                "webhook-signature": sign(outgoing.credentials.secrets, outgoing.delivery_id, sent_at, body),
                "Idempotency-Key": outgoing.idempotency_key or outgoing.delivery_id,
            },
            timeout=self.send_timeout,
        )
        if 200 <= answer.status < 300:
            return Receipt(provider_id=outgoing.delivery_id, detail={"http_status": str(answer.status)})
        raise _classify(answer)


def body_of(outgoing: WebhookOutgoing) -> bytes:
    """Return the JSON in the form that the channel asks for."""
    if outgoing.settings.format == "alertmanager":
        return build_alertmanager(outgoing.message)
    return build_body(outgoing.message, outgoing.part("summary"), outgoing.delivery_id)


def build_body(message: Message, summary: str, delivery_id: str) -> bytes:
    """Return the native JSON: type, version, timestamp and the message as data (docs/webhook-schema)."""
    data = message.for_delivery(delivery_id).to_dict()
    # They are of one reader; a receiver is none.
    for name in ("ack_url", "judge_url", "consent_url", "may_track"):
        data.pop(name, None)
    return msgspec.json.encode(
        {
            "type": EVENT_TYPE,
            "schema_version": SCHEMA_VERSION,
            "timestamp": message.created_at,
            "data": {**data, "summary": summary},
        }
    )


def sign(secrets: list[str], message_id: str, timestamp: str, body: bytes) -> str:
    """Return one v1 signature for each secret, parted by blanks."""
    signed = b".".join([message_id.encode(), timestamp.encode(), body])
    macs = (hmac.new(_key(secret), signed, hashlib.sha256).digest() for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(mac).decode()}" for mac in macs)


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _classify(answer: egress.Answer) -> ChannelError:
    status = answer.status
    detail = f"HTTP {status}"
    if status == 429:
        wait = read_retry_after(answer.headers)
        return ChannelError(ErrorReason.RATE_LIMITED, detail, retry_after=wait, status=status)
    if status >= 500 or status in TRY_AGAIN:
        wait = read_retry_after(answer.headers)
        return ChannelError(ErrorReason.SERVER_ERROR, detail, retry_after=wait, status=status)
    if status == GONE:
        detail = _("The receiver says it is gone and wants no more requests.")
        return ChannelError(ErrorReason.CLIENT_ERROR, detail, permanent=True, status=status, disable=True)
    if 300 <= status < 400:
        detail = _("The receiver redirects; redirects are not followed.")
    reasons = {401: ErrorReason.AUTH, 403: ErrorReason.AUTH, 413: ErrorReason.TOO_LARGE}
    reason = reasons.get(status, ErrorReason.CLIENT_ERROR)
    return ChannelError(reason, detail, permanent=True, status=status)
