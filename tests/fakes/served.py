"""Fixtures: a fake of each provider, served on loopback, with the settings that lead to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.http import FakeServer
from tests.fakes.pagerduty import FakePagerDuty
from tests.fakes.slack import FakeSlack
from tests.fakes.twilio import FakeTwilio


@pytest.fixture
def slack(settings: Any) -> Iterator[FakeSlack]:
    fake = FakeSlack()
    with FakeServer(fake) as server:
        settings.SLACK_API_BASE_URL = f"{server.url}/api/"
        yield fake


@pytest.fixture
def twilio(settings: Any) -> Iterator[FakeTwilio]:
    fake = FakeTwilio()
    with FakeServer(fake) as server:
        settings.TWILIO_API_BASE_URL = server.url
        yield fake


@pytest.fixture
def pagerduty(settings: Any) -> Iterator[FakePagerDuty]:
    fake = FakePagerDuty()
    with FakeServer(fake) as server:
        settings.PAGERDUTY_EVENTS_BASE_URL = server.url
        yield fake
