"""Twilio's calls put into effect: receipts that only move forward, answers that act on groups, STOP and START."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import structlog
from django.utils import translation

from alerting.callbacks import once, sms_answers, sms_receipts
from channels import sending
from channels.callbacks import twilio
from channels.callbacks.errors import Refused
from channels.errors import ChannelError
from channels.models import Channel, Delivery
from tenants.context import tenant_context
from tenants.models import Tenant

log = structlog.get_logger(__name__)
PROVIDER: Final = "twilio"


def take_status(slug: str, delivery_id: UUID, url: str, fields: Mapping[str, str], signature: str) -> bool:
    """Move the receipt of a delivery forward; return whether it moved. Raises `Refused` or `Malformed`."""
    with tenant_context(_tenant(slug).pk):
        delivery = Delivery._default_manager.select_related("channel").filter(pk=delivery_id).first()
        _verify(delivery.channel if delivery else None, url, fields, signature)
        return sms_receipts.move(delivery_id, twilio.read_receipt(fields))


def take_answer(slug: str, channel_id: UUID | None, url: str, fields: Mapping[str, str], signature: str) -> str:
    """Do what somebody wrote back; return what to answer them, empty for nothing.

    Without a channel it is the one of the account, and of the number that was written to, if several have it.
    """
    tenant = _tenant(slug)
    with tenant_context(tenant.pk):
        channel = _channel(channel_id, fields)
        _verify(channel, url, fields, signature)
        if channel is None:
            raise Refused
        answer = twilio.read_answer(fields)
        if not once.take(PROVIDER, answer.sid):
            return ""
        with translation.override(channel.locale or tenant.locale):
            outcome, words = sms_answers.obey(channel, answer)
        once.note(PROVIDER, answer.sid, outcome)
    log.info("sms_answer", tenant=slug, channel=str(channel.pk), command=str(answer.command), outcome=outcome)
    return words


def _channel(channel_id: UUID | None, fields: Mapping[str, str]) -> Channel | None:
    rows = Channel._default_manager.filter(kind="sms").order_by("-is_active", "created_at")
    if channel_id is not None:
        return rows.filter(pk=channel_id).first()
    found = list(rows.filter(settings__account_sid=fields.get("AccountSid", "")))
    return next((one for one in found if one.settings.get("sender") == fields.get("To")), found[0] if found else None)


def _tenant(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        # The same words as for a wrong signature: nobody learns here which tenants there are.
        raise Refused
    return tenant


def _verify(channel: Channel | None, url: str, fields: Mapping[str, str], signature: str) -> None:
    token = ""
    if channel is not None and channel.kind == "sms":
        try:
            token = sending.connect(channel).credentials.auth_token
        except ChannelError as error:
            raise Refused from error
    if not token:
        raise Refused
    twilio.verify([token], url, fields, signature)
