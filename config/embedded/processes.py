"""Start servers; tell and end processes that are not our children."""

import contextlib
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil


def start_server(command: list[str], log: Path, popen: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start a server that says what it has to say in a file, in a session of its own: no Ctrl-C reaches it."""
    with log.open("ab") as words:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True, **popen
        )


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process still runs; one that ended but that nobody waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def same_process(pid: int, created: float) -> psutil.Process | None:
    """Return the process that was recorded, or None when its number belongs to a later one by now."""
    try:
        process = psutil.Process(pid)
        return process if abs(process.create_time() - created) < 1 else None
    except psutil.Error:
        return None


def wait_gone(processes: Iterable[psutil.Process], timeout: float) -> bool:
    """Wait until none of the processes runs; tell whether that came in time."""
    deadline = time.monotonic() + timeout
    while any(map(is_alive, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def end(processes: list[psutil.Process], requests: Iterable[int], timeout: float) -> bool:
    """Send one signal after the other until none of the processes runs; tell whether they are gone."""
    for request in requests:
        for process in filter(is_alive, processes):
            with contextlib.suppress(psutil.Error):
                process.send_signal(request)
        if wait_gone(processes, timeout):
            return True
    return False
