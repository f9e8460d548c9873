"""The service's processes with fakes at every way out, for all flows of this folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests import servers
from tests.conftest import COORDINATES, WORKER
from tests.fakes.http import FakeServer
from tests.fakes.slack import FakeSlack
from tests.fakes.smtp import FakeSMTP
from tests.fakes.webhook import FakeWebhook
from tests.flows.house import House, Outside
from tests.stack import Stack, working_on


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
    name = f"flows_{WORKER}"
    with servers.template_lock(COORDINATES) as connection:
        servers.recreate_database(connection, name, servers.TEMPLATE)
    address = COORDINATES.postgres.address("alerting_app", COORDINATES.app_password, name)
    tools = ("PYTEST_", "COV_", "COVERAGE_")
    env = {key: value for key, value in os.environ.items() if not key.startswith(tools)}
    env |= {"DATABASE_URL": address, "SLACK_API_BASE_URL": f"{outside.slack_url}/api/"}
    env.pop("MIGRATION_DATABASE_URL", None)
    stack = Stack(env, Path(tmp_path_factory.mktemp("flows")))
    try:
        stack.start()
        with django_db_blocker.unblock(), working_on(address):
            yield stack
    finally:
        stack.stop()
        with servers.template_lock(COORDINATES) as connection, connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def house(stack: Stack, outside: Outside) -> House:
    """A new tenant with a channel of each kind and one route that tells them all at once."""
    return House(stack, outside)
