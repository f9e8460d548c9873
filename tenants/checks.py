"""Start-up checks: the fence of every tenant table stands, and the role cannot climb over it."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection
from django.db.utils import OperationalError

from tenants.rls import open_tables, role_faults


@register(Tags.database)
def check_isolation(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Report tables without row-level security and roles that ignore it (runs where a database is checked)."""
    if not databases or "default" not in databases:
        return []
    try:
        tables, faults = open_tables(connection), role_faults(connection)
    except OperationalError:
        return []  # The database is not up: whoever needs it will say so better than a check can.
    errors: list[CheckMessage] = [
        Error(
            f"Table {table.table} lacks {table.lacks}.", hint="Add IsolateTenant to its migration.", id="tenants.E001"
        )
        for table in tables
    ]
    errors += [
        Error(f"Row-level security does not hold: {fault}.", hint="Use the application role.", id="tenants.E002")
        for fault in faults
    ]
    return errors
