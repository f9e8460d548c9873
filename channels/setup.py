"""What people do with channels: create, change, verify, test, switch off and on."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from channels import sending, trial
from channels.adapters.base import Adapter
from channels.errors import InvalidSettings, UnknownKind
from channels.models import Channel, DeliveryAttempt, MessageTemplate
from channels.registry import adapter
from tenants import audit
from tenants.context import tenant_context
from tenants.principal import Principal

CHANGEABLE = frozenset(
    {"name", "settings", "credentials", "template", "locale", "semantics", "rate_per_minute", "send_resolved"}
)


def create_channel(
    principal: Principal,
    *,
    name: str,
    kind: str,
    settings: Mapping[str, Any],
    credentials: Mapping[str, Any],
    **options: Any,
) -> Channel:
    """Add a channel; raises `InvalidSettings`, which names every field at fault."""
    principal.require("change_configuration")
    with tenant_context(principal.tenant_id):
        channel = Channel(kind=kind)
        values = {"name": name, "settings": settings, "credentials": credentials, **options}
        _apply(channel, values)
        audit.save_audited(principal, channel)
    return channel


def update_channel(principal: Principal, channel: Channel, **changes: Any) -> Channel:
    """Change a channel. `credentials` replaces all secrets; left out, they stay as they are."""
    principal.require("change_configuration")
    with tenant_context(principal.tenant_id):
        _apply(channel, changes)
        audit.save_audited(principal, channel)
    return channel


def disable(principal: Principal, channel: Channel, reason: str) -> None:
    """Switch a channel off; what waits for it is cancelled when it comes up."""
    _switch(principal, channel, is_active=False, reason=reason)


def enable(principal: Principal, channel: Channel) -> None:
    """Switch a channel on again."""
    _switch(principal, channel, is_active=True, reason="")


def verify(principal: Principal, channel: Channel) -> None:
    """Ask the provider whether it takes this configuration; raises `ChannelError`. Not for use in a transaction."""
    principal.require("change_configuration")
    line = sending.connect(channel)
    line.adapter.check(line.settings, line.credentials)


def send_test(principal: Principal, channel: Channel) -> UUID:
    """Queue a test message to each recipient of the channel; returns the id of the first one's delivery.

    It goes the way of every other message. What the provider said is in the attempt log (`last_answer`).
    """
    principal.require("change_configuration")
    if not channel.is_active:
        raise InvalidSettings({"is_active": _("Switch the channel on before you test it.")})
    with tenant_context(principal.tenant_id):
        return trial.send_test(principal, channel)[0]


def last_answer(delivery_id: UUID) -> str:
    """Return in words how the last call for a delivery went, in the caller's tenant context; empty before any."""
    attempt = DeliveryAttempt.objects.filter(delivery_id=delivery_id).order_by("-lease_token").first()
    if attempt is None:
        return ""
    words = str(attempt.get_outcome_display())
    return f"{words}: {attempt.error_excerpt}" if attempt.error_excerpt else words


def _switch(principal: Principal, channel: Channel, *, is_active: bool, reason: str) -> None:
    principal.require("change_configuration")
    with tenant_context(principal.tenant_id):
        channel.is_active = is_active
        channel.disabled_reason = reason[:300]
        audit.save_audited(principal, channel, reason=reason)


def _apply(channel: Channel, values: Mapping[str, Any]) -> None:
    if unknown := values.keys() - CHANGEABLE:
        raise InvalidSettings(dict.fromkeys(sorted(unknown), _("There is no such field.")))
    errors = _check(channel, values)
    if errors:
        raise InvalidSettings(errors)
    for field, value in values.items():
        setattr(channel, field, value)
    if "settings" in values:
        channel.settings = dict(values["settings"])
    if "credentials" in values:
        channel.credentials = msgspec.json.encode(dict(values["credentials"])).decode()


def _check(channel: Channel, values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong by field; fields of settings and credentials have those as their prefix."""
    try:
        made = adapter(channel.kind)
    except UnknownKind:
        return {"kind": _("There is no such kind of channel.")}
    errors = _check_name(channel, values.get("name", channel.name))
    errors |= _check_parts(made, values)
    rate = values.get("rate_per_minute")
    if rate is not None and rate < 1:
        errors["rate_per_minute"] = _("At least one message a minute.")
    template: MessageTemplate | None = values.get("template")
    if template is not None and template.kind != channel.kind:
        errors["template"] = _("This template is for another kind of channel.")
    return errors


def _check_name(channel: Channel, name: str) -> dict[str, str]:
    if not name.strip():
        return {"name": _("This field is required.")}
    if Channel.objects.filter(name=name).exclude(pk=channel.pk).exists():
        return {"name": _("Another channel has this name.")}
    return {}


def _check_parts(made: Adapter[Any, Any], values: Mapping[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    readers = {"settings": made.settings_from, "credentials": made.credentials_from}
    for part, read in readers.items():
        if part not in values:
            continue
        try:
            read(values[part])
        except InvalidSettings as error:
            errors |= {f"{part}.{field}" if field else part: text for field, text in error.errors.items()}
    return errors
