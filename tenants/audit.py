"""Write the audit log: one entry for every change of configuration and every act on an alert."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models

from tenants.isolation import TenantOwned
from tenants.models.audit import AuditEntry
from tenants.principal import Principal

MASK = "[secret]"


def record(
    principal: Principal,
    action: str,
    obj: models.Model | None = None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Append one entry in the running transaction: when the act is rolled back, so is its trace."""
    return AuditEntry.objects.create(
        actor_kind=principal.kind,
        actor_id=principal.id,
        actor_label=principal.label[:200],
        action=action,
        object_type=(obj._meta.model_name or "") if obj is not None else "",
        object_id=str(obj.pk) if obj is not None else "",
        object_label=str(obj)[:200] if obj is not None else "",
        before=_plain(before),
        after=_plain(after),
        reason=reason[:500],
        ip=principal.ip,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def snapshot(instance: models.Model) -> dict[str, Any]:
    """Return a row's values for before/after; what is encrypted at rest appears as a mark only."""
    secret = set(getattr(instance, "secret_fields", ()))
    values: dict[str, Any] = {}
    for field in instance._meta.concrete_fields:
        if field.attname in {"id", "tenant_id"}:
            continue
        value = getattr(instance, field.attname)
        values[field.attname] = (MASK if value else "") if field.name in secret else _plain(value)
    return values


def save_audited(principal: Principal, instance: TenantOwned, *, reason: str = "") -> None:
    """Save a row of configuration and record what changed; an unchanged row leaves no entry."""
    model = type(instance)
    old = None if instance._state.adding else model._default_manager.filter(pk=instance.pk).first()
    instance.save()
    new_values = snapshot(instance)
    if old is None:
        record(principal, f"{model._meta.model_name}.created", instance, after=new_values, reason=reason)
        return
    old_values = snapshot(old)
    changed = [name for name, value in new_values.items() if old_values.get(name) != value]
    secret = [name for name in getattr(instance, "secret_fields", ()) if getattr(old, name) != getattr(instance, name)]
    if changed or secret:
        before = {name: old_values.get(name) for name in changed} | dict.fromkeys(secret, MASK)
        after = {name: new_values[name] for name in changed} | dict.fromkeys(secret, f"{MASK} (new)")
        record(principal, f"{model._meta.model_name}.changed", instance, before=before, after=after, reason=reason)


def delete_audited(principal: Principal, instance: TenantOwned, *, reason: str = "") -> None:
    """Delete a row of configuration and record what it held."""
    action, before = f"{instance._meta.model_name}.deleted", snapshot(instance)
    record(principal, action, instance, before=before, reason=reason)
    instance.delete()
