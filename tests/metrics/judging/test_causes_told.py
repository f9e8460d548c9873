"""Causes found after an alert was told reach its message, in place and once; so do other alerts of the same cause."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.test import Client

from alerting.late_facts import LateFact, add
from alerting.models import Alert, AlertGroup
from channels.message import Reason
from channels.models import Delivery
from metrics.judging import causes
from metrics.judging.causes import seek_late
from metrics.judging.engine import judge
from metrics.models import Finding
from tests.alerting.callbacks import test_slack
from tests.factories import make_member
from tests.metrics.judging.world import World

pytestmark = pytest.mark.django_db
MINUTES = 26 * 60
slack = test_slack.world


class Story:
    """Latencies follow a queue by five minutes; the alert comes before anybody can say what moved with it."""

    def __init__(self, slack: Any) -> None:
        self.slack, self.scene, self.series = slack, slack.scene, World(slack.scene.tenant)
        draw = np.random.default_rng(11)
        queue = draw.normal(50, 2, MINUTES + 60)
        queue[MINUTES + 20 :] += 80
        latency = 100 + draw.normal(0, 3, MINUTES + 60)
        latency[MINUTES + 25 :] += 150
        self.values = {
            "queue_depth": queue,
            "latency": latency,
            "temperature": draw.normal(20, 1, MINUTES + 60),
            "logins": draw.normal(500, 20, MINUTES + 60),
        }
        self.come(0, MINUTES + 26)

    def come(self, first: int, last: int) -> None:
        for metric, values in self.values.items():
            self.series.store(*values[first:last], start=first - MINUTES, metric=metric, service="shop")
        judge(self.scene.id)
        self.scene.drain()
        self.slack.deliver()

    def group(self, name: str) -> AlertGroup:
        with self.scene.context():
            return AlertGroup.objects.get(title__startswith=name)

    def updates(self) -> int:
        with self.scene.context():
            return int(Delivery.objects.filter(reason="causes").count())


@pytest.fixture
def story(slack: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    # As when many things are found at once: nobody looks for causes before the alert is sent.
    monkeypatch.setattr(causes, "MOST_AT_ONCE", 0)
    World(slack.scene.tenant).threshold("Slow", metric="latency", settings={"above": 200})
    return Story(slack)


def shown(message: Any) -> str:
    return json.dumps(message.attachments, ensure_ascii=False)


def test_late_causes_change_the_message_in_place(story: Story) -> None:
    message = story.slack.fake.messages[-1]
    assert story.series.finding().causes == []
    assert "queue_depth" not in shown(message)
    story.come(MINUTES + 26, MINUTES + 40)
    count = len(story.slack.fake.messages)
    assert seek_late(story.scene.id) == 1
    story.slack.deliver()
    assert len(story.slack.fake.messages) == count, "nothing is posted anew, and nothing goes into the thread"
    assert "Changed with it, or a few minutes before: queue_depth (service=shop) \u22125 min" in shown(message)
    (alert,) = story.scene.alerts(labels__alertname="Slow")
    assert alert.annotations["moved_with"].startswith("queue_depth")
    assert story.updates() == 1


def test_what_is_said_already_is_told_no_more(story: Story) -> None:
    story.come(MINUTES + 26, MINUTES + 40)
    seek_late(story.scene.id)
    with story.scene.context():
        Finding.objects.update(why={})
    assert seek_late(story.scene.id) == 1
    assert story.updates() == 1


@pytest.fixture
def both(slack: Any, monkeypatch: pytest.MonkeyPatch) -> Story:
    """The queue is watched, too, and is an alert of another group five minutes before."""
    monkeypatch.setattr(causes, "MOST_AT_ONCE", 0)
    World(slack.scene.tenant).threshold("Queue", metric="queue_depth", settings={"above": 100})
    World(slack.scene.tenant).threshold("Slow", metric="latency", settings={"above": 200})
    return Story(slack)


def test_alerts_of_one_cause_name_each_other(both: Story) -> None:
    story = both
    story.come(MINUTES + 26, MINUTES + 40)
    while seek_late(story.scene.id):
        pass
    story.slack.deliver()
    slow, queue = story.group("Slow"), story.group("Queue")
    messages = {
        name: next(m for m in story.slack.fake.messages if name in m.text.splitlines()[0])
        for name in ("latency", "queue")
    }
    assert f"Probably of the same cause: {queue.title}" in shown(messages["latency"])
    assert f"Probably of the same cause: {slow.title}" in shown(messages["queue"])
    client = Client()
    client.force_login(make_member(story.scene.tenant, "viewer"))
    page = client.get(f"/admin/alerting/alertgroup/{slow.pk}/change/").content.decode()
    assert "Probably of the same cause" in page
    assert f"/admin/alerting/alertgroup/{queue.pk}/change/" in page


def test_another_firing_of_the_alert_is_left_alone(story: Story) -> None:
    (alert,) = story.scene.alerts(labels__alertname="Slow")
    late = LateFact(labels=alert.labels, finding_id=str(alert.pk), annotations={"moved_with": "x"})
    with story.scene.context():
        assert add(story.scene.principal, [late], Reason.CAUSES) == 0
        assert "moved_with" not in Alert.objects.get(pk=alert.pk).annotations


def test_many_facts_take_as_many_statements_as_one(story: Story, django_assert_max_num_queries: Any) -> None:
    story.series.threshold("High", metric="logins", settings={"above": 0})
    story.come(MINUTES + 26, MINUTES + 40)
    rows = [one for one in story.scene.alerts() if "finding_id" in one.annotations]
    assert len(rows) == 2
    labels = [{k: v for k, v in one.labels.items() if k != "severity"} for one in rows]
    counts = []
    for number in (1, 2):
        facts = [
            LateFact(labels=names, finding_id=row.annotations["finding_id"], annotations={"moved_with": f"x{number}"})
            for row, names in list(zip(rows, labels, strict=True))[:number]
        ]
        with story.scene.context(), django_assert_max_num_queries(40) as made:
            assert add(story.scene.principal, facts, Reason.CAUSES) == number
        counts.append(len(made))
    assert counts[0] == counts[1]
