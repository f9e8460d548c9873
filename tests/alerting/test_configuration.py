"""The compiled configuration: rebuilt when something changed, never broken by one row."""

from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerting.configuration import Compiled, compiled, forget
from alerting.exclusive import Moment, moment
from alerting.models import GroupingRule, InhibitionRule, MaintenanceWindow, Route, Silence
from channels.models import Channel
from tenants.models import Tenant
from tests.alerting.scenes import Scene, at

pytestmark = pytest.mark.django_db

BAD = [{"name": "host", "op": "=~", "value": "("}]


@pytest.fixture(autouse=True)
def _forgetful() -> None:
    forget()


def now_of(scene: Scene) -> Moment:
    with scene.context():
        return moment(scene.id)


def compile_for(scene: Scene) -> Compiled:
    with scene.context():
        return compiled(moment(scene.id))


def test_it_is_compiled_once_until_something_changes() -> None:
    scene = Scene()
    first = compile_for(scene)
    with CaptureQueriesContext(connection) as queries:
        assert compile_for(scene) is first
    assert not any("route" in query["sql"] for query in queries)
    scene.group_by("host")
    second = compile_for(scene)
    assert second is not first
    assert second.revision > first.revision
    assert compile_for(scene) is second


def test_a_new_time_zone_of_the_tenant_counts_too() -> None:
    scene = Scene()
    first = compile_for(scene)
    Tenant.objects.filter(pk=scene.id).update(time_zone="Asia/Tokyo")
    assert compile_for(scene) is not first


def test_tenants_do_not_share_one() -> None:
    one, other = Scene(), Scene()
    one.route(one.channel())
    assert compile_for(one).routes is not None
    assert compile_for(other).routes is None


def test_each_kind_of_broken_row_is_left_out_with_its_reason() -> None:
    scene = Scene()
    scene.route(scene.channel())
    with scene.context():
        root = Route.objects.get()
        broken = Route.objects.create(parent=root, name="broken", matchers=BAD)
        Route.objects.create(parent=broken, name="below", matchers=[])
        GroupingRule.objects.create(name="bad", matchers=BAD)
        Silence.objects.create(matchers=BAD, ends_at=at(5), comment="bad")
        InhibitionRule.objects.create(name="bad", source_matchers=BAD, target_matchers=[])
        MaintenanceWindow.objects.create(
            name="never",
            start_date=date(2026, 1, 1),
            start_time=time(1),
            duration=timedelta(hours=1),
            rrule="FREQ=NEVER",
        )
        Channel.objects.create(name="unknown", kind="pigeon")
    found = compile_for(scene)
    assert {fault.kind for fault in found.faults} == {
        "route",
        "groupingrule",
        "silence",
        "inhibitionrule",
        "maintenancewindow",
        "channel",
    }
    assert all(fault.message for fault in found.faults)
    assert found.routes is not None
    assert [route.name for route in found.routes.route({"host": "x"})] == ["root"]


def test_a_silence_that_is_over_is_not_even_read() -> None:
    scene = Scene()
    with scene.context():
        matchers = [{"name": "host", "op": "=", "value": "a"}]
        Silence.objects.create(matchers=matchers, starts_at=at(-10), ends_at=at(-5), comment="over")
        Silence.objects.create(matchers=matchers, starts_at=at(-10), ends_at=at(5), comment="on")
    found = compile_for(scene)
    assert [mute.name for mute in found.silences.muting({"host": "a"}, now_of(scene).now)] == ["on"]
