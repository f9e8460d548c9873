"""What every test gets: real servers of the run's own, a database per worker, and settings that point there.

Settings are read when Django is set up, and test folders import models while pytest still collects its
options: so the servers start here, at import, in the controlling process; xdist's workers inherit their addresses.
"""

import atexit
import os
from collections.abc import Iterator

import django
import pytest
import redis
from pytest_django.plugin import DjangoDbBlocker

from tests import servers
from tests.fakes.served import pagerduty, slack, twilio  # noqa: F401  (fixtures of all tests)

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
RUN_SERVERS = servers.RunServers() if WORKER == "main" else None
COORDINATES = RUN_SERVERS.coordinates if RUN_SERVERS else servers.Coordinates.from_environment()
if RUN_SERVERS:
    atexit.register(RUN_SERVERS.stop)

os.environ.update(COORDINATES.environment(WORKER))
django.setup()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let golden files be written anew."""
    parser.addoption("--update-golden", action="store_true", help="write tests/channels/golden anew")


def pytest_configure(config: pytest.Config) -> None:
    """Keep pytest-django from loading the settings in xdist's workers before they have their own database."""
    if RUN_SERVERS and config.getoption("numprocesses", None):
        del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure() -> None:
    """End the servers with the run."""
    if RUN_SERVERS:
        atexit.unregister(RUN_SERVERS.stop)
        RUN_SERVERS.stop()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Give this worker its database: a copy of a template that the first worker migrates as the owner."""
    from django.db import connections

    with django_db_blocker.unblock():
        with servers.template_lock(COORDINATES) as connection:
            if not servers.database_exists(connection, servers.TEMPLATE):
                migrate_template(connection)
            servers.recreate_database(connection, servers.database_of(WORKER), servers.TEMPLATE)
        yield
        connections.close_all()


def migrate_template(connection: servers.Connection) -> None:
    """Make the template database with the owner's role, as a deployment does."""
    from django.core.management import call_command
    from django.db import connections

    unfinished = f"{servers.TEMPLATE}_new"
    servers.recreate_database(connection, unfinished, "alerting")
    owner, application = connections["owner"], connections["default"]
    name = owner.settings_dict["NAME"]
    owner.settings_dict["NAME"] = application.settings_dict["NAME"] = unfinished
    try:
        call_command("migrate", database="owner", verbosity=0, interactive=False)
    finally:
        owner.close()
        application.close()
        owner.settings_dict["NAME"] = application.settings_dict["NAME"] = name
    servers.rename_database(connection, unfinished, servers.TEMPLATE)


@pytest.fixture
def committed_db(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """Let a test commit for real, so that other processes see it; afterwards the database is made anew.

    Takes the place of `transactional_db`, which needs the right to TRUNCATE that the application's role lacks.
    """
    from django.db import connections

    if request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(request.fixturenames):
        pytest.fail("A test uses committed_db or the rolled back transaction of db / django_db, not both.")
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            connections.close_all()
            with servers.template_lock(COORDINATES) as connection:
                servers.recreate_database(connection, servers.database_of(WORKER), servers.TEMPLATE)


@pytest.fixture
def service_env() -> dict[str, str]:
    """Return the environment for a process of the service that works on this worker's database and Valkey."""
    return servers.outer_environment()


@pytest.fixture
def fresh_limits() -> Iterator[None]:
    """Forget, before and after, what this process remembers of rates, backlogs and series."""
    from alerting import backlog, rate_limit
    from metrics import limiting
    from metrics.storage import directory

    def forget() -> None:
        for one in (backlog, rate_limit, limiting.backlog, directory):
            one.forget()  # type: ignore[attr-defined]

    forget()
    yield
    forget()


@pytest.fixture(scope="session")
def _valkey() -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _empty_valkey(_valkey: redis.Redis) -> None:
    """Start every test without buckets, bells and cached answers of the one before."""
    _valkey.flushdb()
