"""Explain tells whom an escalation would call."""

import json

import pytest

from alerting.explain import Explanation, explain
from tests.alerting.escalation.scenes import Call, level, member_target
from tests.alerting.scenes import alert

pytestmark = pytest.mark.django_db


def told(call: Call, **labels: str) -> Explanation:
    body = {"labels": {"alertname": "DiskFull"} | labels, "severity": "critical"}
    return explain(call.id, json.dumps(body).encode())


def test_the_calls_are_foretold_level_by_level() -> None:
    call = Call()
    ann, deaf = call.person("ann"), call.person("deaf", contact=False)
    call.routed(level(0, member_target(ann)), level(5, member_target(deaf)))
    story = told(call)
    assert (story.verdict, story.summary.endswith("the escalation calls ann.")) == ("passed", True)
    (step,) = [one for one in story.steps if one.kind == "escalation"]
    assert step.sentence == "While nobody acknowledges, the escalation calls ann."
    first, second = step.details
    assert first.sentence.endswith("ann by Webhook; level 1 of “ops”.")
    assert "deaf is not reached (without a verified contact)" in second.sentence
    assert first.at is not None
    assert second.at is not None
    assert (second.at - first.at).total_seconds() == 300


def test_without_a_policy_there_is_nothing_to_tell() -> None:
    call = Call()
    call.route(call.pager)
    assert not [one for one in told(call).steps if one.kind == "escalation"]


def test_a_route_without_channels_is_told_apart_from_one_that_only_calls() -> None:
    call = Call()
    call.routed(level(0, member_target(call.person("ann"))))
    (step,) = [one for one in told(call).steps if one.kind == "route"]
    assert step.sentence.endswith("No channel is set there; its escalation policy calls people.")
    assert step.details[0].sentence == "takes it, and only calls people"
    call.feed(alert(severity="critical"))
    call.flush()
    assert "not_told:only_calls" in call.kinds()
    assert "not_told:no_channel" not in call.kinds()
