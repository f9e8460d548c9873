"""The flush: who is told, why, who is not and why not, and when it is looked at again."""

from datetime import time, timedelta
from time import sleep

import pytest

from alerting.due_groups import firing_number
from alerting.lifecycle import acknowledge
from alerting.models import (
    AlertGroup,
    InhibitionRule,
    MaintenanceWindow,
    NotificationLog,
    Route,
    RouteChannel,
    Silence,
    TimelineEvent,
)
from alerting.notifying import flush_due
from channels.models import Channel
from tests.alerting.scenes import Scene, alert, at

pytestmark = pytest.mark.django_db


def silence(scene: Scene, minutes: float = 60, **labels: str) -> Silence:
    with scene.context():
        matchers = [{"name": name, "op": "=", "value": value} for name, value in labels.items()]
        return Silence.objects.create(matchers=matchers, ends_at=at(minutes), comment="planned", author="Alice")


def test_nothing_is_due(scene: Scene) -> None:
    assert flush_due(scene.id) == 0


def test_large_groups_are_looked_at_in_several_turns(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerting.notifying.MAX_ALERTS", 5)
    scene.group_by("rack")
    scene.flush()
    scene.feed(*[alert("Down", rack=rack, host=str(host)) for rack in "abc" for host in range(4)])
    assert [flush_due(scene.id), flush_due(scene.id), flush_due(scene.id)] == [2, 1, 0]
    assert len(scene.told()) == 3


def test_a_group_larger_than_a_turn_comes_alone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerting.notifying.MAX_ALERTS", 2)
    scene.feed(*[alert("Down", host=str(host)) for host in range(7)])
    assert [flush_due(scene.id), flush_due(scene.id)] == [1, 0]
    assert scene.messages()[0].firing_count == 7


def test_first_then_new_then_resolved_then_all_over(scene: Scene) -> None:
    scene.run(alert(host="a"))
    scene.run(alert(host="b"))
    scene.run(alert(host="a", status="resolved"))
    scene.run(alert(host="b", status="resolved"))
    assert [reason for _channel, reason in scene.told()] == ["first", "new_alerts", "resolved", "all_resolved"]
    first, new, some, over = scene.messages()
    assert (first.firing_count, first.resolved_count, first.status) == (1, 0, "firing")
    assert (new.firing_count, new.resolved_count) == (2, 0)
    assert (some.firing_count, some.resolved_count, some.status) == (1, 1, "firing")
    assert (over.firing_count, over.status) == (0, "resolved")
    assert scene.group().status == "resolved"
    assert scene.timer() is None


def test_nothing_is_told_twice(scene: Scene) -> None:
    scene.run(alert(host="a"))
    scene.run()
    scene.run(alert(host="a"))
    assert scene.told() == [("ops", "first")]


def test_the_repeat_is_exact(scene: Scene) -> None:
    scene.run(alert(host="a"))
    with scene.context():
        told_at = NotificationLog.objects.get().told_at
    assert scene.timer() == told_at + timedelta(hours=4)
    scene.age(minutes=239)
    scene.flush()
    assert len(scene.told()) == 1
    scene.age(minutes=1.1)
    scene.flush()
    assert scene.told()[1:] == [("ops", "repeat")]
    with scene.context():
        again = NotificationLog.objects.get().told_at
    assert scene.timer() == again + timedelta(hours=4)


def test_a_channel_that_wants_no_end_is_not_told_of_it(scene: Scene) -> None:
    with scene.context():
        Channel.objects.update(send_resolved=False)
    scene.run(alert(host="a"))
    scene.run(alert(host="a", status="resolved"))
    assert scene.told() == [("ops", "first")]
    assert "not_told:resolve_not_wanted" in scene.kinds()
    assert scene.group().status == "resolved"


def test_no_route_and_no_channel_are_said_once() -> None:
    scene = Scene()
    scene.run(alert(host="a"))
    scene.run()
    scene.run(alert(host="b"))
    assert scene.deliveries() == []
    assert scene.kinds().count("not_told:no_channel") == 1


def test_a_route_that_is_mended_tells_what_nobody_heard() -> None:
    scene = Scene()
    scene.run(alert(host="a"))
    scene.route(scene.channel())
    scene.flush()
    assert scene.told() == [("ops", "first")]


def test_a_channel_that_is_off_is_said_and_told_when_it_is_on_again(scene: Scene) -> None:
    with scene.context():
        Channel.objects.update(is_active=False)
    scene.run(alert(host="a"))
    assert scene.deliveries() == []
    assert "not_told:channel_off" in scene.kinds()
    with scene.context():
        Channel.objects.update(is_active=True)
    scene.flush()
    assert scene.told() == [("ops", "first")]


def test_a_silence_mutes_with_its_reason_and_its_end_tells(scene: Scene) -> None:
    silence(scene, host="a")
    scene.run(alert(host="a"))
    assert scene.deliveries() == []
    (muted,) = scene.alert().muted_by
    assert (muted["kind"], muted["name"]) == ("silence", "planned")
    assert scene.kinds()[-2:] == ["muted:silence", "not_told:all_muted"]
    assert at(59) < scene.timer() < at(61)
    with scene.context():
        Silence.objects.update(starts_at=at(-5), ends_at=at(-1))
    scene.flush()
    assert scene.told() == [("ops", "first")]
    assert scene.alert().muted_by is None
    assert "unmuted" in scene.kinds()


def test_a_silence_that_ends_by_itself_tells(scene: Scene) -> None:
    silence(scene, minutes=0.001, host="a")
    scene.run(alert(host="a"))
    sleep(0.08)
    scene.flush()
    assert scene.told() == [("ops", "first")]


def test_only_what_is_not_muted_is_told(scene: Scene) -> None:
    silence(scene, host="a")
    scene.run(alert(host="a"), alert(host="b"))
    (message,) = scene.messages()
    assert [line.labels["host"] for line in message.alerts] == ["b"]


def test_a_silenced_group_is_not_said_to_be_over_while_it_fires(scene: Scene) -> None:
    scene.run(alert(host="a"))
    silence(scene, host="a")
    scene.run()
    assert scene.told() == [("ops", "first")]
    scene.run(alert(host="a", status="resolved"))
    assert scene.told() == [("ops", "first"), ("ops", "all_resolved")]


def test_an_inhibited_alert_is_told_when_its_source_ends(scene: Scene) -> None:
    with scene.context():
        InhibitionRule.objects.create(
            name="site down",
            source_matchers=[{"name": "alertname", "op": "=", "value": "SiteDown"}],
            target_matchers=[{"name": "alertname", "op": "=", "value": "HostDown"}],
            equal=["site"],
        )
    scene.run(alert("SiteDown", site="x"), alert("HostDown", site="x"), alert("HostDown", site="y"))
    assert sorted(message.title for message in scene.messages()) == ["HostDown", "SiteDown"]
    inhibited = next(
        one for one in scene.alerts() if one.labels["site"] == "x" and one.labels["alertname"] != "SiteDown"
    )
    assert inhibited.muted_by[0]["kind"] == "inhibition"
    scene.feed(alert("SiteDown", status="resolved", site="x"))
    scene.flush()
    assert scene.told()[-1] == ("ops", "new_alerts")


def test_a_new_inhibition_rule_counts_for_sources_that_fire_already(scene: Scene) -> None:
    scene.run(alert("SiteDown", site="x"))
    with scene.context():
        InhibitionRule.objects.create(
            name="site down",
            source_matchers=[{"name": "alertname", "op": "=", "value": "SiteDown"}],
            target_matchers=[{"name": "alertname", "op": "=", "value": "HostDown"}],
            equal=["site"],
        )
    scene.flush()
    scene.run(alert("HostDown", site="x"))
    assert scene.told() == [("ops", "first")]


def test_a_maintenance_window_mutes(scene: Scene) -> None:
    with scene.context():
        now = at(0)
        MaintenanceWindow.objects.create(
            name="nightly", start_date=(now - timedelta(hours=1)).date(), start_time=time(0), duration=timedelta(days=2)
        )
    scene.run(alert(host="a"))
    assert scene.deliveries() == []
    assert scene.alert().muted_by[0]["kind"] == "maintenance"


def test_a_rise_of_severity_goes_to_whom_its_route_names(scene: Scene) -> None:
    with scene.context():
        root = Route.objects.get()
    pager = scene.channel("pager")
    scene.route(pager, parent=root, name="urgent", matchers=[{"name": "severity", "op": "=", "value": "critical"}])
    scene.flush()
    scene.run(alert(host="a", severity="warning"))
    assert scene.told() == [("ops", "first")]
    scene.run(alert(host="a", severity="critical"))
    assert scene.told() == [("ops", "first"), ("pager", "first")]
    assert len(scene.groups()) == 1
    scene.run(alert(host="a", severity="critical", status="resolved"))
    assert sorted(scene.told()[2:]) == [("ops", "all_resolved"), ("pager", "all_resolved")]


def test_a_rise_of_severity_on_the_same_route_is_told(scene: Scene) -> None:
    scene.run(alert(host="a", severity="warning"))
    scene.run(alert(host="a", severity="error"))
    scene.run(alert(host="a", severity="info"))
    assert [reason for _channel, reason in scene.told()] == ["first", "severity_raised"]
    assert scene.messages()[1].severity == 30


def test_an_acknowledged_group_is_not_repeated_but_news_is_told(scene: Scene) -> None:
    scene.run(alert(host="a"))
    acknowledge(scene.principal, scene.group().pk)
    scene.age(minutes=300)
    scene.run()
    assert scene.told() == [("ops", "first")]
    assert "not_told:acknowledged" in scene.kinds()
    scene.run(alert(host="b"))
    scene.run(alert(host="b", severity="critical"))
    assert [reason for _channel, reason in scene.told()] == ["first", "new_alerts", "severity_raised"]


def test_flapping_is_told_once_and_its_end_once() -> None:
    scene = Scene()
    scene.policy(flap_enter=4, flap_leave=1)
    scene.route(scene.channel())
    scene.flush()
    scene.run(alert(host="a"))
    for _ in range(6):
        scene.feed(alert(host="a", status="resolved"))
        scene.run(alert(host="a"))
    reasons = [reason for _channel, reason in scene.told()]
    assert reasons.count("flapping") == 1
    told = len(reasons)
    for _ in range(4):
        scene.run(alert(host="a", status="resolved"))
        scene.run(alert(host="a"))
    assert len(scene.told()) == told
    assert scene.group().status == "firing"
    assert scene.timer() < at(31)
    scene.age(minutes=45)
    scene.run()
    assert scene.told()[-1] == ("ops", "stopped_flapping")
    assert not scene.group().is_flapping


def test_a_group_that_flaps_stays_open_while_nothing_fires() -> None:
    scene = Scene()
    scene.policy(flap_enter=3, flap_leave=1)
    scene.route(scene.channel())
    scene.flush()
    scene.run(alert(host="a"))
    for status in ("resolved", "firing", "resolved"):
        scene.feed(alert(host="a", status=status))
    scene.run()
    assert scene.group().is_flapping
    assert scene.group().status == "firing"
    scene.age(minutes=45)
    scene.run()
    assert scene.group().status == "resolved"


def test_each_recipient_has_a_delivery_and_a_log_of_its_own(scene: Scene) -> None:
    settings = {
        "host": "mail.example.org",
        "from_address": "alerts@example.org",
        "to": ["a@example.org", "b@example.org"],
    }
    with scene.context():
        mail = Channel.objects.create(name="mail", kind="email", settings=settings)
        RouteChannel.objects.create(route=Route.objects.get(), channel=mail)
    scene.run(alert(host="a"))
    with scene.context():
        logs = sorted(NotificationLog.objects.values_list("recipient", flat=True))
    assert len(scene.deliveries()) == 3
    assert {"a@example.org", "b@example.org"} < set(logs)


def test_the_message_speaks_the_language_of_its_channel(scene: Scene) -> None:
    with scene.context():
        Channel.objects.update(locale="de")
    scene.run(alert(host="a", annotations={"summary": "kaputt", "runbook_url": "https://runbooks.example.org/down"}))
    (message,) = scene.messages()
    assert message.locale == "de"
    assert message.links[0].url == "https://runbooks.example.org/down"
    assert message.group_url.endswith(f"/admin/alerting/alertgroup/{scene.group().pk}/change/")
    assert message.tenant_slug == scene.tenant.slug


def test_the_timeline_names_the_delivery(scene: Scene) -> None:
    scene.run(alert(host="a"))
    with scene.context():
        event = TimelineEvent.objects.get(kind="told")
    assert event.data["delivery_id"] == str(scene.deliveries()[0].pk)
    assert event.data["channel"] == "ops"


def test_a_timer_without_its_group_goes(scene: Scene) -> None:
    scene.feed(alert(host="a"))
    with scene.context():
        AlertGroup.objects.all().delete()
    scene.flush()
    assert scene.timer() is None


def test_the_number_of_a_firing_is_stable_and_differs_by_cycle() -> None:
    identity = bytes(range(16))
    numbers = {firing_number(identity, cycle) for cycle in range(1, 100)}
    assert len(numbers) == 99
    assert all(-(2**63) <= number < 2**63 for number in numbers)
    assert firing_number(identity, 1) == firing_number(identity, 1)


def test_a_message_says_which_maintenance_concerns_it(scene: Scene) -> None:
    soon = at(90)
    with scene.context():
        for host in ("a", "b"):
            MaintenanceWindow.objects.create(
                name=f"disks of {host}",
                matchers=[{"name": "host", "op": "=", "value": host}],
                start_date=soon.date(),
                start_time=soon.time().replace(microsecond=0),
                duration=timedelta(hours=1),
                time_zone="UTC",
            )
    scene.run(alert(host="a"))
    [message] = scene.messages()
    assert [work.name for work in message.planned] == ["disks of a"]
    assert message.planned[0].ends_at - message.planned[0].starts_at == timedelta(hours=1)
