"""Explain tells whom an escalation would call."""

import json

import pytest

from alerting.explain import Explanation, explain
from tests.alerting.escalation.scenes import Call, level, member_target

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
    assert first.sentence.endswith("ann by webhook; level 1 of “ops”.")
    assert "deaf is not reached (without a verified contact)" in second.sentence
    assert first.at is not None
    assert second.at is not None
    assert (second.at - first.at).total_seconds() == 300


def test_without_a_policy_there_is_nothing_to_tell() -> None:
    call = Call()
    call.route(call.pager)
    assert not [one for one in told(call).steps if one.kind == "escalation"]
