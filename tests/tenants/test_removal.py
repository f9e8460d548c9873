"""A tenant that is removed leaves its name and its audit log, and touches nobody else."""

import io

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection

from metrics.models import DetectorState, Series
from tenants import removal
from tenants.context import tenant_context
from tenants.models import AuditEntry, Role, Tenant, TenantGroupGrant
from tests.factories import make_tenant
from tests.security.house import House

pytestmark = pytest.mark.django_db


def rows_by_table(tenant: Tenant) -> dict[str, int]:
    """Count what the database holds of a tenant, in every table with a tenant."""
    found = {}
    with tenant_context(tenant.pk), connection.cursor() as cursor:
        cursor.execute(removal._TABLES)
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE tenant_id = %s', [tenant.pk])
            found[table] = cursor.fetchone()[0]
    return found


@pytest.fixture
def houses() -> tuple[House, House]:
    pair = House(make_tenant(), "mine"), House(make_tenant(), "theirs")
    for house in pair:
        with tenant_context(house.tenant.pk):
            DetectorState.objects.create(
                threshold_id=house.ids["thresholds"], subject=b"s" * 16, series=Series.objects.first(), model=b"learned"
            )
    return pair


def test_everything_goes_but_the_audit_log(houses: tuple[House, House]) -> None:
    gone, stays = houses
    before = rows_by_table(stays.tenant)
    full = rows_by_table(gone.tenant)
    assert full["detector_state"] == 1
    assert sum(count > 0 for count in full.values()) > 30, "a tenant with hardly anything proves little"
    with tenant_context(gone.tenant.pk):
        groups = list(Role.objects.values_list("group_id", flat=True))
        entries = AuditEntry.objects.count()

    said = io.StringIO()
    call_command("remove_tenant", gone.tenant.slug, confirm=gone.tenant.slug, stdout=said)

    left = {table: count for table, count in rows_by_table(gone.tenant).items() if count}
    assert left == {"audit_entry": entries + 1}
    assert "detector_state: 1\n" in said.getvalue()
    assert not Group.objects.filter(pk__in=groups).exists()
    assert not TenantGroupGrant.objects.filter(content_object_id=gone.tenant.pk).exists()
    assert not Tenant.objects.get(pk=gone.tenant.pk).is_active
    assert rows_by_table(stays.tenant) == before
    # Interrupted or not, it may be run again.
    assert removal.remove(gone.tenant) == {}


def test_a_slip_of_the_slug_removes_nothing(houses: tuple[House, House]) -> None:
    house = houses[0]
    before = rows_by_table(house.tenant)
    with pytest.raises(CommandError, match="must repeat the slug"):
        call_command("remove_tenant", house.tenant.slug, confirm="another")
    with pytest.raises(CommandError, match="There is no tenant 'nobody'"):
        call_command("remove_tenant", "nobody", confirm="nobody")
    assert rows_by_table(house.tenant) == before
    assert Tenant.objects.get(pk=house.tenant.pk).is_active
