"""Whatever happens in whatever order: counters equal the truth, one open group a key, nobody misses a firing alert."""

import random
from collections import Counter, defaultdict

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting import lifecycle
from alerting.auditor import audit
from alerting.due_groups import firing_number
from alerting.models import GroupingRule, NotificationLog, TimelineEvent
from alerting.rows import new_ids
from alerting.stale import resolve_stale
from tests.alerting.scenes import SEVERITIES, Scene, alert

pytestmark = pytest.mark.django_db

HOSTS, RACKS = ("a", "b", "c", "d", "e"), {"a": "1", "b": "1", "c": "2", "d": "2", "e": "3"}

item = st.tuples(
    st.sampled_from(HOSTS), st.sampled_from(["firing", "firing", "resolved"]), st.sampled_from(list(SEVERITIES))
)
step = st.one_of(
    st.tuples(st.just("feed"), st.lists(item, min_size=1, max_size=8)),
    st.tuples(st.just("flush"), st.none()),
    st.tuples(st.just("stale"), st.none()),
    st.tuples(st.just("acknowledge"), st.integers(0, 5)),
    st.tuples(st.just("resolve"), st.integers(0, 5)),
    st.tuples(st.just("regroup"), st.sampled_from(["rack", "host"])),
)


def act(scene: Scene, name: str, value: object) -> None:
    if name == "feed":
        scene.feed(*[alert("Down", status, severity, host=host, rack=RACKS[host]) for host, status, severity in value])
    elif name == "flush":
        scene.run()
    elif name == "stale":
        scene.age(minutes=16)
        resolve_stale(scene.id)
    elif name == "regroup":
        with scene.context():
            GroupingRule.objects.update(group_by=[value])
    else:
        still_open = [group for group in scene.groups() if group.status != "resolved"]
        if still_open:
            getattr(lifecycle, name)(scene.principal, still_open[int(value) % len(still_open)].pk)


def check(scene: Scene) -> None:
    """The invariants that hold after every step."""
    members, firing, severity = Counter(), Counter(), defaultdict(int)
    flapping = set()
    for one in scene.alerts():
        members[one.group_id] += 1
        if one.is_flapping:
            flapping.add(one.group_id)
        if one.status == "firing":
            firing[one.group_id] += 1
            severity[one.group_id] = max(severity[one.group_id], one.severity)
            assert one.resolved_at is None
        else:
            assert one.resolved_at is not None
            assert one.resolved_because
    groups = scene.groups()
    still_open = [group for group in groups if group.status != "resolved"]
    assert len({bytes(group.key) for group in still_open}) == len(still_open)
    for group in groups:
        assert group.firing_count == firing[group.pk]
        if group.status == "resolved":
            assert group.firing_count == 0
            continue
        assert group.alert_count == members[group.pk]
        assert group.is_flapping == (group.pk in flapping)
        if firing[group.pk]:
            assert group.severity == severity[group.pk]


def check_told(scene: Scene) -> None:
    """Once all timers ran, the channel was told of every firing alert, and of nothing that is over as firing."""
    with scene.context():
        logs = {log.group_id: log for log in NotificationLog.objects.all()}
    for one in scene.alerts(status="firing"):
        number = firing_number(bytes(one.fingerprint), one.cycle)
        assert one.is_flapping or number in logs[one.group_id].firing
    for group in scene.groups():
        if group.status == "resolved" and group.pk in logs:
            assert logs[group.pk].firing == []
    assert {finding.name: finding.count for finding in audit(scene.id) if finding.count} == {}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(step, min_size=1, max_size=14))
def test_the_invariants_hold_after_any_sequence(steps: list[tuple[str, object]]) -> None:
    scene = Scene()
    scene.group_by("rack")
    scene.route(scene.channel())
    for name, value in steps:
        act(scene, name, value)
        check(scene)
    scene.run()
    check(scene)
    check_told(scene)


@settings(max_examples=15, deadline=None)
@given(items=st.lists(item, min_size=1, max_size=30), seed=st.integers(0, 1000))
def test_how_alerts_are_cut_into_requests_and_drains_makes_no_difference(
    items: list[tuple[str, str, str]], seed: int
) -> None:
    alerts = [alert("Down", status, severity, host=host, rack=RACKS[host]) for host, status, severity in items]
    whole, cut = Scene(), Scene()
    whole.group_by("rack")
    cut.group_by("rack")
    whole.feed(*alerts)
    chance = random.Random(seed)
    rest = alerts
    while rest:
        size = chance.randint(1, len(rest))
        cut.send(*rest[:size])
        rest = rest[size:]
        if chance.random() < 0.5:
            cut.drain()
    cut.drain()

    def picture(scene: Scene) -> list[tuple[object, ...]]:
        return sorted(
            (one.labels["host"], one.status, one.cycle, one.repeat_count, len(one.changes), one.group_id is not None)
            for one in scene.alerts()
        )

    def kinds(scene: Scene) -> Counter[str]:
        with scene.context():
            found = TimelineEvent.objects.exclude(kind="severity_changed").values_list("kind", flat=True)
            return Counter(kind for kind in found if kind not in ("flapping_started", "opened"))

    assert picture(whole) == picture(cut)
    assert kinds(whole) == kinds(cut)
    assert sorted(group.firing_count for group in whole.groups()) == sorted(
        group.firing_count for group in cut.groups()
    )


def test_ids_of_a_batch_rise() -> None:
    ids = new_ids(10_000)
    assert ids == sorted(ids)
    assert len(set(ids)) == 10_000
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM unnest(%s::uuid[]) AS u (id) WHERE substr(id::text, 15, 1) = '7'", [ids])
        assert cursor.fetchone() == (10_000,)
