"""Paused addresses and linked accounts: shown to their tenant, taken off by a person, never made by hand."""

from django.urls import reverse

from channels.models import Channel, ChannelIdentity, PausedAddress
from tenants.context import tenant_context
from tenants.models import AuditEntry
from tests.alerting.admin.world import World, admin_url


def test_a_paused_address_is_seen_and_taken_off(ours: World, foreign: World) -> None:
    with tenant_context(ours.tenant.pk):
        row = PausedAddress.objects.create(address="olga@example.com", why="bounced")
    client = ours.client(ours.owner)
    assert "olga@example.com" in client.get(admin_url(PausedAddress, "changelist")).content.decode()
    assert (
        "olga@example.com"
        not in foreign.client(foreign.owner).get(admin_url(PausedAddress, "changelist")).content.decode()
    )
    assert client.get(admin_url(PausedAddress, "add")).status_code == 403
    client.post(reverse("admin:channels_pausedaddress_delete", args=[row.pk]), {"post": "yes"})
    with tenant_context(ours.tenant.pk):
        assert not PausedAddress.objects.filter(pk=row.pk).exists()
        assert AuditEntry.objects.filter(action__contains="pausedaddress").exists()


def test_a_linked_account_is_taken_off(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        channel = Channel.objects.create(name="team", kind="slack", settings={"channel": "#a"})
        row = ChannelIdentity.objects.create(channel=channel, external_id="U123", user=ours.owner)
    client = ours.client(ours.owner)
    assert "U123" in client.get(admin_url(ChannelIdentity, "changelist")).content.decode()
    client.post(reverse("admin:channels_channelidentity_delete", args=[row.pk]), {"post": "yes"})
    with tenant_context(ours.tenant.pk):
        assert not ChannelIdentity.objects.filter(pk=row.pk).exists()
