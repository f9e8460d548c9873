"""The drain: what is new, what is a repeat, what changed, what is old news, and what poisons a batch."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerting.decoding import NativeAlert
from alerting.matchers import level_of
from alerting.models import (
    EnrichmentStep,
    InhibitionRule,
    IntakeQueue,
    IntakeRequest,
    QuarantinedAlert,
    Route,
    Timer,
)
from alerting.pipeline.groups import Groups
from tests.alerting.scenes import Scene, alert, at

pytestmark = pytest.mark.django_db


def many(count: int, start: int = 0, **fields: object) -> list[NativeAlert]:
    return [alert("Down", host=f"host-{number}", **fields) for number in range(start, start + count)]


def test_nothing_waits(scene: Scene) -> None:
    assert scene.drain().alerts == 0


def test_a_drained_request_keeps_its_receipt_and_loses_its_body(scene: Scene) -> None:
    scene.send(alert())
    assert [waiting.tenant_id for waiting in IntakeQueue.objects.all()] == [scene.id]
    scene.drain()
    assert not IntakeQueue.objects.exists()
    with scene.context():
        request = IntakeRequest.objects.get()
    assert request.body is None
    assert request.drained_at is not None
    assert request.accepted == 1


def test_repeats_are_counted_and_leave_no_event(scene: Scene) -> None:
    scene.feed(alert(host="a"))
    before = scene.kinds()
    result = scene.feed(alert(host="a", metric_value=3.5), alert(host="a", metric_value=4.5))
    assert (result.new, result.changed, result.repeated) == (0, 0, 2)
    found = scene.alert()
    assert (found.repeat_count, found.metric_value, found.cycle) == (3, 4.5, 1)
    assert scene.kinds() == before


def test_repeats_within_a_batch_are_one_alert(scene: Scene) -> None:
    result = scene.feed(*[alert(host="a")] * 5)
    assert (result.new, result.alerts) == (1, 5)
    assert scene.alert().repeat_count == 5
    assert scene.kinds() == ["opened", "fired"]


def test_the_order_of_requests_is_kept(scene: Scene) -> None:
    scene.send(alert(host="a"))
    scene.send(alert(host="a", status="resolved"))
    scene.drain()
    assert scene.alert().status == "resolved"
    assert scene.kinds() == ["opened", "fired", "resolved:sender"]


def test_status_flips_within_a_batch_are_changes(scene: Scene) -> None:
    scene.feed(alert(host="a"))
    scene.feed(alert(host="a", status="resolved"), alert(host="a"), alert(host="a", status="resolved"), alert(host="a"))
    found = scene.alert()
    assert (found.status, found.cycle, len(found.changes)) == ("firing", 3, 4)
    assert scene.kinds()[2:] == ["resolved:sender", "fired_again", "resolved:sender", "fired_again"]
    assert scene.group().firing_count == 1


def test_an_alert_that_fires_again_after_its_group_ended_opens_a_new_group(scene: Scene) -> None:
    scene.run(alert(host="a"))
    scene.run(alert(host="a", status="resolved"))
    assert [group.status for group in scene.groups()] == ["resolved"]
    scene.run(alert(host="a"))
    assert [group.status for group in scene.groups()] == ["resolved", "firing"]
    assert scene.alert().group_id == scene.groups()[1].pk


def test_resolved_without_ever_firing_makes_no_group(scene: Scene) -> None:
    scene.run(alert(host="a", status="resolved"))
    assert scene.groups() == []
    assert scene.deliveries() == []
    assert scene.kinds() == ["resolved:never_fired"]


def test_fired_and_resolved_in_one_batch_is_told_to_nobody_and_says_so(scene: Scene) -> None:
    scene.run(alert(host="a"), alert(host="a", status="resolved"))
    assert scene.group().status == "resolved"
    assert scene.deliveries() == []
    assert "not_told:ended_before_told" in scene.kinds()


@pytest.mark.parametrize(
    ("label", "severity", "shown"),
    [
        ("page", "critical", None),
        ("page", "info", "info"),
        ("hot", "critical", "critical"),
        ("critical", "critical", None),
    ],
)
def test_the_level_can_be_matched_whatever_the_label_severity_says(
    label: str, severity: str, shown: str | None, scene: Scene
) -> None:
    sent = alert(host="a", severity=severity)
    sent.labels["severity"] = label
    scene.feed(sent)
    found = scene.alert()
    assert (found.labels["severity"], found.labels.get("severity_level")) == (label, shown)
    assert level_of(found.labels) == severity


def test_a_change_of_severity_is_an_event_and_stays_one_alert(scene: Scene) -> None:
    scene.feed(alert(host="a", severity="warning"))
    scene.feed(alert(host="a", severity="critical"))
    found = scene.alert()
    assert (found.severity, found.labels["severity"]) == (40, "critical")
    assert scene.group().severity == 40
    assert scene.kinds()[-1] == "severity_changed"
    scene.feed(alert(host="a", severity="info"))
    assert scene.group().severity == 10


def test_the_group_keeps_the_highest_severity_of_those_that_fire(scene: Scene) -> None:
    scene.feed(alert(host="a", severity="critical"), alert(host="b", severity="info"))
    assert scene.group().severity == 40
    scene.feed(alert(host="a", severity="critical", status="resolved"))
    assert scene.group().severity == 10
    scene.feed(alert(host="b", severity="info", status="resolved"))
    assert scene.group().severity == 10


def test_word_of_an_earlier_firing_does_not_fire_again(scene: Scene) -> None:
    start = at(-10)
    scene.feed(alert(host="a", starts_at=start))
    scene.feed(alert(host="a", status="resolved", starts_at=start, ends_at=at(-1)))
    scene.feed(alert(host="a", starts_at=start))
    scene.feed(alert(host="a", starts_at=at(-20)))
    found = scene.alert()
    assert (found.status, found.cycle, found.repeat_count) == ("resolved", 1, 4)
    scene.feed(alert(host="a", starts_at=at(0)))
    assert (scene.alert().status, scene.alert().cycle) == ("firing", 2)


def test_the_end_of_an_earlier_firing_does_not_resolve(scene: Scene) -> None:
    scene.feed(alert(host="a", starts_at=at(-5)))
    scene.feed(alert(host="a", status="resolved", starts_at=at(-30), ends_at=at(-20)))
    assert scene.alert().status == "firing"


def test_the_clock_of_a_sender_that_gives_no_start_is_not_compared_with_ours(scene: Scene) -> None:
    scene.feed(alert(host="a"))
    scene.feed(alert(host="a", status="resolved", ends_at=at(-3)))
    assert scene.alert().status == "resolved"


def test_older_news_does_not_shorten_a_promise(scene: Scene) -> None:
    scene.feed(alert(host="a", starts_at=at(-5), ends_at=at(30)))
    scene.feed(alert(host="a", starts_at=at(-50), ends_at=at(-1)))
    assert scene.alert().ends_at > at(20)


def test_ignored_labels_do_not_identify() -> None:
    scene = Scene()
    scene.policy(ignored_labels=["pod"])
    scene.feed(alert(host="a", pod="one"))
    scene.feed(alert(host="a", pod="two"))
    assert scene.alert().repeat_count == 2


def test_enrichment_is_stored_and_grouped_by(scene: Scene) -> None:
    with scene.context():
        EnrichmentStep.objects.create(name="team", kind="static", settings={"labels": {"team": "web"}})
    scene.group_by("team")
    scene.feed(alert("One"), alert("Two"))
    assert scene.group().labels == {"team": "web"}
    found = scene.alerts()[0]
    assert found.labels["team"] == "web"
    assert found.enrichment[0]["name"] == "team"


def test_enrichment_may_set_the_severity_and_repeats_stay_repeats(scene: Scene) -> None:
    with scene.context():
        EnrichmentStep.objects.create(
            name="calm", kind="static", settings={"labels": {"severity": "info"}, "annotations": {}, "overwrite": True}
        )
    scene.feed(alert(host="a", severity="critical"))
    before = scene.kinds()
    scene.feed(alert(host="a", severity="critical"))
    assert scene.alert().severity == 10
    assert scene.alert().repeat_count == 2
    assert scene.kinds() == before


def test_a_broken_rule_is_left_out(scene: Scene) -> None:
    with scene.context():
        EnrichmentStep.objects.create(name="gone", kind="no-such-kind", settings={})
        InhibitionRule.objects.create(name="bad", source_matchers=[{"name": ""}], target_matchers=[])
    scene.run(alert(host="a"))
    assert scene.told() == [("ops", "first")]


def test_flapping_begins_once_and_ends_with_time() -> None:
    scene = Scene()
    scene.policy(flap_enter=4, flap_leave=1)
    scene.feed(alert(host="a"))
    for _ in range(3):
        scene.feed(alert(host="a", status="resolved"))
        scene.feed(alert(host="a"))
    assert scene.alert().is_flapping
    assert scene.group().is_flapping
    assert scene.kinds().count("flapping_started") == 1
    scene.age(minutes=40)
    scene.feed(alert(host="a"))
    assert not scene.alert().is_flapping
    assert not scene.group().is_flapping
    assert scene.kinds()[-1] == "flapping_stopped"


def statements(scene: Scene, *alerts: NativeAlert) -> int:
    scene.send(*alerts)
    with CaptureQueriesContext(connection) as queries:
        scene.drain()
    return len(queries)


def test_500_alerts_cost_as_many_statements_as_50(scene: Scene) -> None:
    scene.group_by("host")
    scene.feed(*many(700))
    scene.flush()

    def mix(count: int, start: int) -> list[NativeAlert]:
        tenth = count // 10
        return [
            *many(tenth, 1000 + start),
            *many(tenth, start, status="resolved"),
            *many(tenth, start + tenth, severity="critical"),
            *many(count - 3 * tenth, start + 2 * tenth),
        ]

    few = statements(scene, *mix(50, 0))
    lots = statements(scene, *mix(500, 60))
    assert lots == few <= 20


def test_a_flush_of_200_groups_costs_as_many_statements_as_one_of_5(scene: Scene) -> None:
    scene.group_by("host")
    scene.flush()

    def flush(count: int, start: int) -> int:
        scene.feed(*many(count, start))
        with CaptureQueriesContext(connection) as queries:
            scene.flush()
        return len(queries)

    few = flush(5, 0)
    assert flush(200, 100) == few
    assert len(scene.deliveries()) == 205


class Poisoned(RuntimeError):
    """What a poisonous alert does."""


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let alerts with the label `poison` fail in the middle of the work."""
    count = Groups.count

    def fail(self: Groups, one: object) -> None:
        if "poison" in (one.row.labels or {}):  # type: ignore[attr-defined]
            raise Poisoned("it burns")
        count(self, one)  # type: ignore[arg-type]

    monkeypatch.setattr(Groups, "count", fail)


@pytest.mark.usefixtures("poison")
def test_a_poisonous_alert_goes_to_quarantine_alone(scene: Scene) -> None:
    scene.send(*many(7), alert("Bad", poison="yes"), *many(6, 7))
    scene.send(*many(3, 20))
    result = scene.drain()
    assert (result.new, result.quarantined, result.alerts) == (16, 1, 17)
    with scene.context():
        (item,) = QuarantinedAlert.objects.all()
    assert item.errors[0]["code"] == "poison"
    assert item.errors[0]["message"] == "it burns"
    assert (item.source, item.item_index) == ("native", 7)
    assert b'"poison":"yes"' in bytes(item.raw)
    assert not IntakeQueue.objects.exists()
    assert scene.group().firing_count == 16


@pytest.mark.usefixtures("poison")
def test_when_everything_fails_it_is_not_the_alerts(scene: Scene) -> None:
    scene.send(*[alert("Bad", poison="yes", host=str(number)) for number in range(60)])
    with pytest.raises(Poisoned):
        scene.drain()
    assert IntakeQueue.objects.count() == 1


def test_a_value_the_database_refuses_is_poison_too(scene: Scene) -> None:
    scene.send(*many(3), alert("Bad", host="nul\x00"))
    result = scene.drain()
    assert (result.new, result.quarantined) == (3, 1)


def test_a_body_that_cannot_be_read_is_refused_whole(scene: Scene) -> None:
    scene.send(alert(host="a"))
    with scene.context():
        IntakeRequest.objects.update(body=b"\xc1 no such list")
    scene.send(alert(host="b"))
    result = scene.drain()
    assert (result.new, result.quarantined) == (1, 1)
    assert not IntakeQueue.objects.exists()


def test_timers_follow_the_route(scene: Scene) -> None:
    critical = [{"name": "severity", "op": "=", "value": "critical"}]
    with scene.context():
        top = Route.objects.get()
        top.group_wait = timedelta(minutes=2)
        top.save()
    scene.route(parent=top, name="urgent", matchers=critical, group_wait=timedelta(0))
    scene.flush()
    result = scene.feed(alert(host="a"))
    assert not result.due_now
    assert at(1.8) < scene.timer() < at(2.1)
    assert scene.feed(alert(host="b", severity="critical")).due_now


def test_a_change_of_a_told_group_waits_for_group_interval(scene: Scene) -> None:
    scene.feed(alert(host="a"))
    scene.flush()
    scene.feed(alert(host="b"))
    assert at(4.8) < scene.timer() < at(5.1)


def test_an_alert_older_than_group_wait_is_told_at_once(scene: Scene) -> None:
    with scene.context():
        Route.objects.update(group_wait=timedelta(minutes=2))
    assert scene.feed(alert(host="a", starts_at=at(-10))).due_now


def test_no_index_holds_what_a_repeat_updates() -> None:
    """Else PostgreSQL could not update in place, and a repeat would cost twice as much."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
            " AND a.attnum = ANY(i.indkey) WHERE i.indrelid = 'alert'::regclass"
        )
        indexed = {row[0] for row in cursor.fetchall()}
    assert "fingerprint" in indexed
    assert indexed.isdisjoint({"last_seen_at", "repeat_count", "metric_value", "ends_at"})


def test_group_rows_of_other_tenants_are_left_alone(scene: Scene) -> None:
    other = Scene()
    other.feed(alert(host="a"))
    scene.feed(alert(host="a"))
    assert scene.group().key == other.group().key
    assert scene.group().pk != other.group().pk
    assert Timer.objects.filter(tenant_id=other.id, kind="group").count() == 1
