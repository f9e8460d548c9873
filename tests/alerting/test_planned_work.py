"""Whoever is told of an alert hears of planned work that concerns it: at first, when called, and in later news."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from alerting import lifecycle
from alerting.models import MaintenanceWindow
from channels.models import Channel
from tests.alerting.escalation.scenes import Call, channel_target, level
from tests.alerting.scenes import Scene, alert

pytestmark = pytest.mark.django_db


def plan(scene: Scene, channel: Channel) -> None:
    """A window for host a begins in three hours; another, for host b, does not concern what follows."""
    with scene.context():
        start = timezone.now() + timedelta(hours=3)
        for host in "ab":
            MaintenanceWindow.objects.create(
                name=f"disks of {host}",
                matchers=[{"name": "host", "op": "=", "value": host}],
                start_date=start.date(),
                start_time=start.time(),
                duration=timedelta(hours=1),
            )
        channel.kind, channel.settings = "slack", {"channel": "#alerts"}
        channel.credentials = json.dumps({"token": "xoxb-test"})
        channel.save()


def planned(scene: Scene) -> dict[str, list[str]]:
    return {str(one.reason): [work.name for work in one.planned] for one in scene.messages()}


def test_a_call_of_an_escalation_names_it() -> None:
    call = Call()
    plan(call, call.pager)
    call.routed(level(0, channel_target(call.pager)))
    call.feed(alert("DiskFull", severity="critical", host="a"))
    call.flush()
    call.step()
    assert planned(call) == {"escalation": ["disks of a"]}


def test_news_of_an_act_keep_it_on_the_message() -> None:
    scene = Scene()
    channel = scene.channel()
    plan(scene, channel)
    scene.route(channel)
    scene.flush()
    scene.run(alert("DiskFull", host="a"))
    lifecycle.acknowledge(scene.principal, scene.group().pk)
    assert planned(scene) == {"first": ["disks of a"], "acknowledged": ["disks of a"]}
