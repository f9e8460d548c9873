"""What is past its retention goes; what is still of use, or what a person chose, stays."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerting.retention import clean_up
from channels.models import SharedLimit
from tests.alerting.scenes import Scene

pytestmark = pytest.mark.django_db


def limit(scene: Scene, key: str, days: int, **fields: object) -> None:
    with scene.context(), connection.cursor() as cursor:
        SharedLimit.objects.create(key=key, kind="slack", detail=key, **fields)
        cursor.execute(
            "UPDATE shared_limit SET updated_at = now() - %s * interval '1 day' WHERE tenant_id = %s AND key = %s",
            [days, scene.id, key],
        )


def keys(scene: Scene) -> list[str]:
    with scene.context():
        return list(SharedLimit.objects.order_by("key").values_list("key", flat=True))


def test_limits_of_accounts_that_nobody_uses_go_and_chosen_rates_stay() -> None:
    scene, other = Scene(), Scene()
    limit(scene, "slack:old", 31)
    limit(scene, "slack:chosen", 400, rate_per_minute=30)
    limit(scene, "slack:used", 29)
    limit(other, "slack:old", 31)
    clean_up()
    assert keys(scene) == ["slack:chosen", "slack:used"]
    assert keys(other) == []


def test_many_go_in_few_statements() -> None:
    scene = Scene()
    with scene.context(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO shared_limit (id, tenant_id, key, kind, detail, usual_per_minute, updated_at)"
            " SELECT gen_random_uuid(), %s, 'email:' || n, 'email', '', 60, now() - interval '31 days'"
            " FROM generate_series(1, 6000) AS n",
            [scene.id],
        )
    with CaptureQueriesContext(connection) as seen:
        clean_up()
    assert keys(scene) == []
    deletes = [one for one in seen.captured_queries if one["sql"].startswith("DELETE FROM shared_limit")]
    assert len(deletes) == 2, "5,000 rows a statement"
