"""PagerDuty's webhooks put into effect: what people do to an incident there is done to our group, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import connection

from alerting import lifecycle
from alerting.callbacks import once
from alerting.lifecycle import IllegalStep
from alerting.models import AlertGroup
from channels import sending
from channels.callbacks import pagerduty
from channels.callbacks.errors import Refused
from channels.callbacks.pagerduty import Happening
from channels.errors import ChannelError
from channels.models import Channel
from tenants.context import current_tenant_id, tenant_context
from tenants.models import Tenant
from tenants.principal import Principal

log = structlog.get_logger(__name__)
PROVIDER: Final = "pagerduty"
#: So long after we sent an event, PagerDuty's own report of it is taken for its echo.
ECHO_SPAN = timedelta(minutes=10)
_ACTS: Final = {
    "acknowledge": lifecycle.acknowledge,
    "unacknowledge": lifecycle.unacknowledge,
    "resolve": lifecycle.resolve,
}
_STATUS_OF: Final = {"acknowledge": "acknowledged", "resolve": "resolved", "unacknowledge": "firing"}

_SENT_BY_US: Final = """
SELECT EXISTS (SELECT 1 FROM delivery WHERE tenant_id = %(tenant)s AND channel_id = %(channel)s
    AND source_id = %(group)s AND created_at > %(since)s
    AND convert_from(message, 'UTF8')::jsonb->>'status' = %(status)s)
"""
_TOLD: Final = """
UPDATE notification_log SET firing = '{}', resolved = resolved || firing, told_at = statement_timestamp()
WHERE tenant_id = %s AND group_id = %s AND channel_id = %s
"""


def take_event(slug: str, channel_id: UUID | None, body: bytes, signatures: str) -> str:
    """Apply one webhook; return what became of it. Raises `Refused` or `Malformed`.

    Without a channel it is the one whose secret signed the body.
    """
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise Refused
    with tenant_context(tenant.pk):
        channel = _signed_for(channel_id, body, signatures)
        happening = pagerduty.read_happening(body)
        group_id = _group_of(tenant, happening)
        if not once.take(PROVIDER, happening.id, group_id, happening.occurred_at):
            return "repeated"
        outcome = _apply(channel, group_id, happening)
        once.note(PROVIDER, happening.id, outcome)
    log.info("pagerduty_event", tenant=slug, channel=str(channel.pk), act=happening.act, outcome=outcome)
    return outcome


def principal_of(channel: Channel, who: str) -> Principal:
    """Return who acts from PagerDuty; the id names the channel, so that nothing is sent back to it."""
    return Principal(
        "system",
        f"{PROVIDER}:{channel.pk}",
        f"{who} (PagerDuty)",
        channel.tenant_id,
        frozenset({"act_on_alerts"}),
    )


def _apply(channel: Channel, group_id: UUID | None, happening: Happening) -> str:
    if not happening.act or group_id is None:
        return "not_ours"
    if not channel.settings.get("act_on_groups", True):
        return "not_wanted"
    if once.is_late(PROVIDER, happening.id, group_id, happening.occurred_at):
        return "late"
    if not happening.by_person and _is_echo(channel, group_id, happening):
        return "echo"
    if happening.act == "resolve":
        # PagerDuty knows: the group's end is told to everybody else.
        with connection.cursor() as cursor:
            cursor.execute(_TOLD, [current_tenant_id(), group_id, channel.pk])
    try:
        _ACTS[happening.act](principal_of(channel, happening.who), group_id, "PagerDuty")
    except AlertGroup.DoesNotExist:
        return "gone"
    except IllegalStep:
        return "conflict"
    return happening.act


def _is_echo(channel: Channel, group_id: UUID, happening: Happening) -> bool:
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "channel": channel.pk,
        "group": group_id,
        "since": _before(happening.occurred_at),
        "status": _STATUS_OF[happening.act],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SENT_BY_US, values)
        return bool(cursor.fetchone()[0])


def _before(at: datetime) -> datetime:
    return at - ECHO_SPAN


def _group_of(tenant: Tenant, happening: Happening) -> UUID | None:
    owner, _colon, group = happening.dedup_key.partition(":")
    if owner != tenant.slug:
        return None
    try:
        return UUID(group)
    except ValueError:
        return None


def _signed_for(channel_id: UUID | None, body: bytes, signatures: str) -> Channel:
    rows = Channel._default_manager.filter(kind="pagerduty").order_by("-is_active", "created_at")
    for channel in rows if channel_id is None else rows.filter(pk=channel_id):
        try:
            pagerduty.verify(_secrets(channel), body, signatures)
        except Refused:
            continue
        return channel
    pagerduty.verify([], body, signatures)
    raise Refused


def _secrets(channel: Channel) -> list[str]:
    try:
        return list(sending.connect(channel).credentials.webhook_secrets)
    except ChannelError as error:
        raise Refused from error
