"""Switches off channels whose receiver asked never to be called again."""

from collections.abc import Iterable
from typing import Protocol

from channels.models import Channel
from channels.sending import Sent
from tenants import audit
from tenants.context import current_tenant_id
from tenants.principal import system


class HasSent(Protocol):
    """Whatever holds how a call went."""

    @property
    def sent(self) -> Sent: ...


def disable_asked(results: Iterable[HasSent]) -> None:
    """Switch off, with an audit entry, each channel of which a call was answered with that wish."""
    asked = {
        result.sent.parcel.channel_id: result.sent.error.detail
        for result in results
        if result.sent.error is not None and result.sent.error.disable
    }
    if not asked:
        return
    principal = system(current_tenant_id(), "delivery")
    for channel in Channel.objects.filter(pk__in=asked, is_active=True).select_for_update():
        channel.is_active = False
        channel.disabled_reason = asked[channel.pk][:300]
        audit.save_audited(principal, channel, reason=channel.disabled_reason)
