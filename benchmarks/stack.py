"""A stack of its own for a benchmark: the processes of `make up` on free ports, with a folder that goes afterwards."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from config.up.layout import ROOT, Layout
from config.up.ports import Ports
from config.up.stack import Stack

LONGEST_START = 120.0


def free_ports(count: int) -> int:
    """Return the first of `count` consecutive free ports of loopback."""
    for first in range(20_000, 60_000, 10):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise SystemExit("No consecutive free ports were found.")


class BenchStack:
    """`make up` in a temporary folder; a context manager that ends what it started."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="alerting-bench-"))
        self.folder.chmod(0o755)
        self.ports = Ports(free_ports(6))
        # Where the receiver of the probes listens: the one port of this machine that channels may reach.
        self.sink_port = self.ports.web + 5
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> "BenchStack":
        self._log = (self.folder / "up.log").open("wb")
        env = os.environ | {"VAR_DIR": str(self.folder), "PORT": str(self.ports.web), "LOG_LEVEL": "WARNING"}
        env["SIMULATE_METRICS"] = "0"
        env["EGRESS_LOOPBACK_PORTS"] = f"{self.sink_port},{self.ports.inbox},{self.ports.smtp}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "config.up"], cwd=ROOT, env=env, stdout=self._log, stderr=subprocess.STDOUT
        )
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> None:
        up = self.folder / "up.json"
        deadline = time.monotonic() + LONGEST_START
        while not up.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                sys.stderr.write((self.folder / "up.log").read_text(errors="replace")[-4000:])
                raise SystemExit("The stack did not come up.")
            time.sleep(0.2)
        self.facts = json.loads(up.read_text())

    def environment(self) -> dict[str, str]:
        """Return the environment of the stack's own processes, to read its database with the service's code."""
        return Stack(Layout(var=self.folder), self.ports, "benchmark").env()

    def cpu_seconds(self) -> dict[str, float]:
        """Return CPU seconds used so far by each part, children included."""
        return {name: _tree_seconds(pid) for name, pid in self.facts["pids"].items()}


def _tree_seconds(pid: int) -> float:
    try:
        parent = psutil.Process(pid)
        # Children that ended count through their parent; those that live are asked one by one.
        own = parent.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in parent.children(recursive=True):
            times = child.cpu_times()
            total += times.user + times.system
        return float(total)
    except psutil.NoSuchProcess:
        return 0.0
