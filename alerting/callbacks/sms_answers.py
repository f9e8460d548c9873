"""What people write back to an SMS put into effect, whichever gateway brought it: acts on groups, STOP and START."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils.translation import gettext as _

from alerting import lifecycle
from alerting.lifecycle import IllegalStep
from alerting.models import AlertGroup
from alerting.oncall.owners import owner_of
from channels.callbacks.twilio import Answer, Command
from channels.message import Message
from channels.models import Channel
from channels.sms import opting_out
from tenants.access import member_principal
from tenants.models import Tenant
from tenants.principal import Principal

ANSWERS_COUNT_FOR: Final = "7 days"

# Only who was written to on that channel can answer, and only about what they were told.
_TOLD: Final = """
SELECT d.message FROM sms_message s JOIN delivery d ON d.tenant_id = s.tenant_id AND d.id = s.delivery_id
WHERE s.tenant_id = %(tenant)s AND d.channel_id = %(channel)s AND s.number = %(number)s
  AND s.admitted_at > statement_timestamp() - %(span)s::interval AND (%(code)s = '' OR s.code = %(code)s)
ORDER BY s.admitted_at DESC, s.id DESC LIMIT 20
"""


def principal_of(tenant: Tenant, number: str) -> Principal:
    """Return who acts by SMS: the member who has proved that the number is theirs, with what their role allows.

    Else whoever holds a number that a tenant's administrator let us write to.
    """
    tenant_id = tenant.pk
    owner = owner_of(number)
    if owner is not None and (principal := member_principal(owner, tenant, None)) is not None:
        return replace(principal, label=f"{principal.label} (SMS)")
    return Principal("system", f"sms:{number}", f"{number} (SMS)", tenant_id, frozenset({"act_on_alerts"}))


def obey(channel: Channel, answer: Answer) -> tuple[str, str]:
    """Do what an answer asks, in the tenant's context; return what became of it and what to say back."""
    if answer.command is Command.STOP:
        opting_out.mark({(channel.pk, answer.number): "STOP"})
        # Twilio answers STOP and START itself, and would refuse ours; others have told their readers, too.
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
