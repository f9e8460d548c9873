"""Row-level security: the migration operation that fences a table, and the check that none is open."""

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.migrations.operations.base import Operation, OperationCategory

from tenants.isolation import TenantForeignKey

TENANT_SETTING = "nullif(current_setting('app.tenant', true), '')::uuid"

# Tables with a tenant column that relay and sweepers read across tenants. They carry ids, tenant ids,
# times and small numbers, never what anybody wrote (DESIGN.md section 4).
QUEUE_TABLES = frozenset(
    {
        "intake_queue",
        "timer",
        "delivery_queue",
        "metric_queue",
        "series_due",
        "judging_turn",
        "rollup_due",
        "metric_source_due",
    }
)
_ON_DELETE: dict[Any, str] = {
    models.CASCADE: "CASCADE",
    models.PROTECT: "RESTRICT",
    models.RESTRICT: "RESTRICT",
}


def _delete_rule(field: models.ForeignKey[Any, Any]) -> str:
    rule = field.remote_field.on_delete
    if rule is models.SET_NULL:
        return f'SET NULL ("{field.column}")'
    return _ON_DELETE[rule]


class IsolateTenant(Operation):
    """Fence the table of a TenantOwned model; comes after its CreateModel in every migration.

    Makes `(tenant_id, id)` unique, turns each TenantForeignKey into a foreign key over
    `(tenant_id, <key>)`, and lets rows be seen and written only for the tenant of the transaction,
    also by the owner of the table (FORCE). `readable_when` is a further SQL condition under which a row
    may be read (never written) without its tenant: keys by their own prefix, memberships by their own person.
    """

    reversible = True
    category = OperationCategory.SQL

    def __init__(self, name: str, readable_when: str = "") -> None:
        self.name = name
        self.readable_when = readable_when

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [self.name], {"readable_when": self.readable_when}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing that Django's model state knows."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.name)
        table = model._meta.db_table
        schema_editor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_tenant_id_id" UNIQUE (tenant_id, id)')
        for field in model._meta.local_fields:
            if isinstance(field, TenantForeignKey):
                schema_editor.execute(self._composite_key(table, field))
        schema_editor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        schema_editor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        schema_editor.execute(
            f'CREATE POLICY tenant_rows ON "{table}"'
            f" USING (tenant_id = {TENANT_SETTING}) WITH CHECK (tenant_id = {TENANT_SETTING})"
        )
        if self.readable_when:
            schema_editor.execute(f'CREATE POLICY own_rows ON "{table}" FOR SELECT USING ({self.readable_when})')

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        table = from_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(f'DROP POLICY IF EXISTS tenant_rows ON "{table}"')
        schema_editor.execute(f'DROP POLICY IF EXISTS own_rows ON "{table}"')
        schema_editor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        schema_editor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')

    def _composite_key(self, table: str, field: TenantForeignKey) -> str:
        target = field.remote_field.model._meta.db_table
        return composite_key_sql(table, field.column, target, _delete_rule(field))

    def describe(self) -> str:
        return f"Fence the rows of {self.name} by tenant"


def composite_key_sql(table: str, column: str, target: str, delete_rule: str) -> str:
    """Return the statement that ties `(tenant_id, column)` to `(tenant_id, id)` of the target table."""
    return (
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{column}_tenant" FOREIGN KEY (tenant_id, "{column}")'
        f' REFERENCES "{target}" (tenant_id, id) ON DELETE {delete_rule}'
    )


@dataclass(frozen=True)
class OpenTable:
    """A table whose rows the database does not fence, and what it lacks."""

    table: str
    lacks: str


_FENCE_SQL = """
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
       EXISTS (SELECT 1 FROM pg_policy p
               WHERE p.polrelid = c.oid AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname
"""


def open_tables(connection: Any) -> list[OpenTable]:
    """Return the tables with a tenant column that lack row security, FORCE or a complete policy."""
    found: list[OpenTable] = []
    with connection.cursor() as cursor:
        cursor.execute(_FENCE_SQL)
        for table, enabled, forced, policy in cursor.fetchall():
            if table in QUEUE_TABLES:
                continue
            lacks = [
                word
                for word, there in (("ENABLE", enabled), ("FORCE", forced), ("a complete policy", policy))
                if not there
            ]
            if lacks:
                found.append(OpenTable(table, ", ".join(lacks)))
    return found


def role_faults(connection: Any) -> list[str]:
    """Return why the connected role could read past row-level security; empty when it cannot."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        role, is_super, bypasses = cursor.fetchone()
    faults = []
    if is_super:
        faults.append(f"the database role {role} is a superuser")
    if bypasses:
        faults.append(f"the database role {role} has BYPASSRLS")
    return faults
