"""Which channels a route tells."""

from collections.abc import Iterable

from alerting.models import Route, RouteChannel
from channels.models import Channel
from tenants import audit
from tenants.principal import Principal


def set_channels(principal: Principal, route: Route, channels: Iterable[Channel]) -> None:
    """Make the channels of a route exactly these, with one entry in the audit log when that changes them."""
    wanted = {channel.pk: channel for channel in channels}
    links = {link.channel_id: link for link in RouteChannel._default_manager.filter(route=route)}
    if wanted.keys() == links.keys():
        return
    gone = [link.pk for channel_id, link in links.items() if channel_id not in wanted]
    RouteChannel._default_manager.filter(pk__in=gone).delete()
    RouteChannel._default_manager.bulk_create(
        RouteChannel(tenant_id=route.tenant_id, route=route, channel=channel)
        for channel_id, channel in wanted.items()
        if channel_id not in links
    )
    before, after = sorted(map(str, links)), sorted(map(str, wanted))
    audit.record(principal, "route.channels_changed", route, before={"channels": before}, after={"channels": after})
