"""Twilio's calls put into effect: receipts that only move forward, answers that act on groups, STOP and START."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import structlog
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _

from alerting import lifecycle
from alerting.callbacks import once, sms_receipts
from alerting.lifecycle import IllegalStep
from alerting.models import AlertGroup
from alerting.oncall.owners import owner_of
from channels import sending
from channels.callbacks import twilio
from channels.callbacks.errors import Refused
from channels.callbacks.twilio import Answer, Command
from channels.errors import ChannelError
from channels.message import Message
from channels.models import Channel, Delivery
from channels.sms import opting_out
from tenants.access import member_principal
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.principal import Principal

log = structlog.get_logger(__name__)
PROVIDER: Final = "twilio"
ANSWERS_COUNT_FOR: Final = "7 days"

# Only who was written to on that channel can answer, and only about what they were told.
_TOLD: Final = """
SELECT d.message FROM sms_message s JOIN delivery d ON d.tenant_id = s.tenant_id AND d.id = s.delivery_id
WHERE s.tenant_id = %(tenant)s AND d.channel_id = %(channel)s AND s.number = %(number)s
  AND s.admitted_at > statement_timestamp() - %(span)s::interval AND (%(code)s = '' OR s.code = %(code)s)
ORDER BY s.admitted_at DESC, s.id DESC LIMIT 20
"""


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
            outcome, words = _obey(channel, answer)
        once.note(PROVIDER, answer.sid, outcome)
    log.info("sms_answer", tenant=slug, channel=str(channel.pk), command=str(answer.command), outcome=outcome)
    return words


def principal_of(tenant: Tenant, number: str) -> Principal:
    """Return who acts by SMS: the member who has proved that the number is theirs, with what their role allows.

    Else whoever holds a number that a tenant's administrator let us write to.
    """
    tenant_id = tenant.pk
    owner = owner_of(number)
    if owner is not None and (principal := member_principal(owner, tenant, None)) is not None:
        return replace(principal, label=f"{principal.label} (SMS)")
    return Principal("system", f"sms:{number}", f"{number} (SMS)", tenant_id, frozenset({"act_on_alerts"}))


def _obey(channel: Channel, answer: Answer) -> tuple[str, str]:
    if answer.command is Command.STOP:
        opting_out.mark({(channel.pk, answer.number): "STOP"})
        # Twilio answers STOP and START itself, and would refuse ours.
        return "stopped", ""
    if answer.command is Command.START:
        opting_out.unmark(channel.pk, answer.number)
        return "started", ""
    if not channel.settings.get("replies", True):
        return "not_wanted", ""
    told = _last_told(channel, answer)
    if told is None:
        return "unknown_message", _("There is no message to you that this could mean.")
    if answer.command is Command.UNKNOWN:
        return "unknown_word", _("Answer 1 or ACK to acknowledge, 2 or RES to resolve.")
    return _act(channel, answer, told)


def _act(channel: Channel, answer: Answer, told: Message) -> tuple[str, str]:
    principal = principal_of(Tenant.objects.get(pk=channel.tenant_id), answer.number)
    acts = {
        Command.ACKNOWLEDGE: (lifecycle.acknowledge, _("Acknowledged: %(title)s")),
        Command.UNACKNOWLEDGE: (lifecycle.unacknowledge, _("Acknowledgement taken back: %(title)s")),
        Command.RESOLVE: (lifecycle.resolve, _("Resolved: %(title)s")),
    }
    act, words = acts[answer.command]
    try:
        group = act(principal, UUID(told.group_id), "SMS")
    except AlertGroup.DoesNotExist:
        return "gone", _("This group is gone.")
    except PermissionDenied:
        return "not_allowed", _("Your role does not allow this.")
    except IllegalStep as error:
        return "conflict", f"{error} {told.title}"[:140]
    return str(answer.command), (words % {"title": group.title})[:140]


def _last_told(channel: Channel, answer: Answer) -> Message | None:
    values: dict[str, Any] = {
        "tenant": channel.tenant_id,
        "channel": channel.pk,
        "number": answer.number,
        "code": answer.code,
        "span": ANSWERS_COUNT_FOR,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, values)
        found = [Message.from_json(bytes(row[0])) for row in cursor.fetchall()]
    return next((message for message in found if message.group_id), None)


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
