"""A whole service for one test: `make up` in a folder and on ports of its own, with servers of its own."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from config.up.layout import ROOT, Layout
from tests.servers import free_port, public_temporary_folder

# What a run must not take over from the test's own settings.
NOT_INHERITED = ("PYTEST_", "COV_", "COVERAGE_", "ALERTING_TEST_SERVERS")
OWN_SETTINGS = (
    *("DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL", "ENVIRONMENT", "SECRET_KEY", "FIELD_ENCRYPTION_KEY"),
    *("API_KEY_PEPPER", "PUBLIC_BASE_URL", "ALLOWED_HOSTS", "SLACK_API_BASE_URL", "DJANGO_SETTINGS_MODULE"),
    *("TWILIO_API_BASE_URL", "PAGERDUTY_EVENTS_BASE_URL"),
)


class Run:
    """One `make up`; `module` may name a stand-in with tiny programs."""

    def __init__(
        self, var: Path, port: int | None = None, *, module: str = "config.up", env: Mapping[str, str] | None = None
    ) -> None:
        self.var, self.port = var, port or five_free_ports()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        for name in OWN_SETTINGS:
            inherited.pop(name, None)
        # Into a file: a pipe that nobody reads would stop the programs once it is full.
        self.started = time.monotonic()
        self.ready_after = 0.0
        self.log = var.with_name(f"run-{time.monotonic_ns()}.log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=ROOT,
                # Made-up metrics raise alerts of their own.
                env=inherited
                | {"VAR_DIR": str(var), "PORT": str(self.port), "SIMULATE_METRICS": "0"}
                | dict(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def facts(self, timeout: float = 60) -> dict[str, Any]:
        """Return up.json once it is there."""
        self.wait_until((self.var / "up.json").exists, timeout)
        self.ready_after = self.ready_after or time.monotonic() - self.started
        facts: dict[str, Any] = json.loads((self.var / "up.json").read_text())
        return facts

    def wait_until(self, is_true: Callable[[], bool], timeout: float = 30) -> None:
        """Wait for something to come true while the run goes on; fail with what it said otherwise."""
        deadline = time.monotonic() + timeout
        while not is_true():
            if self.process.poll() is not None:
                pytest.fail(f"The run ended with code {self.process.returncode}: {self.said()}")
            if time.monotonic() > deadline:
                pytest.fail(f"It did not come true within {timeout:.0f} s: {self.said()[-3000:]}")
            time.sleep(0.05)

    def said(self) -> str:
        """Return all that was written to the terminal so far."""
        return self.log.read_text(errors="replace")

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Stop it; return its exit code and all it said."""
        self.process.send_signal(number)
        return self.rest()

    def rest(self, timeout: float = 60) -> tuple[int, str]:
        """Wait for the end; return the exit code and all it said."""
        code = self.process.wait(timeout)
        return code, self.said()


@contextlib.contextmanager
def temporary_var() -> Iterator[Path]:
    """Give a run a place for its data that the database's account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="alerting-up-", dir=public_temporary_folder()))
    folder.chmod(0o755)
    try:
        yield folder / "var"
    finally:
        Layout(var=folder / "var").forget_counters()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(module: str = "config.up", env: Mapping[str, str] | None = None) -> Iterator[Run]:
    """Run the service while the block lasts; its facts are there when the block begins."""
    with temporary_var() as var:
        run = Run(var, module=module, env=env)
        try:
            run.facts(timeout=120)
            yield run
        finally:
            if run.process.poll() is None:
                run.end()


def five_free_ports() -> int:
    """Return the first of five free ports in a row, below those the system gives away."""
    while True:
        first = 10_000 + free_port() % 20_000
        with contextlib.ExitStack() as probes, contextlib.suppress(OSError):
            for port in range(first, first + 5):
                probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
