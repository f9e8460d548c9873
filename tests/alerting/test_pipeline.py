"""The pipeline as a whole: sent, drained, grouped, flushed, told."""

import pytest
from django.db import connection

from tests.alerting.scenes import Scene, alert

pytestmark = pytest.mark.django_db


def test_an_alert_becomes_a_delivery() -> None:
    scene = Scene()
    scene.route(scene.channel())
    scene.flush()
    result = scene.feed(alert("Down", host="a"))
    assert (result.alerts, result.new, result.opened_groups, result.due_now) == (1, 1, 1, True)
    scene.flush()
    assert scene.told() == [("ops", "first")]
    (message,) = scene.messages()
    assert message.title == "Down"
    assert scene.kinds() == ["opened", "fired", "told:first"]


def test_no_tenant_is_taken_for_an_empty_one(db: None) -> None:
    """Statistics of the tenant column say that tenants who came later have no rows; joins then go over all pairs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " WHERE a.attname = 'tenant_id' AND a.attstattarget = 0 AND c.relkind = 'r'"
        )
        without = {row[0] for row in cursor.fetchall()}
    assert {"alert", "alert_group", "notification_log", "timeline_event", "intake_request", "delivery"} <= without
