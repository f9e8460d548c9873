"""The service with servers of its own: here, they are killed too."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from config.embedded.postgres import PostgresServer
from config.embedded.valkey import ValkeyServer
from config.up.layout import ROOT
from tests import servers
from tests.fakes.http import FakeServer
from tests.faults.ground import Crowd, Ground
from tests.faults.slacks import Slacks
from tests.stack import Stack, working_on

PASSWORD = "only-for-tests"


@pytest.fixture(scope="package")
def ground(django_db_blocker: DjangoDbBlocker) -> Iterator[Ground]:
    """PostgreSQL, Valkey and the service's processes, started once; each test leaves all of them running."""
    folder = Path(tempfile.mkdtemp(prefix=servers.PREFIX, dir=servers.public_temporary_folder()))
    folder.chmod(0o755)
    servers.write_owner(folder)
    postgres = PostgresServer(folder / "postgres", servers.free_port(), durable=False)
    valkey = ValkeyServer(folder / "valkey", servers.free_port())
    address = postgres.address("alerting_app", PASSWORD, "alerting")
    slacks = Slacks()
    slack = FakeServer(slacks).start()
    env = environment(address, valkey.address()) | {"SLACK_API_BASE_URL": f"{slack.url}/api/"}
    stack = Stack(env, folder / "logs")
    try:
        postgres.start()
        valkey.start()
        postgres.provision("alerting", owner_password=PASSWORD, app_password=PASSWORD, is_test=True)
        migrate(env | {"MIGRATION_DATABASE_URL": postgres.address("alerting_owner", PASSWORD, "alerting")})
        stack.start()
        with django_db_blocker.unblock(), working_on(address):
            yield Ground(stack, postgres, valkey, slacks)
    finally:
        stack.stop()
        slack.stop()
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def crowd(ground: Ground, tmp_path: Path) -> Iterator[Crowd]:
    """Senders and what they were told; whatever was killed runs again afterwards."""
    ground.stack.start()
    made = Crowd(ground, tmp_path)
    yield made
    made.close()
    ground.stack.start()


def environment(database: str, redis: str) -> dict[str, str]:
    env = servers.outer_environment()
    env.pop("MIGRATION_DATABASE_URL", None)
    return env | {"DATABASE_URL": database, "REDIS_URL": redis}


def migrate(env: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "migrate", "--database", "owner", "--verbosity", "0", "--skip-checks"]
    subprocess.run(command, cwd=ROOT, env=env, check=True)
