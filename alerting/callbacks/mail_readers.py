"""Who reads an address that mails go to: a channel's reader, or a member who proved that it is theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from alerting.models import ContactMethod
from channels.mail.links import Claim
from channels.models import Channel
from tenants.access import member_principal
from tenants.models import Tenant
from tenants.principal import Principal


def channel_of(claim: Claim) -> Channel | None:
    """Return the channel while the recipient is still somebody it writes to."""
    channel = Channel._default_manager.filter(pk=claim.channel_id, kind="email", is_active=True).first()
    return channel if channel is not None and known(channel, [claim.recipient]) else None


def known(channel: Channel, addresses: Iterable[str]) -> set[str]:
    """Return which of these addresses the channel writes to, in small letters."""
    wanted = {address.lower() for address in addresses}
    readers = {str(address).lower() for address in channel.settings.get("to", [])}
    missing = wanted - readers
    if missing:
        contacts = ContactMethod._default_manager.filter(channel=channel, verified_at__isnull=False)
        readers |= {address.lower() for address in contacts.values_list("address", flat=True)}
    return wanted & readers


def principal_of(tenant: Tenant, channel: Channel, claim: Claim) -> Principal | None:
    """Return who acts by mail.

    At a member's own address it is the member, with what their role allows; at an address of the channel it is
    whoever reads there, whom an administrator of the tenant let us write to.
    """
    who = claim.recipient
    if who.lower() in {str(address).lower() for address in channel.settings.get("to", [])}:
        return Principal("system", f"email:{who}", f"{who} (e-mail)", tenant.pk, frozenset({"act_on_alerts"}))
    contact = (
        ContactMethod._default_manager.filter(channel=channel, address__iexact=who, verified_at__isnull=False)
        .select_related("person")
        .first()
    )
    principal = member_principal(contact.person, tenant, None) if contact is not None else None
    return replace(principal, label=f"{principal.label} (e-mail)") if principal else None
