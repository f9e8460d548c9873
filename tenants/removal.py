"""Removes what a tenant owns, table by table; its name and its audit log stay, to say that it was there."""

from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Final
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import connection
from psycopg2 import sql

from tenants import audit
from tenants.context import tenant_context
from tenants.models import Role, Tenant
from tenants.principal import system

#: Append-only, and the proof of who removed the rest.
KEPT: Final = frozenset({"audit_entry"})
#: What was under way may still write; after so many rounds something keeps writing.
MOST_ROUNDS: Final = 5

_TABLES: Final = """
SELECT c.relname FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
"""
# What refers goes first: RESTRICT wants that, and CASCADE would look for it row by row.
_REFERENCES: Final = """
SELECT child.relname, parent.relname, own.attname
FROM pg_constraint k
JOIN pg_class child ON child.oid = k.conrelid AND NOT child.relispartition
JOIN pg_class parent ON parent.oid = k.confrelid AND NOT parent.relispartition
JOIN pg_attribute own ON own.attrelid = k.conrelid AND own.attnum = k.conkey[array_length(k.conkey, 1)]
WHERE k.contype = 'f' AND k.confdeltype IN ('a', 'r', 'c') AND child.oid <> parent.oid
"""


class StillWritten(Exception):
    """Somebody keeps writing rows of the tenant; stop that and remove it again."""


@dataclass(frozen=True)
class _Step:
    """One table, and for a table without a tenant of its own the reference that leads to one."""

    table: str
    column: str = ""
    parent: str = ""

    def sql(self) -> sql.Composed:
        """Return the statement that empties it of one tenant."""
        names = {"table": sql.Identifier(self.table)}
        if not self.column:
            return sql.SQL("DELETE FROM {table} WHERE tenant_id = %s").format(**names)
        key = "id" if self.parent == Tenant._meta.db_table else "tenant_id"
        names |= {"column": sql.Identifier(self.column), "parent": sql.Identifier(self.parent)}
        statement = "DELETE FROM {table} WHERE {column} IN (SELECT id FROM {parent} WHERE {key} = %s)"
        return sql.SQL(statement).format(key=sql.Identifier(key), **names)


def remove(tenant: Tenant) -> dict[str, int]:
    """Switch a tenant off and delete every row it owns; return how many by table.

    One transaction a table: interrupted, it is simply run again. Raises `StillWritten`.
    """
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
    steps, removed = list(_steps()), dict[str, int]()
    for _round in range(MOST_ROUNDS):
        gone = {step.table: count for step in steps if (count := _empty(tenant.pk, step))}
        if not gone:
            break
        for table, count in gone.items():
            removed[table] = removed.get(table, 0) + count
    else:
        raise StillWritten
    with tenant_context(tenant.pk):
        audit.record(system(tenant.pk), "tenant.removed", tenant, after={"rows": removed})
    return removed


def _steps() -> Iterator[_Step]:
    """Walk the tables so that nothing refers to a row that is about to go."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        owned = {row[0] for row in cursor.fetchall()} - KEPT
        cursor.execute(_REFERENCES)
        references = cursor.fetchall()
    order: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(owned, ()))
    for child, parent, _column in references:
        if child in owned and parent in owned:
            order.add(parent, child)
    yield from (_Step(child, column, parent) for child, parent, column in references if _leads(child, parent, owned))
    yield from (_Step(table) for table in order.static_order())


def _leads(child: str, parent: str, owned: set[str]) -> bool:
    return child not in owned | KEPT and (parent in owned or parent == Tenant._meta.db_table)


def _empty(tenant_id: UUID, step: _Step) -> int:
    with tenant_context(tenant_id), connection.cursor() as cursor:
        # Django's groups know no tenants: each belongs to one role and goes with it.
        is_role = step.table == Role._meta.db_table
        groups = list(Role.objects.values_list("group_id", flat=True)) if is_role else []
        # A month of samples takes as long as it takes.
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(step.sql(), [tenant_id])
        count = int(cursor.rowcount)
        Group.objects.filter(pk__in=groups).delete()
    return count
