"""The service's processes with fakes at every way out, for all flows of this folder."""

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.conftest import COORDINATES, WORKER
from tests.fakes.http import FakeServer
from tests.fakes.slack import FakeSlack
from tests.fakes.smtp import FakeSMTP
from tests.fakes.webhook import FakeWebhook
from tests.flows.house import House, Outside
from tests.stack import Stack, stack_of_its_own


@pytest.fixture(scope="package")
def outside() -> Iterator[Outside]:
    slack, hook = FakeSlack(open_house=True), FakeWebhook(secrets=[Outside.secret])
    with FakeServer(slack) as slack_server, FakeServer(hook) as hook_server, FakeSMTP() as mail:
        yield Outside(slack, hook, mail, slack_server.url, hook_server.url)


@pytest.fixture(scope="package")
def stack(
    outside: Outside,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Processes on a database of their own; the models of the test see the same one."""
    url = f"{outside.slack_url}/api/"
    folder = tmp_path_factory.mktemp("flows")
    with (
        django_db_blocker.unblock(),
        stack_of_its_own(COORDINATES, f"flows_{WORKER}", folder, SLACK_API_BASE_URL=url) as stack,
    ):
        yield stack


@pytest.fixture
def house(stack: Stack, outside: Outside) -> House:
    """A new tenant with a channel of each kind and one route that tells them all at once."""
    return House(stack, outside)
