"""Base classes of everything a tenant owns: rows that exist only inside their tenant's context."""

import os
import time
import uuid
from typing import Any, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.context import current_tenant_id


def new_id() -> uuid.UUID:
    """Return a UUID of version 7 (RFC 9562): ordered by time, so indexes grow at one end, and unguessable."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


M = TypeVar("M", bound="TenantOwned")


class TenantQuerySet(models.QuerySet[M]):
    """A query set that stamps the current tenant on what it creates."""

    def create(self, **values: Any) -> M:
        values.setdefault("tenant_id", current_tenant_id())
        return super().create(**values)


class TenantManager(models.Manager[M]):
    """Manager that refuses to run outside a tenant context and shows that tenant's rows only.

    The database says the same once more (row-level security); this first wall gives a readable
    error, and keeps the tenant in the WHERE clause for the planner.
    """

    def get_queryset(self) -> TenantQuerySet[M]:
        return TenantQuerySet(self.model, using=self._db).filter(tenant_id=current_tenant_id())


class TenantForeignKey(models.ForeignKey[Any, Any]):
    """A foreign key within one tenant.

    PostgreSQL checks foreign keys behind the back of row-level security, so a plain key could point at,
    and thereby test for, a row of another tenant. The constraint is therefore the pair
    `(tenant_id, <key>)`, made by `tenants.rls.IsolateTenant`, not the single column.
    """

    def __init__(self, to: Any, on_delete: Any = models.CASCADE, **options: Any) -> None:
        options["db_constraint"] = False
        super().__init__(to, on_delete, **options)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("db_constraint", None)
        return name, path, args, kwargs


class TenantOwned(models.Model):
    """A row of one tenant: UUID key, tenant column, manager bound to the context, row-level security."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        "tenants.Tenant",
        models.CASCADE,
        db_index=False,  # the unique key (tenant_id, id) serves
        editable=False,
        related_name="+",
        verbose_name=_("tenant"),
    )

    objects = TenantManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        """Stamp the context's tenant on a new row; a row of another tenant cannot be saved."""
        owner: Any = self.tenant_id
        if owner is None:
            self.tenant_id = current_tenant_id()
        elif owner != current_tenant_id():
            raise PermissionError("This row belongs to another tenant.")
        super().save(*args, **options)


class TenantRow(TenantOwned):
    """A tenant-owned row of a table that grows by thousands a second.

    Its tenant column has no foreign key: the check would lock the tenant's one row once for every row
    written, and the policy's WITH CHECK already pins the column to the tenant of the transaction.
    """

    tenant = models.ForeignKey(
        "tenants.Tenant",
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        editable=False,
        related_name="+",
        verbose_name=_("tenant"),
    )

    class Meta:
        abstract = True
