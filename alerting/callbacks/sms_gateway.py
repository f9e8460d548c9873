"""Receipts and answers of SMS gateways other than Twilio put into effect, proven by the channel's own secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import connection
from django.utils import translation

from alerting.callbacks import once, sms_answers, sms_receipts
from channels import sending
from channels.callbacks import gateway
from channels.callbacks.errors import Refused
from channels.errors import ChannelError
from channels.models import Channel
from tenants.context import current_tenant_id, tenant_context
from tenants.models import Tenant

log = structlog.get_logger(__name__)
PROVIDER: Final = "sms"
#: Gateways give up on a phone after two days; of what is older nobody waits for news.
COUNT_FOR: Final = "3 days"

# By way of what was let out as SMS, which is far less than all deliveries: the provider's id has no index.
_SENT: Final = """
SELECT d.id FROM sms_message s JOIN delivery d ON d.tenant_id = s.tenant_id AND d.id = s.delivery_id
WHERE s.tenant_id = %(tenant)s AND s.admitted_at > statement_timestamp() - %(span)s::interval
  AND d.channel_id = %(channel)s AND (d.id::text = %(id)s OR d.provider_id = %(id)s)
ORDER BY d.id::text = %(id)s DESC, s.admitted_at DESC LIMIT 1
"""


def take_receipt(slug: str, channel_id: UUID, body: bytes, headers: Mapping[str, str]) -> str:
    """Move a receipt forward; return what became of it. Raises `Refused` or `Malformed`."""
    with tenant_context(_tenant(slug).pk):
        _channel, settings = _verified(channel_id, body, headers)
        receipt = gateway.read_receipt(
            body,
            gateway.Fields(
                id=settings.receipt_id,
                status=settings.receipt_status,
                error=settings.receipt_error,
                states=gateway.read_states(settings.receipt_states),
            ),
        )
        outcome = _move(channel_id, receipt) if receipt is not None else "ignored"
    log.info("sms_receipt", tenant=slug, channel=str(channel_id), outcome=outcome)
    return outcome


def take_answer(slug: str, channel_id: UUID, body: bytes, headers: Mapping[str, str]) -> str:
    """Do what somebody wrote back, once; return what to tell them, empty for nothing. Raises as `take_receipt`."""
    tenant = _tenant(slug)
    with tenant_context(tenant.pk):
        channel, settings = _verified(channel_id, body, headers)
        answer = gateway.read_answer(body, settings.answer_id, settings.answer_from, settings.answer_text)
        event = f"{channel_id.hex[:16]}:{answer.sid}"
        if not once.take(PROVIDER, event):
            return ""
        with translation.override(channel.locale or tenant.locale):
            outcome, words = sms_answers.obey(channel, answer)
        once.note(PROVIDER, event, outcome)
    log.info("sms_answer", tenant=slug, channel=str(channel_id), command=str(answer.command), outcome=outcome)
    return words


def _move(channel_id: UUID, receipt: gateway.Receipt) -> str:
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "channel": channel_id,
        "id": receipt.message_id,
        "span": COUNT_FOR,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SENT, values)
        found = cursor.fetchone()
    if found is None:
        return "unknown"
    return "taken" if sms_receipts.move(found[0], receipt) else "known"


def _tenant(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise Refused
    return tenant


def _verified(channel_id: UUID, body: bytes, headers: Mapping[str, str]) -> tuple[Channel, Any]:
    channel = Channel._default_manager.filter(pk=channel_id, kind="sms").first()
    if channel is None:
        raise Refused
    try:
        line = sending.connect(channel)
    except ChannelError as error:
        raise Refused from error
    if line.settings.gateway != "http" or not line.credentials.webhook_secrets:
        raise Refused
    gateway.verify(line.credentials.webhook_secrets, body, headers.get(line.settings.receipt_header) or "")
    return channel, line.settings
