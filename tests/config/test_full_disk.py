"""The service on a disk of its own that is filled to the last byte while it runs, and emptied again."""

import contextlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.up.layout import NEEDED_SPACE
from tests.running import Run, temporary_var

MEGABYTE = 1 << 20


@pytest.fixture
def disk(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system in memory with as many megabytes as the test asks for."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk to fill")
    with temporary_var() as var:
        var.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={request.param}m,mode=755", "tmpfs", str(var)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this machine lets nobody mount a small disk to fill")
        try:
            yield var
        finally:
            subprocess.run(["umount", "--lazy", str(var)], check=True)


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4_096):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return filler


def call(facts: dict[str, Any], path: str, body: Any = None) -> tuple[int, dict[str, Any], str]:
    """Status, document and Retry-After of an answer."""
    headers = {"Authorization": f"Api-Key {facts['api_key']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(facts["api_url"] + path, data, headers), timeout=30
        ) as answer:
            return answer.status, json.load(answer), ""
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused), refused.headers.get("Retry-After", "")


def batch() -> list[dict[str, Any]]:
    """Alerts that nothing can make smaller."""
    return [
        {"labels": {"alertname": os.urandom(8).hex()}, "annotations": {"d": os.urandom(900).hex()}} for _ in range(200)
    ]


@pytest.mark.processes
@pytest.mark.parametrize("disk", [NEEDED_SPACE // MEGABYTE - 1], indirect=True)
def test_small_disk_is_told_in_one_sentence(disk: Path) -> None:
    code, said = Run(disk).rest()
    assert code == 1
    assert said.count("\n") == 1
    assert "make room first." in said


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.parametrize("disk", [NEEDED_SPACE // MEGABYTE + 60], indirect=True)
def test_full_disk_refuses_what_it_cannot_keep_and_recovers(disk: Path) -> None:
    run = Run(disk)
    try:
        facts = run.facts(timeout=120)
        assert call(facts, "/alerts", batch())[0] == 202
        filler = fill(disk)
        kept, refused = fill_up(facts)
        assert refused["code"] == "unavailable"
        # Nobody dies of it: what needs no room is answered, by the same processes.
        for path in ("/alerts?limit=1", "/tenant", "/routes"):
            assert call(facts, path)[0] in {200, 503}, path
        filler.unlink()
        run.wait_until(lambda: call(facts, "/alerts", batch())[0] == 202, timeout=60)
        for number in kept:
            assert call(facts, f"/intake/{number}")[0] == 200
    finally:
        if run.process.poll() is None:
            run.end()


def fill_up(facts: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Send until nothing more is kept; what was accepted on the way, and the refusal."""
    kept = []
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        status, document, retry_after = call(facts, "/alerts", batch())
        if status == 503:
            assert int(retry_after) >= 1
            return kept, document
        assert status == 202, document
        kept.append(document["id"])
    pytest.fail("The disk never became full.")
