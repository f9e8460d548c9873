"""One `make up` per checkout, and no process of a killed one left behind."""

import contextlib
import fcntl
import json
import os
import signal
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from config.embedded.errors import OperatorError
from config.embedded.processes import end, same_process

MARK = "ALERTING_RUN_ID"


@dataclass
class Run:
    """The present run: its lock, and the mark every process it starts carries in its environment."""

    id: str
    lock: IO[str]
    record: Path

    @classmethod
    def begin(cls, folder: Path, port: int) -> "Run":
        """Take the checkout's lock, end what a killed run left, and record this one.

        The lock is the kernel's and goes with the process, so a stale file never blocks.
        """
        lock = (folder / "up.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "it is starting"
            raise OperatorError(f"`make up` already runs in this checkout ({holder}); stop it first.") from None
        record = folder / "up.run"
        end_left_overs(record)
        run = cls(uuid.uuid4().hex, lock, record)
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, port {port}")
        lock.flush()
        run.keep([])
        return run

    def keep(self, pids: Iterable[int]) -> None:
        """Record the processes of the run with the time each began, which tells them from later ones.

        The mark finds their children too, but a server that renames itself overwrites its environment.
        """
        processes = []
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                processes.append((pid, psutil.Process(pid).create_time()))
        self.record.write_text(json.dumps({"id": self.id, "processes": processes}), encoding="utf-8")

    def end(self) -> None:
        """Forget the record of a run that ended in order, and release the lock."""
        self.record.unlink(missing_ok=True)
        self.lock.truncate(0)
        self.lock.close()


def end_left_overs(record: Path, timeout: float = 8) -> None:
    """End every process of the run that a record tells of; a record that cannot be read tells of none."""
    try:
        run: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
        recorded = [same_process(pid, created) for pid, created in run["processes"]]
        found = {process.pid: process for process in (*recorded, *marked_processes(run["id"])) if process}
    except (OSError, ValueError, KeyError, TypeError):
        return
    # PostgreSQL is left to its runner, which knows how to end it without a recovery.
    others = [process for process in found.values() if process.name() != "postgres"]
    end(others, (signal.SIGTERM, signal.SIGKILL), timeout)


def marked_processes(run_id: str) -> list[psutil.Process]:
    """Return the living processes that carry the mark of a run in their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == run_id:
                found.append(process)
    return found
