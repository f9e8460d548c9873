"""Sends a test message through a channel, by the same queue and engine as every other."""

import os
from datetime import timedelta
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from channels import registry
from channels.delivery.queue import NewDelivery, enqueue
from channels.message import Reason
from channels.models import Channel
from channels.selectors import database_now
from channels.templating.samples import sample_message
from tenants import audit
from tenants.models import Tenant
from tenants.principal import Principal

PRIORITY = 10
GIVEN_UP_AFTER = timedelta(minutes=10)


def send_test(principal: Principal, channel: Channel) -> list[UUID]:
    """Queue a sample message for each recipient of the channel; return the ids of the deliveries."""
    adapter = registry.adapter(channel.kind)
    tenant = Tenant.objects.get(pk=channel.tenant_id)
    message = msgspec.structs.replace(
        sample_message(),
        title=_("Test message of the channel %(channel)s") % {"channel": channel.name},
        created_at=database_now(),
        kind="test",
        reason=Reason.TEST,
        sent_reason=_("asked for by %(who)s") % {"who": principal.label},
        tenant_slug=tenant.slug,
        tenant_name=tenant.name,
        locale=channel.locale or tenant.locale,
        time_zone=tenant.time_zone,
        group_id="",
        group_url="",
    )
    recipients = adapter.recipients(adapter.settings_from(channel.settings))
    made = enqueue(
        [
            NewDelivery(
                channel.pk,
                recipient,
                os.urandom(16),
                message,
                kind="test",
                reason=Reason.TEST,
                priority=PRIORITY,
                expires_in=GIVEN_UP_AFTER,
            )
            for recipient in recipients
        ]
    )
    audit.record(principal, "channel.tested", channel, after={"deliveries": [str(one) for one in made]})
    return made
