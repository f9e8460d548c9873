"""The proof of explain, at random: along any course of events what it foretells for now is what happens now."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerting.explain import explain
from alerting.fingerprint import fingerprint
from alerting.models import Alert, AlertGroup, AlertingPolicy, GroupingRule, RouteChannel, Silence
from channels.models import Delivery
from tenants.context import tenant_context
from tests.alerting.test_explain_prediction import World, inhibition, silence, world

pytestmark = pytest.mark.django_db
__all__ = ["world"]

STEPS = 14
A_MOMENT = timedelta(seconds=1)


def some_alert(draw: random.Random) -> dict[str, Any]:
    labels = {
        "alertname": draw.choice(["DiskFull", "RegionDown", "HighLoad"]),
        "region": draw.choice(["eu", "us"]),
        "service": draw.choice(["db", "web"]),
    }
    alert: dict[str, Any] = {"labels": labels, "severity": draw.choice(["warning", "error", "critical"])}
    if draw.random() < 0.3:
        alert["status"] = "resolved"
    if draw.random() < 0.3:
        alert["starts_at"] = (timezone.now() - timedelta(minutes=draw.choice([0, 0, 30]))).isoformat()
    return alert


def meddle(world: World, draw: random.Random) -> None:
    """Something a person does, now and then."""
    deed = draw.choice(["silence", "unsilence", "inhibit", "acknowledge", "regroup", "unroute", "nothing", "nothing"])
    with tenant_context(world.tenant.pk):
        if deed == "silence":
            silence(service=draw.choice(["db", "web"]))
        elif deed == "unsilence":
            Silence.objects.all().delete()
        elif deed == "inhibit":
            inhibition()
        elif deed == "acknowledge":
            AlertGroup.objects.filter(status="firing").update(status="acknowledged", acknowledged_at=timezone.now())
        elif deed == "regroup":
            GroupingRule.objects.create(name="R", group_by=draw.choice([["region"], ["..."], ["service"]]))
        elif deed == "unroute":
            RouteChannel.objects.filter(route=world.routes["All"]).delete()


def made_for(world: World, alert: dict[str, Any], before: set[Any]) -> list[tuple[str, str, str]]:
    """The deliveries about the group of this alert; others may be freed from inhibition by it."""
    with tenant_context(world.tenant.pk):
        group_id = Alert.objects.get(fingerprint=fingerprint(alert["labels"])).group_id
        rows = Delivery.objects.filter(source_id=group_id).exclude(pk__in=before) if group_id else []
        return sorted((row.channel.name, row.recipient, row.reason) for row in rows)


# The later ones found something once.
@pytest.mark.parametrize("seed", [*range(8), 12, 13, 23, 34, 37, 47])
def test_along_any_course_of_events_explain_is_right(world: World, seed: int) -> None:
    draw = random.Random(seed)
    with tenant_context(world.tenant.pk):
        AlertingPolicy.objects.create(flap_enter=5, flap_leave=2)
    told_at_all = 0
    for _step in range(STEPS):
        if draw.random() < 0.4:
            meddle(world, draw)
        world.age(timedelta(minutes=draw.choice([0, 1, 6, 70, 300])))
        world.flush()
        alert = some_alert(draw)
        before = set(world.deliveries())
        foretold = explain(world.tenant.pk, alert)
        world.send(alert)
        world.flush()
        made = made_for(world, alert, before)
        now = [one for one in foretold.destinations if one.is_told and one.at and one.at < foretold.at + A_MOMENT]
        assert made == sorted((one.channel, one.recipient, one.reason) for one in now), (alert, foretold.summary)
        told_at_all += len(made)
    assert told_at_all, "a course of events in which nobody is told proves little"
