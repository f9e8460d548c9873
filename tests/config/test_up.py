"""`make up` from start to stop: what it tells scripts, what it survives, and how it refuses."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from config.embedded import processes
from config.embedded.errors import OperatorError
from config.up import layout as layout_module
from config.up.layout import ROOT, Layout
from tests.running import Run, five_free_ports, temporary_var

NAMES = {"web", "relay", "worker", "notifier", "analyst", "beat", "postgres", "valkey"}


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and processes.is_alive(psutil.Process(pid))


@pytest.fixture
def var() -> Iterator[Path]:
    with temporary_var() as var:
        yield var


@pytest.fixture
def start(var: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(port: int | None = None) -> Run:
        runs.append(Run(var, port, module="tests.config.dummy_service"))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.end()


@pytest.mark.processes
def test_scripts_read_where_everything_is(start: Callable[..., Run]) -> None:
    run = start()
    facts = run.facts()
    base = f"http://127.0.0.1:{run.port}"
    pids = facts.pop("pids")
    assert facts == {
        "admin_url": f"{base}/admin/",
        "admin_user": "ada",
        "admin_password": "pass",
        "api_url": f"{base}/api/v1",
        "api_key": "ak_demo",
        "inbox_url": f"http://127.0.0.1:{run.port + 1}/",
        "tenant": "demo",
    }
    assert set(pids) == NAMES
    assert all(is_alive(pid) for pid in pids.values())
    assert (run.var / "up.json").stat().st_mode & 0o777 == 0o600
    code, said = run.end(signal.SIGINT)
    assert code == 0
    assert "user ada   password pass" in said
    assert "Authorization: Api-Key ak_demo" in said
    assert "worker   | idle" in said
    assert not any(is_alive(pid) for pid in pids.values())
    assert not (run.var / "up.json").exists()


@pytest.mark.processes
@pytest.mark.parametrize("name", ["web", "postgres"])
def test_what_dies_is_started_again_and_told_to_scripts(start: Callable[..., Run], name: str) -> None:
    run = start()
    before = run.facts()["pids"]
    os.kill(before[name], signal.SIGKILL)
    run.wait_until(lambda: run.facts()["pids"][name] not in {before[name], None})
    after = run.facts()["pids"]
    assert is_alive(after[name])
    assert {other: after[other] for other in NAMES - {name}} == {other: before[other] for other in NAMES - {name}}
    code, said = run.end()
    assert code == 0
    assert f"{name:<8} | was ended by SIGKILL; it is started again in 0.2 s." in said


@pytest.mark.processes
def test_next_run_ends_what_a_killed_one_left(start: Callable[..., Run]) -> None:
    first = start()
    left = first.facts()["pids"]
    first.process.kill()
    first.process.wait()
    assert is_alive(left["web"])
    (first.var / "up.json").unlink()
    second = start(first.port)
    assert second.facts()["pids"].keys() == left.keys()
    assert not any(is_alive(pid) for pid in left.values())


@pytest.mark.processes
@pytest.mark.parametrize("step", ["migrate", "seed_demo"])
def test_step_that_was_stopped_half_way_is_done_by_the_next_run(var: Path, step: str) -> None:
    first = Run(var, module="tests.config.dummy_service", env={"SLOW_STEP": step})
    first.wait_until(lambda: "| slow" in first.said())
    code, said = first.end(signal.SIGINT)
    assert code == 0
    assert "cannot run here" not in said
    left = {stamp.name for stamp in var.rglob("*.stamp")}
    assert left == ({"schema.stamp"} if step == "seed_demo" else set())


@pytest.mark.processes
def test_second_run_in_one_checkout_is_refused(start: Callable[..., Run]) -> None:
    first = start()
    facts = first.facts()
    counter = Layout(var=first.var).counters / "counter_1.db"
    counter.touch()
    code, said = start().rest()
    assert code == 1
    assert said == (
        f"`make up` already runs in this checkout (process {first.process.pid}, port {first.port}); stop it first.\n"
    )
    assert first.facts() == facts
    assert counter.exists()


@pytest.mark.processes
@pytest.mark.parametrize("offset", [0, 3])
def test_port_in_use_is_told_in_one_sentence(start: Callable[..., Run], offset: int) -> None:
    port = five_free_ports()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port + offset))
        holder.listen()
        code, said = start(port).rest()
    assert code == 1
    assert said.count("\n") == 1
    assert said.startswith(f"Port {port + offset} is in use")
    assert "make up PORT=" in said


@pytest.mark.parametrize("raw", ["web", "0", "65532", "-1", "٣٠٠٠"])
def test_port_must_be_a_number_with_room_for_the_others(raw: str) -> None:
    command = [sys.executable, "-m", "config.up"]
    result = subprocess.run(
        command, env={**os.environ, "PORT": raw}, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert result.returncode == 1
    assert result.stderr == f"PORT must be a number from 1 to 65531, not {raw!r}.\n"


def test_full_disk_is_told_before_anything_is_written(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(var.parent)
    monkeypatch.setattr(layout_module.shutil, "disk_usage", lambda _path: usage._replace(free=5 << 20))
    with pytest.raises(OperatorError, match=r"has only 5 MB free and the database needs 300; make room first\.$"):
        Layout(var=var).prepare()
