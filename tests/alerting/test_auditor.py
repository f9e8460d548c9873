"""The auditor finds what must not exist, and nothing where all is well."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from alerting import notifying
from alerting.auditor import CHECKS, audit, audit_all
from alerting.due_groups import firing_number
from alerting.models import Alert, AuditTotal, NotificationLog, Route, RouteChannel
from alerting.pipeline.drain import drain
from channels.models import Channel
from tenants.context import tenant_context
from tests.factories import Api, make_api

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    api = make_api()
    with tenant_context(api.tenant.pk):
        channel = Channel.objects.create(name="hook", kind="webhook", settings={"url": "http://127.0.0.1:9/"})
        channel.credentials = json.dumps({"secrets": ["whsec_" + "A" * 32]})
        channel.save()
        route = Route.objects.create(name="root", group_wait=timedelta(0))
        RouteChannel.objects.create(route=route, channel=channel)
    return api


def send(api: Api, *names: str) -> None:
    body = [{"labels": {"alertname": name}} for name in names]
    answer = api.client.post("/api/v1/alerts", body, content_type="application/json")
    assert answer.status_code == 202, answer.content


def found(tenant_id: UUID) -> dict[str, int]:
    return {finding.name: finding.count for finding in audit(tenant_id) if finding.count}


def sql(tenant_id: UUID, statement: str) -> int:
    with tenant_context(tenant_id), connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def test_a_healthy_tenant_has_no_finding(api: Api) -> None:
    send(api, "DiskFull", "LoadHigh")
    drain(api.tenant.pk)
    notifying.flush_due(api.tenant.pk)
    assert found(api.tenant.pk) == {}
    assert set(audit_all().values()) == {0}
    assert AuditTotal.objects.count() == len(CHECKS)


def test_sql_and_python_number_a_firing_alike(api: Api) -> None:
    send(api, "DiskFull")
    drain(api.tenant.pk)
    notifying.flush_due(api.tenant.pk)
    with tenant_context(api.tenant.pk):
        for cycle in (1, 2, 3, 77, 4_000_000):
            Alert.objects.update(cycle=cycle)
            alert = Alert.objects.get()
            NotificationLog.objects.update(firing=[firing_number(bytes(alert.fingerprint), cycle)])
            assert "alerts_untold" not in found(api.tenant.pk)


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        ("UPDATE intake_queue SET received_at = now() - interval '1 minute'", "intake_waiting"),
        ("DELETE FROM intake_queue", "intake_forgotten"),
    ],
)
def test_intake_that_nobody_drains_is_found(api: Api, damage: str, check: str) -> None:
    send(api, "DiskFull")
    assert sql(api.tenant.pk, damage) == 1
    assert found(api.tenant.pk) == {check: 1}


@pytest.mark.parametrize(
    ("damage", "checks"),
    [
        ("UPDATE alert SET group_id = NULL", {"alerts_without_group"}),
        ("UPDATE notification_log SET firing = '{}'", {"alerts_untold"}),
        ("DELETE FROM timer WHERE kind = 'group'", set()),
        ("UPDATE timer SET due_at = now() - interval '2 minutes' WHERE kind = 'group'", {"timers_overdue"}),
        ("UPDATE notification_log SET recipient = 'somebody else'", {"told_without_delivery"}),
        ("DELETE FROM delivery_queue", {"deliveries_forgotten"}),
        ("UPDATE delivery_queue SET next_attempt_at = now() - interval '2 minutes'", {"deliveries_overdue"}),
        (
            "UPDATE delivery_queue SET state = 'leased', lease_until = now() - interval '1 minute'",
            {"leases_overdue"},
        ),
    ],
)
def test_what_was_lost_on_the_way_is_found(api: Api, damage: str, checks: set[str]) -> None:
    send(api, "DiskFull")
    drain(api.tenant.pk)
    notifying.flush_due(api.tenant.pk)
    assert sql(api.tenant.pk, damage) == 1
    assert set(found(api.tenant.pk)) == checks


def test_a_group_that_changed_and_has_no_timer_is_found(api: Api) -> None:
    send(api, "DiskFull")
    drain(api.tenant.pk)
    assert sql(api.tenant.pk, "DELETE FROM timer WHERE kind = 'group'") == 1
    assert found(api.tenant.pk) == {"groups_without_timer": 1}
