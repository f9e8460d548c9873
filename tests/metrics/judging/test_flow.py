"""From a push over HTTP to a message in Slack, and back: samples, threshold, alert, delivery."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from alerting.models import Alert
from alerting.notifying import flush_due
from alerting.pipeline.drain import drain
from channels.delivery import deliver_due
from channels.models import Channel
from metrics import draining
from metrics.judging import clock
from metrics.judging.engine import judge
from metrics.models import Finding
from tests.alerting.scenes import Scene
from tests.factories import make_key
from tests.fakes.slack import FakeSlack
from tests.metrics.judging.world import NOW

pytestmark = pytest.mark.django_db


class Flow(Scene):
    """A tenant whose alerts go to Slack, and a player that pushes its latencies."""

    def begin(self) -> None:
        with self.context():
            channel = Channel.objects.create(
                name="ops",
                kind="slack",
                settings={"channel": "C0ALERTS"},
                credentials=json.dumps({"token": "xoxb-test", "signing_secret": "8f742231b10e8888abcd99yyyzzz85a5"}),
            )
        self.route(channel, group_interval=timedelta(seconds=1))
        self.client = Client(headers={"Authorization": f"Api-Key {make_key(self.tenant)}"})
        threshold = {"name": "Slow", "metric": "latency", "settings": {"above": 2}, "hold": 60, "severity": "critical"}
        assert self.client.post("/api/v1/thresholds", threshold, "application/json").status_code == 201

    def push(self, *values: float, start: int) -> None:
        """Samples a minute apart over HTTP, and all that follows from them."""
        samples = [[NOW + (start + number) * 60, value] for number, value in enumerate(values)]
        series = {"metric": "latency", "labels": {"service": "shop"}, "unit": "s", "samples": samples}
        answer = self.client.post("/api/v1/metrics", {"series": [series]}, "application/json")
        assert answer.status_code == 202, answer.json()
        draining.drain(self.id)
        judge(self.id)
        self.carry()

    def carry(self) -> None:
        """What the workers do with alerts."""
        drain(self.id)
        self.hurry()
        flush_due(self.id)
        deliver_due(self.id)

    def finding(self) -> Finding:
        with self.context():
            return Finding.objects.get()


@pytest.fixture
def flow(slack: FakeSlack) -> Flow:
    flow = Flow()
    flow.begin()
    return flow


def test_a_push_fires_reaches_slack_and_resolves(flow: Flow, slack: FakeSlack) -> None:
    flow.push(1, 1, start=0)
    assert not slack.messages
    flow.push(3, 3, start=2)
    (message,) = slack.messages
    whole = json.dumps([message.text, message.blocks, message.attachments])
    assert "latency too high" in whole
    assert "/api/v1/charts/" in whole
    flow.push(1, start=4)
    assert flow.finding().ended_because == "recovered"
    assert "latency back within limits" in json.dumps([message.text, message.blocks, message.attachments])
    assert flow.alert().status == "resolved"


def test_what_goes_on_is_said_again_before_its_alert_ends_by_itself(flow: Flow) -> None:
    flow.push(3, 3, start=50)
    first = flow.alert()
    assert clock.look(flow.id) == 0
    with flow.context():
        Finding.objects.update(told_at=first.first_seen_at - timedelta(minutes=6))
    assert clock.look(flow.id) == 1
    flow.carry()
    again = flow.alert()
    assert again.repeat_count == 2
    assert again.ends_at > first.ends_at
    assert again.status == "firing"


def test_a_threshold_that_is_switched_off_ends_what_it_found(flow: Flow) -> None:
    flow.push(3, 3, start=50)
    pk = flow.client.get("/api/v1/thresholds").json()["results"][0]["id"]
    assert flow.client.patch(f"/api/v1/thresholds/{pk}", {"is_active": False}, "application/json").status_code == 200
    clock.look(flow.id)
    flow.carry()
    assert flow.finding().ended_because == "switched_off"
    assert flow.alert().status == "resolved"


def test_silence_is_told_and_ends_with_the_next_sample(flow: Flow) -> None:
    absence = {"name": "Gone", "metric": "latency", "kind": "absence", "settings": {"after": 1_800}}
    assert flow.client.post("/api/v1/thresholds", absence, "application/json").status_code == 201
    flow.push(1, start=0)
    clock.look(flow.id)
    flow.carry()
    assert flow.finding().kind == "absence"
    flow.push(1, start=58)
    clock.look(flow.id)
    flow.carry()
    assert flow.finding().ended_because == "recovered"
    with flow.context():
        assert Alert.objects.get().status == "resolved"
    assert clock.look(flow.id) == 0
