"""The PostgreSQL and Valkey of one test run: started by the controlling process, shared by its workers."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812

from config.embedded.account import Account
from config.embedded.errors import OperatorError
from config.embedded.postgres import PostgresServer
from config.embedded.processes import same_process
from config.embedded.valkey import ValkeyServer

HANDOVER = "ALERTING_TEST_SERVERS"
PREFIX = "alerting-tests-"
TEMPLATE = "template_tests"
VALKEY_DATABASES = 64


@dataclass(frozen=True)
class Coordinates:
    """What a worker must know to use the servers of its run."""

    folder: str
    postgres_port: int
    valkey_port: int
    owner_password: str
    app_password: str

    @classmethod
    def from_environment(cls) -> "Coordinates":
        """Return what the controlling process wrote for its workers."""
        return cls(**json.loads(os.environ[HANDOVER]))

    @property
    def postgres(self) -> PostgresServer:
        """The server as its owner sees it; only the controlling process starts and stops it."""
        return PostgresServer(Path(self.folder) / "postgres", self.postgres_port, durable=False)

    def environment(self, worker: str) -> dict[str, str]:
        """Return the service's settings for one worker: a database and a Valkey number of its own."""
        postgres, database = self.postgres, database_of(worker)
        number = int("".join(filter(str.isdigit, worker)) or 0) % VALKEY_DATABASES
        return {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "ENVIRONMENT": "test",
            "SECRET_KEY": "only-for-tests-" + "x" * 50,
            # Base64 of 32 zero bytes: a well-formed key that protects nothing but test data.
            "FIELD_ENCRYPTION_KEY": "A" * 43 + "=",
            "API_KEY_PEPPER": "only-for-tests-pepper-" + "x" * 32,
            "DATABASE_URL": postgres.address("alerting_app", self.app_password, database),
            "MIGRATION_DATABASE_URL": postgres.address("alerting_owner", self.owner_password, database),
            "REDIS_URL": f"redis://127.0.0.1:{self.valkey_port}/{number}",
            "PUBLIC_BASE_URL": "http://testserver",
            "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
            "EGRESS_ALLOW_LOOPBACK": "1",
            "LOG_FORMAT": "console",
            HANDOVER: json.dumps(asdict(self)),
        }


class RunServers:
    """The servers of one run, in a temporary folder that goes with them."""

    def __init__(self) -> None:
        remove_left_overs()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=public_temporary_folder()))
        # `nobody` walks through it when root runs the tests.
        self.folder.chmod(0o755)
        write_owner(self.folder)
        self.owner_password, self.app_password = (
            secrets.token_urlsafe(16),
            secrets.token_urlsafe(16),
        )
        with ThreadPoolExecutor(2) as threads:
            postgres, valkey = (
                threads.submit(self._start_postgres),
                threads.submit(self._start_valkey),
            )
            self.postgres, self.valkey = postgres.result(), valkey.result()

    @property
    def coordinates(self) -> Coordinates:
        """What workers must know."""
        return Coordinates(
            str(self.folder),
            self.postgres.port,
            self.valkey.port,
            self.owner_password,
            self.app_password,
        )

    def stop(self) -> None:
        """End both servers and remove their data."""
        self.valkey.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_postgres(self) -> PostgresServer:
        for _ in range(3):
            server = PostgresServer(self.folder / "postgres", free_port(), durable=False)
            try:
                server.start()
            except OperatorError as fault:
                # Somebody took the port between our choice and the start.
                if "in use" not in str(fault) and "could not create any TCP" not in str(fault):
                    raise
                continue
            server.provision(
                "alerting",
                owner_password=self.owner_password,
                app_password=self.app_password,
                is_test=True,
            )
            return server
        raise OperatorError("No free port was found for PostgreSQL.")

    def _start_valkey(self) -> ValkeyServer:
        for _ in range(3):
            server = ValkeyServer(self.folder / "valkey", free_port(), databases=VALKEY_DATABASES)
            try:
                server.start()
            except OperatorError:
                continue
            return server
        raise OperatorError("Valkey did not start on any of three free ports.")


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def public_temporary_folder() -> Path:
    """Return a temporary folder that the account of PostgreSQL can walk to."""
    account = Account.for_postgres()
    for folder in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):
        if folder.is_dir() and os.access(folder, os.W_OK) and account.reaches(folder):
            return folder
    raise OperatorError(
        "No temporary folder is open to the account `nobody`, which runs PostgreSQL for root; set TMPDIR."
    )


def write_owner(folder: Path) -> None:
    """Record which process a folder of servers belongs to."""
    this = psutil.Process()
    (folder / "owner.json").write_text(json.dumps({"pid": this.pid, "created": this.create_time()}))


def remove_left_overs() -> None:
    """End the servers of earlier runs that were killed before they could, and remove their data."""
    for folder in public_temporary_folder().glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            owner = json.loads((folder / "owner.json").read_text())
            if folder.stat().st_uid == os.geteuid() and not same_process(owner["pid"], owner["created"]):
                _end_servers_below(folder)
                shutil.rmtree(folder, ignore_errors=True)


def _end_servers_below(folder: Path) -> None:
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] in {"postgres", "valkey-server"} and str(folder) in " ".join(
            process.info["cmdline"] or []
        ):
            with contextlib.suppress(psutil.Error):
                process.kill()


def database_of(worker: str) -> str:
    """Return the name of a worker's database."""
    return f"test_{worker}"


@contextlib.contextmanager
def template_lock(coordinates: Coordinates) -> Iterator[Connection]:
    """Hold the lock that lets one worker at a time make the template; yields a superuser's connection."""
    with contextlib.closing(coordinates.postgres.connect()) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(20521)")
        yield connection


def database_exists(connection: Connection, name: str) -> bool:
    """Tell whether the server has a database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        return cursor.fetchone() is not None


def rename_database(connection: Connection, old: str, new: str) -> None:
    """Give a database its final name, so that one half made never has it."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)))


def outer_environment() -> dict[str, str]:
    """The environment of this run for a process of the service, without what is meant for pytest and its tools."""
    tools = ("PYTEST_", "COV_", "COVERAGE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(tools)}


def recreate_database(connection: Connection, name: str, template: str) -> None:
    """Make a database anew as a copy of another; whoever is connected to the old one is cut off."""
    target, source = sql.Identifier(name), sql.Identifier(template)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(target))
        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER alerting_owner").format(target, source))
