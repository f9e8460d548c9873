"""The service's own processes for one test module, each of which can be killed, stopped and started by itself."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.db import connections
from psycopg2.extensions import connection as Connection  # noqa: N812

from config.up.layout import ROOT
from config.up.stack import QUEUES, manage, web_command
from tests import servers
from tests.servers import Coordinates, free_port


def wait_for(is_true: Callable[[], Any], seconds: float = 30, what: str = "") -> float:
    """Wait until something comes true; return after how many seconds, fail when it does not."""
    began = time.monotonic()
    while not is_true():
        if time.monotonic() - began > seconds:
            pytest.fail(f"It did not come true within {seconds:g} s: {what}")
        time.sleep(0.02)
    return time.monotonic() - began


class Part:
    """One process with its children; what it says goes to a file."""

    def __init__(self, name: str, command: list[str], env: Mapping[str, str], log: Path) -> None:
        self.name, self.command, self.env, self.log = name, command, env, log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Part:
        """Begin a life."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def kill(self) -> None:
        """End it and its children by kill -9, all in one moment."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def terminate(self, grace: float) -> tuple[float, int]:
        """Ask it to end; return how long that took and its exit code, fail when the grace is over."""
        assert self.process is not None
        began = time.monotonic()
        self.process.terminate()
        try:
            code = self.process.wait(grace)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{self.name} did not end within {grace:g} s: {self.said()[-2000:]}")
        self.kill()
        return time.monotonic() - began, code

    def said(self) -> str:
        """Return all it wrote, in all its lives."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@dataclass
class Stack:
    """Web, relay and workers over one database and one Valkey."""

    env: dict[str, str]
    folder: Path
    port: int = field(default_factory=free_port)
    extra: list[Part] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {**self.env, "PUBLIC_BASE_URL": self.url, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}
        celery = [str(Path(sys.executable).with_name("celery")), "--quiet", "-A", "config", "worker"]
        celery += ["--loglevel", "INFO", "--without-gossip", "--without-mingle"]
        sending = ["-Q", "notify", "-n", "notifier@%h", "--pool", "threads", "--concurrency", "8"]
        self.web = self.part("web", web_command(self.port))
        self.relay = self.part("relay", manage("relay", "--skip-checks"))
        self.worker = self.part("worker", [*celery, "-Q", f"{QUEUES},metrics", "--concurrency", "2"])
        self.notifier = self.part("notifier", [*celery, *sending])

    def part(self, name: str, command: list[str]) -> Part:
        """Return one more process with the environment of the service."""
        return Part(name, command, self.env, self.folder / f"{name}.log")

    @property
    def parts(self) -> list[Part]:
        """All processes that may run."""
        return [self.web, self.relay, self.worker, self.notifier, *self.extra]

    def start(self) -> None:
        """Start what does not run, and wait until all of it works."""
        began = [part for part in (self.web, self.relay, self.worker, self.notifier) if part.process is None]
        readies = [(part, part.said().count(" ready.")) for part in began if part in (self.worker, self.notifier)]
        for part in began:
            part.start()
        self.wait_web()
        for worker, count in readies:
            wait_for(lambda part=worker, seen=count: part.said().count(" ready.") > seen, 60, f"{worker.name} ready")

    def kill_workers(self) -> None:
        """End all of Celery by kill -9."""
        self.worker.kill()
        self.notifier.kill()

    def wait_web(self) -> None:
        """Wait until requests are answered."""
        wait_for(lambda: self._is_ready(), 60, self.web.said()[-2000:])

    def stop(self) -> None:
        """End every process."""
        for part in self.parts:
            part.kill()

    def request(
        self, method: str, path: str, body: Any = None, token: str = "", timeout: float = 10, **headers: str
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        """Send one request; return status, decoded body and headers. Raises when there is no answer."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        given = {"Content-Type": "application/json", "Authorization": f"Api-Key {token}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            link.request(method, path, None if body is None else json.dumps(body), given)
            answer = link.getresponse()
            text = answer.read()
        finally:
            link.close()
        return answer.status, json.loads(text) if text.strip() else None, answer.headers

    def _is_ready(self) -> bool:
        try:
            return self.request("GET", "/health/ready", timeout=2)[0] == 200
        except (OSError, http.client.HTTPException, ValueError):
            return False


@contextlib.contextmanager
def working_on(address: str) -> Iterator[None]:
    """Let the models of this process work on another database while the block lasts."""
    parts = urlsplit(address)
    link = connections["default"]
    before = dict(link.settings_dict)
    link.close()
    link.settings_dict.update(
        NAME=parts.path.lstrip("/"), USER=parts.username, PASSWORD=parts.password, HOST=parts.hostname, PORT=parts.port
    )
    try:
        yield
    finally:
        link.close()
        link.settings_dict.update({name: before[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")})


@contextlib.contextmanager
def stack_of_its_own(coordinates: Coordinates, name: str, folder: Path, **env: str) -> Iterator[Stack]:
    """Run the service on a database that nobody else has; the models of the test see the same one."""
    with servers.template_lock(coordinates) as link:
        servers.recreate_database(link, name, servers.TEMPLATE)
    address = coordinates.postgres.address("alerting_app", coordinates.app_password, name)
    outer = servers.outer_environment()
    outer.pop("MIGRATION_DATABASE_URL", None)
    stack = Stack(outer | {"DATABASE_URL": address} | env, folder)
    try:
        stack.start()
        with working_on(address):
            yield stack
    finally:
        stack.stop()
        with servers.template_lock(coordinates) as link, link.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def rows(connection: Connection, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask the database as its superuser, whom no tenant's wall stops."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def is_up(address: str) -> bool:
    """Tell whether a database takes connections."""
    try:
        psycopg2.connect(address, connect_timeout=1).close()
    except psycopg2.OperationalError:
        return False
    return True
