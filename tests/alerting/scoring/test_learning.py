"""From a tenant's past to what its next alerts are said to be."""

import json
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.test import Client

from alerting.explain import explain, explain_alert
from alerting.lifecycle import acknowledge
from alerting.matchers import LEVEL
from alerting.models import AlertingPolicy, Scoring, ScoringModel
from alerting.scoring import latest, learning
from alerting.scoring.numerics.urgency import UrgencyModel
from tests.alerting.scenes import Scene, alert
from tests.factories import make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh() -> None:
    latest.forget()


@pytest.fixture
def scene() -> Scene:
    """A tenant that acts on production and lets tests pass; racks of four, hosts that are new every time."""
    scene = Scene()
    scene.route(scene.channel())
    scene.group_by("rack")
    scene.flush()
    tests = [("Down", {"rack": f"test-{n // 4}", "host": f"t{n}", "env": "test", "job": "node"}) for n in range(120)]
    scene.run(*[alert(name, **labels) for name, labels in tests])
    scene.run(*[alert("Down", rack=f"prod-{n // 4}", host=f"p{n}", env="prod", job="node") for n in range(120)])
    for group in scene.groups():
        if group.labels["rack"].startswith("prod"):
            acknowledge(scene.principal, group.pk)
    scene.run(*[alert(name, "resolved", **labels) for name, labels in tests])
    return scene


def learn(scene: Scene) -> int:
    """Refit, and let this thread ask for the models at once, not within a minute."""
    count = learning.learn(scene.id)
    latest.forget()
    return count


def policy(scene: Scene, **fields: Any) -> None:
    with scene.context():
        AlertingPolicy.objects.update_or_create(defaults=fields)
    scene.flush()


def models(scene: Scene) -> dict[str, ScoringModel]:
    with scene.context():
        return {model.kind: model for model in ScoringModel.objects.all()}


def scores(scene: Scene, **labels: str) -> dict[str, Any]:
    scene.feed(alert(**{"host": "next", "rack": "next", "job": "node", **labels}))
    (found,) = [one for one in scene.alerts() if one.labels["host"] == "next"]
    return found.scores


def test_before_anything_is_learned_nothing_is_said(scene: Scene) -> None:
    assert scores(scene, env="prod") is None


def test_it_learns_what_people_act_on_and_what_is_usual(scene: Scene) -> None:
    assert learn(scene) == 2
    kinds = models(scene)
    assert kinds["urgency"].examples == 60
    assert kinds["urgency"].quality["precision"] > 0.9
    assert kinds["novelty"].examples == 240
    said = scores(scene, env="prod")
    assert said["urgency"]["suggests"] == 40
    assert said["urgency"]["was"] == said["urgency"]["becomes"] == 20
    assert ["env=prod", pytest.approx(said["urgency"]["factors"][0][1])] == said["urgency"]["factors"][0]
    assert said["novelty"]["probability"] > 0.05


def test_what_was_never_seen_is_called_unusual(scene: Scene) -> None:
    learn(scene)
    said = scores(scene, name="Meteor", env="moon")
    assert said["novelty"]["probability"] < 0.1
    assert "name" in said["novelty"]["reasons"]


def test_it_annotates_until_it_may_more(scene: Scene) -> None:
    learn(scene)
    scores(scene, env="prod")
    assert scene.alerts(labels__host="next")[0].severity == 20


def test_once_trusted_and_allowed_it_changes_severities(scene: Scene) -> None:
    learn(scene)
    policy(scene, scoring=Scoring.APPLY, trust_floor=0.9)
    assert scores(scene, env="prod")["urgency"]["becomes"] == 40
    raised = scene.alerts(labels__host="next")[0]
    assert raised.severity == 40
    assert raised.labels[LEVEL] == "critical"


def test_allowed_but_not_trusted_it_only_annotates(scene: Scene) -> None:
    learn(scene)
    policy(scene, scoring=Scoring.APPLY, trust_floor=0.8)
    with scene.context():
        model = ScoringModel.objects.get(kind="urgency")
        weak = UrgencyModel.load(bytes(model.data))
        assert weak.quality is not None
        weak.quality = msgspec.structs.replace(weak.quality, precision=0.7)
        ScoringModel.objects.filter(pk=model.pk).update(data=weak.dump())
    latest.forget()
    assert (
        scores(scene, env="prod")["urgency"] | {"suggests": 40, "becomes": 20} == scores(scene, env="prod")["urgency"]
    )


@pytest.mark.parametrize(("floor", "becomes"), [(20, 20), (30, 30), (10, 10), (40, 40)])
def test_it_lowers_none_below_the_floor(scene: Scene, floor: int, becomes: int) -> None:
    learn(scene)
    policy(scene, scoring=Scoring.APPLY, trust_floor=0.5, severity_floor=floor)
    scene.feed(alert("Down", severity="critical", host="next", rack="next", env="test", job="node"))
    (found,) = scene.alerts(labels__host="next")
    assert found.scores["urgency"]["suggests"] == 10
    assert found.severity == becomes


def test_it_learns_from_what_senders_said_not_from_itself(scene: Scene) -> None:
    learn(scene)
    policy(scene, scoring=Scoring.APPLY, trust_floor=0.5)
    scores(scene, env="prod")
    with scene.context():
        rows = learning.fetch(learning._GROUPS, [str(scene.id), 5_000, list(learning.ACTS)])
    assert {severity for _group, _alert, severity, *_rest in rows} == {20}


def test_off_is_off(scene: Scene) -> None:
    learn(scene)
    policy(scene, scoring=Scoring.OFF)
    assert scores(scene, env="prod") is None
    assert learn(scene) == 0


def test_a_model_of_another_version_costs_no_alert(scene: Scene) -> None:
    with scene.context():
        ScoringModel.objects.create(kind="novelty", data=b"\x80", examples=1)
    assert scores(scene, env="prod") is None


def test_another_tenant_learns_nothing_of_it(scene: Scene) -> None:
    learn(scene)
    other = Scene()
    other.route(other.channel())
    other.flush()
    assert scores(other, env="prod") is None
    assert learn(other) == 0
    assert {scene.id, other.id} <= set(learning.tenants())
    assert isinstance(other.id, UUID)


def test_explain_tells_it_before_and_after(scene: Scene) -> None:
    learn(scene)
    body = json.dumps({"labels": {"alertname": "Meteor", "host": "next", "rack": "next", "env": "prod", "job": "node"}})
    foretold = explain(scene.id, body.encode())
    scores(scene, name="Meteor", env="prod")
    told = explain_alert(scene.id, scene.alerts(labels__host="next")[0].pk)
    for explanation in (foretold, told):
        (step,) = [one for one in explanation.steps if one.kind == "scoring"]
        assert "critical would fit" in step.sentence
        assert "env=prod" in step.sentence


def test_the_page_of_a_group_says_which_severity_would_fit_and_why(scene: Scene) -> None:
    learn(scene)
    scores(scene, env="prod")
    (found,) = scene.alerts(labels__host="next")
    client = Client()
    client.force_login(make_member(scene.tenant, "viewer"))
    page = client.get(f"/admin/alerting/alertgroup/{found.group_id}/change/").content.decode()
    assert "Sent as warning; critical would fit: people act on" in page
    assert "(more often with env=prod" in page
