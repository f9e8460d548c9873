"""A message that could not be delivered leaves a line in its group's timeline."""

import json
from datetime import timedelta

import pytest
from django.db import connection

from alerting import notifying
from alerting.models import Route, RouteChannel, TimelineEvent
from alerting.pipeline.drain import drain
from channels.models import Channel, Delivery
from tenants.context import tenant_context
from tests.channels.deliveries import sweep_leases
from tests.factories import make_api

pytestmark = pytest.mark.django_db


def test_the_timeline_tells_that_nobody_was_reached() -> None:
    api = make_api()
    with tenant_context(api.tenant.pk):
        secrets = json.dumps({"secrets": ["whsec_" + "A" * 32]})
        url = {"url": "http://127.0.0.1:9/"}
        channel = Channel.objects.create(name="hook", kind="webhook", settings=url, credentials=secrets)
        route = Route.objects.create(name="root", group_wait=timedelta(0))
        RouteChannel.objects.create(route=route, channel=channel)
    body = {"labels": {"alertname": "DiskFull"}, "severity": "critical"}
    api.client.post("/api/v1/alerts", body, content_type="application/json")
    drain(api.tenant.pk)
    notifying.flush_due(api.tenant.pk)
    with tenant_context(api.tenant.pk), connection.cursor() as cursor:
        cursor.execute("UPDATE delivery SET state = 'leased'")
        cursor.execute(
            "UPDATE delivery_queue SET state = 'leased', crashes = 99, lease_until = now() - interval '1 minute'"
        )
    sweep_leases()
    with tenant_context(api.tenant.pk):
        delivery = Delivery.objects.get()
        assert delivery.state == "dead"
        event = TimelineEvent.objects.get(kind="not_delivered")
        assert (event.group_id, event.reason) == (delivery.source_id, "dead")
        assert event.data["channel"] == "hook"
        assert event.data["why"] == delivery.state_reason
