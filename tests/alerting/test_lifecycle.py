"""What people do with a group, and what ends by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from alerting import lifecycle
from alerting.lifecycle import IllegalStep, NothingToSilence
from alerting.models import AlertGroup, TimelineEvent
from alerting.stale import resolve_all_stale, resolve_stale
from tenants.models.audit import AuditEntry
from tests.alerting.scenes import Scene, alert, at
from tests.factories import make_member, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(scene: Scene) -> Scene:
    scene.run(alert(host="a"))
    return scene


def audited(scene: Scene) -> list[str]:
    with scene.context():
        return list(
            AuditEntry.objects.filter(action__startswith="alertgroup").order_by("pk").values_list("action", flat=True)
        )


def test_acknowledge_and_back(scene: Scene) -> None:
    group = lifecycle.acknowledge(scene.principal, scene.group().pk, "on it")
    assert (group.status, group.acknowledged_by) == ("acknowledged", "Alice")
    assert scene.kinds()[-1] == "acknowledged"
    group = lifecycle.unacknowledge(scene.principal, group.pk)
    assert (group.status, group.acknowledged_at, group.acknowledged_by) == ("firing", None, "")
    assert audited(scene) == ["alertgroup.acknowledged", "alertgroup.unacknowledged"]


def test_doing_it_again_changes_nothing(scene: Scene) -> None:
    first = lifecycle.acknowledge(scene.principal, scene.group().pk)
    events = scene.kinds()
    again = lifecycle.acknowledge(scene.principal, scene.group().pk)
    assert again.version == first.version
    assert scene.kinds() == events
    assert len(audited(scene)) == 1


def test_what_is_over_cannot_be_acknowledged(scene: Scene) -> None:
    lifecycle.resolve(scene.principal, scene.group().pk)
    with pytest.raises(IllegalStep) as caught:
        lifecycle.acknowledge(scene.principal, scene.group().pk)
    assert caught.value.status == "resolved"
    with pytest.raises(IllegalStep):
        lifecycle.unacknowledge(scene.principal, scene.group().pk)


def test_resolving_by_hand_ends_the_alerts_and_is_told_once(scene: Scene) -> None:
    group = lifecycle.resolve(scene.principal, scene.group().pk, "fixed")
    assert (group.status, group.firing_count) == ("resolved", 0)
    found = scene.alert()
    assert (found.status, found.resolved_because) == ("resolved", "person")
    scene.flush()
    scene.run()
    assert scene.told() == [("ops", "first"), ("ops", "all_resolved")]
    assert scene.timer() is None
    assert "closed:person" in scene.kinds()


def test_resolved_by_hand_stays_so_until_it_fires_anew() -> None:
    scene = Scene()
    start = at(-10)
    scene.run(alert(host="a", starts_at=start))
    lifecycle.resolve(scene.principal, scene.group().pk)
    scene.run(alert(host="a", starts_at=start))
    assert [group.status for group in scene.groups()] == ["resolved"]
    scene.run(alert(host="a", starts_at=at(0)))
    assert [group.status for group in scene.groups()] == ["resolved", "firing"]


def test_a_comment_is_in_the_timeline_and_the_audit_log(scene: Scene) -> None:
    lifecycle.comment(scene.principal, scene.group().pk, "  looking  ")
    with scene.context():
        event = TimelineEvent.objects.get(kind="comment")
    assert (event.actor, event.data["text"]) == ("Alice", "looking")
    assert audited(scene) == ["alertgroup.commented"]
    with pytest.raises(ValueError, match="comment"):
        lifecycle.comment(scene.principal, scene.group().pk, "   ")


def test_a_group_is_given_to_members_only(scene: Scene) -> None:
    member = make_member(scene.tenant, "responder")
    assert lifecycle.assign(scene.principal, scene.group().pk, member).assigned_to == member
    lifecycle.assign(scene.principal, scene.group().pk, member)
    assert scene.kinds().count("assigned") == 1
    assert lifecycle.assign(scene.principal, scene.group().pk, None).assigned_to is None
    with pytest.raises(ValueError, match="member"):
        lifecycle.assign(scene.principal, scene.group().pk, make_member(make_tenant()))


def test_silencing_a_group_mutes_its_alerts(scene: Scene) -> None:
    silence = lifecycle.silence_group(scene.principal, scene.group().pk, at(60), "planned")
    assert silence.matchers == [{"name": "alertname", "op": "=", "value": "Down"}]
    scene.flush()
    assert scene.alert().muted_by[0]["name"] == "planned"
    scene.run(alert(host="b"))
    assert scene.told() == [("ops", "first")]
    assert "silenced" in scene.kinds()


def test_a_group_of_everything_cannot_be_silenced() -> None:
    scene = Scene()
    scene.group_by()
    scene.feed(alert(host="a"))
    with pytest.raises(NothingToSilence):
        lifecycle.silence_group(scene.principal, scene.group().pk, at(60), "all")


def test_a_silence_of_a_group_does_not_reach_alerts_that_have_the_label_it_lacks() -> None:
    scene = Scene()
    scene.group_by("alertname", "site")
    scene.feed(alert(host="a"))
    with scene.context():
        matchers = lifecycle.silence_matchers(scene.group())
    assert {"name": "site", "op": "=", "value": ""} in matchers


def test_the_permission_is_asked_for(scene: Scene) -> None:
    nobody = replace(scene.principal, permissions=frozenset({"view_alerts"}))
    for act in (lifecycle.acknowledge, lifecycle.unacknowledge, lifecycle.resolve):
        with pytest.raises(PermissionDenied):
            act(nobody, scene.group().pk)
    with pytest.raises(PermissionDenied):
        lifecycle.comment(nobody, scene.group().pk, "x")


def test_the_group_of_another_tenant_does_not_exist(scene: Scene) -> None:
    with pytest.raises(AlertGroup.DoesNotExist):
        lifecycle.acknowledge(Scene().principal, scene.group().pk)


class TestStale:
    """Alerts that nobody ends."""

    def test_a_silent_sender(self, scene: Scene) -> None:
        scene.age(minutes=14)
        assert resolve_stale(scene.id) == 0
        scene.age(minutes=2)
        assert resolve_stale(scene.id) == 1
        assert (scene.alert().status, scene.alert().resolved_because) == ("resolved", "stale")
        assert scene.group().firing_count == 0
        scene.flush()
        assert scene.group().status == "resolved"
        assert scene.told()[-1] == ("ops", "all_resolved")
        assert "resolved:stale" in scene.kinds()

    def test_it_fires_again_when_its_sender_is_back(self) -> None:
        scene = Scene()
        start = at(-1)
        scene.run(alert(host="a", starts_at=start))
        scene.age(minutes=20)
        resolve_stale(scene.id)
        scene.run()
        scene.run(alert(host="a", starts_at=scene.alert().starts_at))
        assert scene.alert().status == "firing"
        assert len(scene.groups()) == 2

    def test_a_promised_end_counts_in_place_of_the_time_out(self) -> None:
        scene = Scene()
        scene.feed(alert(host="a", ends_at=at(60)))
        scene.age(minutes=30)
        assert resolve_stale(scene.id) == 0
        scene.age(minutes=31)
        assert resolve_stale(scene.id) == 1
        assert scene.alert().resolved_because == "ended"

    def test_only_what_is_over_ends(self) -> None:
        scene = Scene()
        scene.policy(stale_after=timedelta(minutes=5))
        scene.run(alert(host="a", severity="critical"), alert(host="b"))
        scene.age(minutes=6)
        scene.feed(alert(host="b"))
        assert resolve_all_stale() == 1
        group = scene.group()
        assert (group.firing_count, group.alert_count, group.severity) == (1, 2, 20)
