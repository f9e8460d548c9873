"""The guard of explain: inside it the database itself refuses every write."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction

from tenants.context import tenant_context


@contextmanager
def read_only(tenant_id: UUID) -> Iterator[None]:
    """Read a tenant's rows; anything that would write raises.

    The setting holds for this savepoint or transaction only: PostgreSQL gives the outer one back its own.
    """
    with tenant_context(tenant_id), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        yield
