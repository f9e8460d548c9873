"""The database itself keeps tenants apart."""

import pytest
from django.db import DatabaseError, connection, connections, transaction

from tenants.accounts import create_tenant
from tenants.context import ContextError, NoTenantContext, one_statement, tenant_context
from tenants.models import Role, Tenant
from tenants.rls import open_tables, role_faults

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours() -> Tenant:
    return create_tenant(None, slug="ours", name="Ours")


@pytest.fixture
def theirs() -> Tenant:
    return create_tenant(None, slug="theirs", name="Theirs")


def test_every_table_with_a_tenant_is_fenced() -> None:
    assert open_tables(connection) == []


def test_the_role_cannot_climb_over_the_fence() -> None:
    assert role_faults(connection) == []


@pytest.mark.django_db(databases=["default", "owner"])
def test_the_check_finds_a_table_without_force() -> None:
    owner = connections["owner"]
    with owner.cursor() as cursor:
        cursor.execute("ALTER TABLE role NO FORCE ROW LEVEL SECURITY")
    assert [(table.table, table.lacks) for table in open_tables(owner)] == [("role", "FORCE")]


def test_the_manager_refuses_outside_a_context() -> None:
    with pytest.raises(NoTenantContext):
        Role.objects.count()


def test_sql_without_a_context_sees_no_row(ours: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM role")
        assert cursor.fetchone() == (0,)


def test_a_context_sees_its_own_rows_only(ours: Tenant, theirs: Tenant) -> None:
    with tenant_context(ours.pk), connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tenant_id FROM role")
        assert cursor.fetchall() == [(ours.pk,)]


def test_a_row_of_another_tenant_cannot_be_written(ours: Tenant, theirs: Tenant) -> None:
    with tenant_context(theirs.pk):
        role = Role.objects.first()
    assert role is not None
    with tenant_context(ours.pk):
        with pytest.raises(PermissionError):
            role.save()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE role SET name = 'stolen' WHERE id = %s", [role.pk])
            assert cursor.rowcount == 0
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE role SET tenant_id = %s", [theirs.pk])


def test_contexts_of_two_tenants_do_not_nest(ours: Tenant, theirs: Tenant) -> None:
    with tenant_context(ours.pk), tenant_context(ours.pk), pytest.raises(ContextError), tenant_context(theirs.pk):
        pass


def test_the_setting_ends_with_the_context(ours: Tenant) -> None:
    with tenant_context(ours.pk):
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM role")
        assert cursor.fetchone() == (0,)


def test_one_statement_sees_its_tenant(ours: Tenant) -> None:
    assert one_statement(ours.pk, "SELECT count(*) FROM role WHERE name <> %s", ["owner"]) == [(4,)]


@pytest.mark.parametrize("sql", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry"])
def test_the_audit_log_refuses_changes(ours: Tenant, sql: str) -> None:
    with tenant_context(ours.pk), pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(sql)


def test_a_foreign_key_cannot_reach_another_tenant(ours: Tenant, theirs: Tenant, django_user_model: type) -> None:
    with tenant_context(theirs.pk):
        role_id = Role.objects.values_list("pk", flat=True)[0]
    person = django_user_model.objects.create(username="p", email="p@example.org")
    with tenant_context(ours.pk), pytest.raises(DatabaseError, match="foreign key"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO membership (id, tenant_id, user_id, role_id, created_at)"
                " VALUES (gen_random_uuid(), %s, %s, %s, now())",
                [ours.pk, person.pk, role_id],
            )
