"""The tenant whose data this code may touch, told to Python and to the database alike."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.db import connection, transaction

_current: ContextVar[UUID | None] = ContextVar("tenant", default=None)


class ContextError(RuntimeError):
    """Code asked for a tenant's data in a way the isolation forbids."""


class NoTenantContext(ContextError):
    """Tenant data was asked for outside `tenant_context()`."""


def current_tenant_id() -> UUID:
    """Return the tenant of the running context; raise NoTenantContext when there is none."""
    tenant_id = _current.get()
    if tenant_id is None:
        raise NoTenantContext("Tenant data is only readable inside tenant_context(tenant_id).")
    return tenant_id


def has_tenant_context() -> bool:
    """Say whether a tenant context is open."""
    return _current.get() is not None


@contextmanager
def tenant_context(tenant_id: UUID) -> Iterator[None]:
    """Open a transaction in which the rows of one tenant, and no others, exist.

    The setting dies with the transaction, so a pooled connection never carries it on. Entering the
    same tenant again is free; entering another one raises ContextError, because rows of two tenants
    in one transaction are always a mistake.
    """
    running = _current.get()
    if running is not None:
        if running != tenant_id:
            raise ContextError("A context of another tenant is already open.")
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant', %s, true)", [str(tenant_id)])
        token = _current.set(tenant_id)
        try:
            yield
        finally:
            _current.reset(token)
            _forget_in_outer_transaction()


def _forget_in_outer_transaction() -> None:
    """Clear the setting when an outer transaction lives on (tests); a broken one is rolled back anyway."""
    if not connection.in_atomic_block or connection.needs_rollback or len(connection.savepoint_ids) == 0:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant', '', true)")


def one_statement(tenant_id: UUID, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement for a tenant as a transaction of its own, in a single round trip.

    psycopg2 sends both statements in one simple-query message, which PostgreSQL runs as one implicit
    transaction: the intake door saves three round trips a request by it. Only for use outside a transaction.
    """
    if connection.in_atomic_block:
        with tenant_context(tenant_id), connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())
    with _plain_cursor() as cursor:
        cursor.execute(f"SELECT set_config('app.tenant', %s, true); {sql}", [str(tenant_id), *params])
        return list(cursor.fetchall())


@contextmanager
def _plain_cursor() -> Iterator[Any]:
    """A cursor of the driver: the wrappers that count and log every statement cost the door a tenth of its time."""
    if connection.queries_logged:
        with connection.cursor() as cursor:
            yield cursor
        return
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        yield cursor
