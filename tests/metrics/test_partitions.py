"""The tables of samples: fenced in every partition, made and dropped by the application without owning them."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from tenants.context import tenant_context
from tenants.rls import open_tables
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db
PARENTS = ["sample_chunk", "rollup_minute", "rollup_hour", "rollup_day", "sample_flaw"]


def make(parent: str, days: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT make_metric_partition(%s, now() + %s * interval '1 day')", [parent, days])
        return bool(cursor.fetchone()[0])


def children(parent: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [parent])
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize("parent", PARENTS)
def test_a_partition_is_made_once_and_fenced(parent: str) -> None:
    assert make(parent, 700)
    assert not make(parent, 700)
    assert len([name for name in children(parent) if name > f"{parent}_{timezone.now() + timedelta(days=300):%Y}"]) >= 1
    assert open_tables(connection) == []


def test_rows_of_a_partition_are_seen_by_their_tenant_only() -> None:
    ours, theirs = make_tenant(), make_tenant()
    make("sample_chunk", 0)
    with tenant_context(ours.pk), connection.cursor() as cursor:
        cursor.execute("INSERT INTO sample_chunk VALUES (%s, 1, now(), '', '')", [ours.pk])
    child = f"sample_chunk_{timezone.now():%Y%m%d}"
    for table in ("sample_chunk", child):
        with tenant_context(theirs.pk), connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,)
            with pytest.raises(DatabaseError), transaction.atomic():
                cursor.execute(f"INSERT INTO {table} VALUES (%s, 2, now(), '', '')", [ours.pk])


def test_partitions_that_ended_are_dropped_and_young_ones_never() -> None:
    make("sample_chunk", -40)
    make("sample_chunk", 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT drop_metric_partitions('sample_chunk', now() - interval '30 days')")
        assert cursor.fetchone() == (1,)
        with pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute("SELECT drop_metric_partitions('sample_chunk', now())")
    assert f"sample_chunk_{timezone.now():%Y%m%d}" in children("sample_chunk")


@pytest.mark.parametrize("parent", ["tenant", "sample_chunk; DROP TABLE tenant"])
def test_no_other_table_is_touched(parent: str) -> None:
    for function in ("make_metric_partition", "drop_metric_partitions"):
        with connection.cursor() as cursor, pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute(f"SELECT {function}(%s, now() - interval '9 days')", [parent])


def test_the_application_cannot_make_tables_itself() -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError), transaction.atomic():
        cursor.execute("CREATE TABLE mine (id int)")
