"""One `make up` per checkout, and no process of a killed one left behind."""

import contextlib
import fcntl
import json
import os
import signal
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from config.embedded.errors import OperatorError

MARK = "ALERTING_RUN_ID"


@dataclass
class Run:
    """The present run: its lock, and the mark every process it starts carries in its environment."""

    id: str
    lock: IO[str]

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
            raise OperatorError(
                f"`make up` already runs in this checkout ({lock.read().strip() or 'starting'})."
            ) from None
        record = folder / "up.run"
        if record.exists():
            end_processes_of_run(record.read_text().strip())
        run = cls(uuid.uuid4().hex, lock)
        lock.truncate(0)
        lock.write(json.dumps({"pid": os.getpid(), "port": port}))
        lock.flush()
        record.write_text(run.id)
        return run

    def end(self, folder: Path) -> None:
        """Forget the record of a run that ended in order, and release the lock."""
        (folder / "up.run").unlink(missing_ok=True)
        self.lock.truncate(0)
        self.lock.close()


def end_processes_of_run(run_id: str, timeout: float = 8) -> list[int]:
    """End every process that carries the mark of a run; return their ids.

    The mark is looked up in the living process itself, so a number that was given to another process
    since then is never hit.
    """
    found = processes_of_run(run_id)
    for request in (signal.SIGTERM, signal.SIGKILL):
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(request)
        if not psutil.wait_procs(found, timeout)[1]:
            break
    return [process.pid for process in found]


def processes_of_run(run_id: str) -> list[psutil.Process]:
    """Return the living processes that carry the mark of a run.

    PostgreSQL is left to its runner, which knows how to end it without a recovery.
    """
    found = []
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error, OSError):
            is_ours = run_id and process.environ().get(MARK) == run_id
            if is_ours and process.info["name"] != "postgres":
                found.append(process)
    return found
