"""Providers that ask for patience by themselves: all of it arrives, and nobody is asked twice as often for that."""

import json
from typing import Any

import pytest

from tests.channels.deliveries import deliver_all_due, let_pass, make_channel, message, put, states
from tests.factories import make_tenant
from tests.fakes.http import FakeServer
from tests.fakes.pace import Pace
from tests.fakes.pagerduty import FakePagerDuty
from tests.fakes.slack import FakeSlack
from tests.fakes.twilio import ACCOUNT, FakeTwilio


class Clock:
    """Stands still until the test moves it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_pace_counts_each_key_by_itself() -> None:
    clock = Clock()
    pace = Pace(0.5, burst=2, clock=clock)
    assert [pace.wait("a") for _ in range(4)] == [0, 0, 2, 2]
    assert pace.wait("b") == 0
    clock.now += 2
    assert [pace.wait("a"), pace.wait("a")] == [0, 2]
    clock.now += 100
    assert [pace.wait("a") for _ in range(3)] == [0, 0, 2], "what is not used is not saved beyond the burst"
    assert pace.refused == 4


SLACK = ({"channel": "C0ALERTS"}, {"token": "xoxb-test"})
NUMBER = "+436641234567"
SMS = ({"to": [NUMBER], "sender": "+15005550006", "account_sid": ACCOUNT}, {"auth_token": "test-token"})
PAGERDUTY: tuple[dict[str, Any], dict[str, str]] = ({}, {"routing_key": "r" * 32})
PROVIDERS: dict[str, tuple[Any, Any, str]] = {
    "slack": (FakeSlack, SLACK, "messages"),
    "sms": (FakeTwilio, SMS, "messages"),
    "pagerduty": (FakePagerDuty, PAGERDUTY, "incidents"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", PROVIDERS)
def test_what_a_provider_refuses_for_now_arrives_later_and_once(kind: str, settings: Any) -> None:
    make, (chosen, credentials), kept = PROVIDERS[kind]
    reader = chosen.get("channel") or NUMBER
    clock = Clock()
    pace = Pace(1 / 30, clock=clock)
    fake, tenant = make(pace=pace), make_tenant()
    with FakeServer(fake) as server:
        settings.SLACK_API_BASE_URL = f"{server.url}/api/"
        settings.TWILIO_API_BASE_URL = settings.PAGERDUTY_EVENTS_BASE_URL = server.url
        options = {"settings": chosen, "credentials": json.dumps(credentials), "rate_per_minute": 6_000}
        channel = make_channel(tenant, kind, **options)
        for title in ("first", "second", "third"):
            put(channel, recipient=reader, message=message(title))
        deliver_all_due(tenant.pk)
        assert len(getattr(fake, kept)) == 1
        assert states(channel) == {"delivered": 1, "pending": 2}
        for _round in range(6):
            clock.now += 61
            let_pass(61, [tenant])
            deliver_all_due(tenant.pk)
    assert states(channel) == {"delivered": 3}
    assert len(getattr(fake, kept)) == 3
    assert 1 <= pace.refused <= 6, "whoever is asked to wait waits"
