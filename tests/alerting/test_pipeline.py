"""The pipeline as a whole: sent, drained, grouped, flushed, told."""

import pytest

from tests.alerting.scenes import Scene, alert

pytestmark = pytest.mark.django_db


def test_an_alert_becomes_a_delivery() -> None:
    scene = Scene()
    scene.route(scene.channel())
    scene.flush()
    result = scene.feed(alert("Down", host="a"))
    assert (result.alerts, result.new, result.opened_groups, result.due_now) == (1, 1, 1, True)
    scene.flush()
    assert scene.told() == [("ops", "first")]
    (message,) = scene.messages()
    assert message.title == "Down"
    assert scene.kinds() == ["opened", "fired", "told:first"]
