"""What the supervisor runs: one program, how it is started, and one life of it."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.up.output import Output


@dataclass(frozen=True)
class Program:
    """A program that is to run all the time.

    `before` mends what its last life left behind. `ready_text` is in the line that it says once it works; without
    one it is ready as soon as it runs. Programs of a higher `tier` are stopped before those of a lower one.
    """

    name: str
    command: list[str]
    env: Mapping[str, str]
    cwd: Path
    before: Callable[[], None] | None = None
    popen: Mapping[str, Any] = field(default_factory=dict)
    stop_signal: int = signal.SIGTERM
    grace: float = 10
    tier: int = 1
    ready_text: str = ""


class Life:
    """One process of a program with its group and the thread that reads what it says."""

    def __init__(self, program: Program, output: Output) -> None:
        self.program = program
        self.is_ready = not program.ready_text
        if program.before:
            program.before()
        options = {"cwd": str(program.cwd), **program.popen}
        self.process = subprocess.Popen(
            program.command,
            env=dict(program.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A group of its own: Ctrl-C reaches the supervisor alone, and what a dead parent leaves can be ended.
            start_new_session=True,
            **options,
        )
        self._reader = threading.Thread(target=self._read, args=(output,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def has_ended(self) -> bool:
        """Tell whether the process ended."""
        return self.process.poll() is not None

    def ask_to_stop(self) -> None:
        """Send the program's own signal for an orderly end."""
        if not self.has_ended():
            self.process.send_signal(self.program.stop_signal)

    def wait(self, timeout: float) -> bool:
        """Wait for the end; tell whether it came in time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout)
            return True
        return False

    def clear(self) -> None:
        """End by force whatever of the process group is still there."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(timeout=1)

    def reason(self) -> str:
        """Say how the process ended."""
        code = self.process.returncode
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    def _read(self, output: Output) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self.process.stdout or ():
                text = line.decode(errors="replace").rstrip()
                self.is_ready = self.is_ready or self.program.ready_text in text
                if text:
                    output.line(self.program.name, text)
