"""What the past has to say about a group: those like it, how they ended, what helped."""

import pytest

from alerting.lifecycle import comment, resolve
from alerting.models import AlertGroup
from alerting.scoring.similar import Advice, advice
from tests.alerting.scenes import Scene, alert

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.route(scene.channel())
    scene.group_by("alertname", "host")
    scene.flush()
    return scene


def about(scene: Scene, group: AlertGroup) -> Advice:
    with scene.context():
        return advice(group)


def newest(scene: Scene) -> AlertGroup:
    return scene.groups()[-1]


def past(scene: Scene, name: str, host: str, **annotations: str) -> AlertGroup:
    scene.run(alert(name, host=host, annotations={"summary": "The disk is nearly full", **annotations}))
    return newest(scene)


def test_nothing_before_is_nothing_to_say(scene: Scene) -> None:
    assert about(scene, past(scene, "DiskFull", "a")) == Advice([], [])


def test_those_alike_come_first_with_what_people_wrote(scene: Scene) -> None:
    earlier = past(scene, "DiskFull", "a")
    comment(scene.principal, earlier.pk, "Delete the old logs below /var/log/shop.")
    resolve(scene.principal, earlier.pk)
    scene.run(alert("Login", host="b", annotations={"summary": "People cannot sign in"}))
    now = past(scene, "DiskFull", "c")
    said = about(scene, now)
    assert [one.id for one in said.similar] == [earlier.pk]
    assert said.similar[0].resolved_by == "Alice"
    assert said.similar[0].lasted is not None
    assert [(one.kind, one.text, one.group_id) for one in said.suggestions] == [
        ("note", "Delete the old logs below /var/log/shop.", earlier.pk)
    ]


def test_the_same_alert_come_back_finds_the_group_it_was_in_before(scene: Scene) -> None:
    earlier = past(scene, "DiskFull", "a")
    comment(scene.principal, earlier.pk, "Delete the old logs below /var/log/shop.")
    resolve(scene.principal, earlier.pk)
    scene.run(alert("DiskFull", "resolved", host="a"))
    now = past(scene, "DiskFull", "a")
    assert now.pk != earlier.pk
    said = about(scene, now)
    assert [one.id for one in said.similar] == [earlier.pk]
    assert [one.text for one in said.suggestions] == ["Delete the old logs below /var/log/shop."]


def test_runbook_and_action_of_the_alert_itself_come_before_those_of_the_past(scene: Scene) -> None:
    earlier = past(scene, "DiskFull", "a", runbook_url="https://wiki.example.org/old")
    resolve(scene.principal, earlier.pk)
    now = past(scene, "DiskFull", "b", runbook_url="https://wiki.example.org/disk", action="Grow the volume")
    said = [(one.kind, one.text if one.kind == "action" else one.url) for one in about(scene, now).suggestions]
    assert said == [
        ("action", "Grow the volume"),
        ("runbook", "https://wiki.example.org/disk"),
        ("runbook", "https://wiki.example.org/old"),
    ]


def test_a_link_that_is_no_web_address_is_no_runbook(scene: Scene) -> None:
    now = past(scene, "DiskFull", "a", runbook_url="javascript:alert(1)")
    assert about(scene, now).suggestions == []


def test_what_usually_happens_is_said_from_three_on(scene: Scene) -> None:
    for host in "abc":
        past(scene, "DiskFull", host)
        scene.run(alert("DiskFull", "resolved", host=host, annotations={"summary": "The disk is nearly full"}))
    (pattern,) = about(scene, past(scene, "DiskFull", "d")).suggestions
    assert pattern.kind == "pattern"
    assert pattern.text.startswith("The last 3 like it usually ended by themselves after")


def test_the_statements_do_not_grow_with_the_past(scene: Scene, django_assert_num_queries: object) -> None:
    for host in "abcdef":
        resolve(scene.principal, past(scene, "DiskFull", host).pk)
    now = past(scene, "DiskFull", "g")
    with scene.context(), django_assert_num_queries(2):  # type: ignore[operator]
        assert len(advice(now).similar) == 5


def test_another_tenant_s_past_is_not_told(scene: Scene) -> None:
    resolve(scene.principal, past(scene, "DiskFull", "a").pk)
    other = Scene()
    other.route(other.channel())
    other.flush()
    assert about(other, past(other, "DiskFull", "a")) == Advice([], [])
