"""Keep programs running: start them, start again what dies, stop them all in order."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType

from config.up.output import Output
from config.up.programs import Life, Program

FIRST_DELAY = 0.2
LONGEST_DELAY = 10.0
# A life this long forgives the failures before it.
GOOD_LIFE = 30.0
TICK = 0.25


@dataclass
class Slot:
    """The place of one program: its present life, or when the next one begins."""

    program: Program
    life: Life | None = None
    started_at: float = 0.0
    failures: int = 0
    restart_at: float = 0.0

    def next_delay(self, now: float) -> float:
        """Count the end of a life and return how long to wait before the next."""
        self.failures = 1 if now - self.started_at >= GOOD_LIFE else self.failures + 1
        return min(FIRST_DELAY * 2.0 ** (self.failures - 1), LONGEST_DELAY)


class Supervisor:
    """Runs programs until it is told to stop; `on_change` is called after every start and restart."""

    def __init__(self, output: Output, on_change: Callable[[], None] = lambda: None) -> None:
        self.output = output
        self.on_change = on_change
        self.slots: dict[str, Slot] = {}
        self.stop_requests = 0
        self._wake = threading.Event()

    def listen_to_signals(self) -> None:
        """Stop on Ctrl-C, TERM and hang-up; look at once when a child ends."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_stop_signal)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: self._wake.set())

    @property
    def is_stopping(self) -> bool:
        """Tell whether somebody asked for the end."""
        return self.stop_requests > 0

    def request_stop(self) -> None:
        """Ask for the end; the second time, programs that are still closing are ended by force."""
        self.stop_requests += 1
        self._wake.set()

    def pids(self) -> dict[str, int]:
        """Return the process id of every program that runs."""
        return {name: slot.life.pid for name, slot in self.slots.items() if slot.life}

    def not_ready(self) -> dict[str, str]:
        """Return what keeps programs from being ready: one that died waits for its next life, or has not come far."""
        found = {}
        for name, slot in self.slots.items():
            if slot.life is None:
                found[name] = "it keeps dying"
            elif slot.life.has_ended():
                found[name] = slot.life.reason()
            elif not slot.life.is_ready:
                found[name] = "it is not ready"
        return found

    def process(self, name: str) -> subprocess.Popen[bytes] | None:
        """Return the present process of a program."""
        life = self.slots[name].life
        return life.process if life else None

    def start(self, programs: Iterable[Program]) -> None:
        """Start programs; a first start that is not possible raises OSError or OperatorError."""
        for program in programs:
            slot = self.slots[program.name] = Slot(program)
            self._begin(slot)
        self.on_change()

    def tick(self, longest: float = TICK) -> None:
        """Wait a moment, at most until the next event, then look after every program."""
        self._wake.wait(longest)
        self._wake.clear()
        now = time.monotonic()
        changes = [self._look_after(slot, now) for slot in self.slots.values() if not self.is_stopping]
        if any(changes):
            self.on_change()

    def run_until_stopped(self) -> None:
        """Keep the programs running until somebody asks for the end."""
        while not self.is_stopping:
            self.tick()

    def stop_all(self) -> None:
        """Stop every program, the higher tiers first, each within its grace."""
        self.stop_requests = max(self.stop_requests, 1)
        for tier in sorted({slot.program.tier for slot in self.slots.values()}, reverse=True):
            lives = [slot.life for slot in self.slots.values() if slot.life and slot.program.tier == tier]
            self._stop(lives)
        self.slots.clear()

    def _stop(self, lives: list[Life]) -> None:
        for life in lives:
            life.ask_to_stop()
        started = time.monotonic()
        for life in lives:
            while not life.wait(0.1):
                if time.monotonic() - started > life.program.grace or self.stop_requests > 1:
                    self.output.line(life.program.name, "did not stop in time and is ended by force.")
                    break
            life.clear()

    def _look_after(self, slot: Slot, now: float) -> bool:
        """Notice the end of a life, or begin the next one when its time has come; tell whether one began."""
        if slot.life and slot.life.has_ended():
            slot.life.clear()
            delay = slot.next_delay(now)
            reason = slot.life.reason()
            slot.life, slot.restart_at = None, now + delay
            self.output.line(slot.program.name, f"{reason}; it is started again in {delay:.1f} s.")
        if slot.life is None and now >= slot.restart_at:
            try:
                self._begin(slot)
            # One program that cannot start must not end the others.
            except Exception as error:
                slot.restart_at = now + slot.next_delay(now)
                self.output.line(slot.program.name, f"could not be started: {error}")
                return False
            return True
        return False

    def _begin(self, slot: Slot) -> None:
        slot.started_at = time.monotonic()
        slot.life = Life(slot.program, self.output)

    def _on_stop_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.request_stop()
