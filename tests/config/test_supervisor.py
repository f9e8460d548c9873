"""The supervisor: what dies comes back, later each time; what stops does so in order, and by force if it must."""

import dataclasses
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from config.up.output import Output
from config.up.programs import Program
from config.up.supervisor import Slot, Supervisor


def program(name: str, code: str, tmp_path: Path, **options: object) -> Program:
    return Program(name, [sys.executable, "-u", "-c", code], dict(os.environ), tmp_path, **options)  # type: ignore[arg-type]


class Scene:
    """A supervisor whose output and changes can be read."""

    def __init__(self) -> None:
        self.screen = io.StringIO()
        self.changes = 0
        self.supervisor = Supervisor(Output(self.screen), self._count)

    def _count(self) -> None:
        self.changes += 1

    def tick_until(self, is_true: Callable[[], bool], timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while not is_true():
            assert time.monotonic() < deadline, self.screen.getvalue()
            self.supervisor.tick(0.02)


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.supervisor.request_stop()
    scene.supervisor.request_stop()
    scene.supervisor.stop_all()


SLEEP = "import time; print('up', flush=True); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


def test_killed_program_comes_back_with_another_process(scene: Scene, tmp_path: Path) -> None:
    scene.supervisor.start([program("job", SLEEP, tmp_path)])
    first = scene.supervisor.pids()["job"]
    os.kill(first, signal.SIGKILL)
    scene.tick_until(lambda: scene.supervisor.pids().get("job", first) != first)
    assert scene.changes == 2
    assert "was ended by SIGKILL; it is started again in 0.2 s." in scene.screen.getvalue()


def test_program_that_keeps_dying_is_tried_later_each_time(scene: Scene, tmp_path: Path) -> None:
    scene.supervisor.start([program("job", "raise SystemExit(3)", tmp_path)])
    scene.tick_until(lambda: "again in 0.8 s" in scene.screen.getvalue())
    said = scene.screen.getvalue()
    assert [f"ended with code 3; it is started again in {delay} s." in said for delay in ("0.2", "0.4", "0.8")] == [
        True,
        True,
        True,
    ]


def test_delay_is_bounded_and_forgiven_after_a_good_life(tmp_path: Path) -> None:
    slot = Slot(program("job", SLEEP, tmp_path))
    delays = [slot.next_delay(now=1.0) for _ in range(8)]
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert slot.next_delay(now=31.0) == 0.2


def test_children_of_a_killed_program_go_with_it(scene: Scene, tmp_path: Path) -> None:
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); {SLEEP}"
    scene.supervisor.start([program("job", code, tmp_path)])
    first = scene.supervisor.pids()["job"]
    scene.tick_until(lambda: scene.screen.getvalue().count("up") == 2)
    (child,) = psutil.Process(first).children()
    os.kill(first, signal.SIGKILL)
    scene.tick_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_failure_to_prepare_is_told_and_tried_again(scene: Scene, tmp_path: Path) -> None:
    outcomes: list[Exception | None] = [None, OSError("no room"), None]

    def before() -> None:
        if outcome := outcomes.pop(0):
            raise outcome

    scene.supervisor.start([program("job", SLEEP, tmp_path, before=before)])
    os.kill(scene.supervisor.pids()["job"], signal.SIGKILL)
    scene.tick_until(lambda: not outcomes and "job" in scene.supervisor.pids())
    assert "could not be started: no room" in scene.screen.getvalue()


def test_program_is_ready_once_it_says_so_and_not_while_it_dies(scene: Scene, tmp_path: Path) -> None:
    slow = program("slow", "import time; print('one'); time.sleep(0.5); print('up now'); time.sleep(600)", tmp_path)
    slow = dataclasses.replace(slow, ready_text="up")
    scene.supervisor.start([slow, program("dying", "raise SystemExit(3)", tmp_path)])
    assert scene.supervisor.not_ready()["slow"] == "it is not ready"
    scene.tick_until(lambda: set(scene.supervisor.not_ready()) == {"dying"})
    assert "up now" in scene.screen.getvalue()
    scene.tick_until(lambda: scene.supervisor.not_ready().get("dying") == "it keeps dying")


def test_higher_tiers_stop_first(scene: Scene, tmp_path: Path) -> None:
    code = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: (print('bye'), sys.exit()))\n"
    code += "print('up')\nwhile True: time.sleep(0.05)"
    scene.supervisor.start([program("server", code, tmp_path, tier=0), program("client", code, tmp_path)])
    scene.tick_until(lambda: scene.screen.getvalue().count("up") == 2)
    scene.supervisor.stop_all()
    said = scene.screen.getvalue()
    assert said.index("client   | bye") < said.index("server   | bye")


def test_program_that_does_not_listen_is_ended_after_its_grace(scene: Scene, tmp_path: Path) -> None:
    scene.supervisor.start([program("deaf", DEAF, tmp_path, grace=0.3)])
    scene.tick_until(lambda: "up" in scene.screen.getvalue())
    pid = scene.supervisor.pids()["deaf"]
    scene.supervisor.stop_all()
    assert not psutil.pid_exists(pid)
    assert "did not stop in time and is ended by force." in scene.screen.getvalue()


def test_second_request_ends_at_once(scene: Scene, tmp_path: Path) -> None:
    scene.supervisor.start([program("deaf", DEAF, tmp_path, grace=60)])
    scene.tick_until(lambda: "up" in scene.screen.getvalue())
    scene.supervisor.request_stop()
    scene.supervisor.request_stop()
    started = time.monotonic()
    scene.supervisor.stop_all()
    assert time.monotonic() - started < 30, "the grace is a minute"


def test_lines_carry_the_name_and_colours_only_when_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, coloured = io.StringIO(), io.StringIO()
    Output(plain).line("web", "hello")
    monkeypatch.setenv("FORCE_COLOR", "1")
    Output(coloured).line("web", "hello")
    assert plain.getvalue() == "web      | hello\n"
    assert coloured.getvalue() == "\x1b[36mweb      |\x1b[0m hello\n"


def test_closed_terminal_does_not_end_the_programs() -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    output = Output(Closed())
    output.line("web", "one")
    output.line("web", "two")
    assert not output.is_open
