"""A tenant hears of an address that gets nothing more as of any trouble, until somebody takes it off."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from alerting import paused_addresses
from alerting.models import Alert
from alerting.stale import resolve_stale
from alerting.tasks import repeat_paused
from channels.mail import pausing
from channels.models import PausedAddress
from tenants.principal import system
from tests.alerting.scenes import Scene

pytestmark = pytest.mark.django_db
ADDRESS = "olga@example.com"
Why = PausedAddress.Why


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.route(scene.channel())
    return scene


def pause(scene: Scene, why: Why = Why.BOUNCED, address: str = ADDRESS) -> bool:
    with scene.context():
        return pausing.pause(address, why, "550 no such user")


def alerts(scene: Scene) -> list[Alert]:
    scene.drain()
    with scene.context():
        return list(Alert.objects.order_by("id"))


def test_a_dead_address_becomes_an_alert_that_is_told(scene: Scene) -> None:
    pause(scene)
    (alert,) = alerts(scene)
    told = {name: alert.labels[name] for name in ("alertname", "address", "channel_kind")}
    assert told == {"alertname": "AddressPaused", "address": ADDRESS, "channel_kind": "email"}
    assert (alert.status, alert.severity) == ("firing", 20)
    assert alert.annotations["summary"] == f"No more mail goes to {ADDRESS}: mail to it came back."
    assert "550 no such user" in alert.annotations["description"]
    scene.flush()
    assert len(scene.deliveries()) == 1


def test_it_is_said_once_and_in_the_tenants_language(scene: Scene) -> None:
    scene.tenant.locale = "fr"
    scene.tenant.save()
    assert pause(scene)
    assert not pause(scene, Why.COMPLAINED)
    (alert,) = alerts(scene)
    assert alert.repeat_count == 1
    assert alert.annotations["summary"].startswith("Plus aucun e-mail")


def test_taken_off_it_is_over_at_once(scene: Scene) -> None:
    pause(scene)
    assert alerts(scene)[0].status == "firing"
    with scene.context():
        pausing.resume(system(scene.id, "test"), PausedAddress.objects.get())
        assert not PausedAddress.objects.exists()
    (alert,) = alerts(scene)
    assert alert.status == "resolved"


def test_who_wants_no_more_is_told_as_information(scene: Scene) -> None:
    pause(scene, Why.UNSUBSCRIBED)
    assert alerts(scene)[0].severity == 10


def test_while_it_is_paused_the_alert_goes_on_and_then_ends(scene: Scene) -> None:
    pause(scene)
    alerts(scene)
    age(scene, hours=2)
    repeat_paused()
    (alert,) = alerts(scene)
    assert alert.ends_at > timezone.now() + timedelta(hours=2)
    age(scene, hours=2)
    assert resolve_stale(scene.id) == 0
    age(scene, hours=2)
    assert resolve_stale(scene.id) == 1, "nobody said it any more"


def test_each_tenant_hears_of_its_own_and_inactive_ones_of_nothing(scene: Scene) -> None:
    other, gone = Scene(), Scene()
    pause(scene)
    pause(other, address="bob@example.com")
    pause(gone)
    gone.tenant.is_active = False
    gone.tenant.save()
    assert paused_addresses.repeat_all() == 2
    assert [one.labels["address"] for one in alerts(other)] == ["bob@example.com"]


def test_an_alert_that_cannot_be_made_does_not_undo_the_pause(scene: Scene, settings: Any) -> None:
    settings.PAUSED_ADDRESS_OBSERVERS = [f"{__name__}.fail"]
    assert pause(scene)
    with scene.context():
        assert PausedAddress.objects.count() == 1
    assert not alerts(scene)


def fail(*_args: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1/0")


def age(scene: Scene, hours: int) -> None:
    with scene.context(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE alert SET ends_at = ends_at - %s * interval '1 hour' WHERE tenant_id = %s", [hours, scene.id]
        )
