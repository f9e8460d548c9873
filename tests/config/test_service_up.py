"""`make up` with the real service, as a newcomer meets it: two starts, one alert by the printed line, a clean end."""

import http.client
import json
import os
import re
import shlex
import signal
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from config.embedded import processes
from tests.running import Run, temporary_var

SECOND_START_S = 8.0
# What two idle cores can spend in that time is 16; on a busy machine the same work costs more of it.
SECOND_START_CPU_S = 14.0
# Seconds of the clock also measure who else works here: each of them, and each of xdist's workers, may take a share.
CROWD = 1 + os.getloadavg()[0] + int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0"))


@pytest.fixture(scope="module")
def service() -> Iterator[Run]:
    with temporary_var() as var:
        first = Run(var)
        first.facts(timeout=120)
        assert first.end(signal.SIGINT)[0] == 0
        second = Run(var, first.port)
        second.facts()
        yield second
        if second.process.poll() is None:
            second.end()


def get(url: str, **headers: str) -> tuple[int, str]:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer.status, answer.read().decode()


@pytest.mark.processes
@pytest.mark.slow
def test_second_start_is_cheap_and_keeps_the_demo(service: Run) -> None:
    family = psutil.Process(service.process.pid).children(recursive=True)
    assert sum(sum(process.cpu_times()[:2]) for process in family) < SECOND_START_CPU_S
    assert "migrate  |" not in service.said()


@pytest.mark.processes
@pytest.mark.slow
def test_second_start_is_fast(service: Run) -> None:
    assert service.ready_after < SECOND_START_S * CROWD


@pytest.mark.processes
@pytest.mark.slow
def test_health_and_pages_answer(service: Run) -> None:
    facts = service.facts()
    base = f"http://127.0.0.1:{service.port}"
    assert get(f"{base}/health/live")[0] == 200
    assert get(f"{base}/health/ready")[0] == 200
    assert get(facts["admin_url"])[0] == 200
    assert get(facts["inbox_url"])[0] == 200


@pytest.mark.processes
@pytest.mark.slow
def test_printed_line_sends_an_alert_that_arrives_in_the_inbox(service: Run) -> None:
    facts = service.facts()
    (line,) = re.findall(r"^ *(curl .*)$", service.said(), re.MULTILINE)
    words = shlex.split(line)
    assert words[words.index("-H") + 1] == f"Authorization: Api-Key {facts['api_key']}"
    marker = f"DiskFull{time.time_ns()}"
    body = words[words.index("-d") + 1].replace("DiskFull", marker)
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    headers = {"Authorization": f"Api-Key {facts['api_key']}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/alerts", body, headers)
    answer = connection.getresponse()
    said: dict[str, Any] = json.loads(answer.read())
    assert answer.status == 202, said
    service.wait_until(lambda: marker in get(facts["inbox_url"])[1])


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.parametrize("name", ["web", "worker", "relay", "beat", "valkey"])
def test_killed_part_comes_back(service: Run, name: str) -> None:
    before = service.facts()["pids"][name]
    os.kill(before, signal.SIGKILL)
    service.wait_until(lambda: service.facts()["pids"][name] not in {before, None})
    after = service.facts()["pids"][name]
    service.wait_until(lambda: answers_ready(service.port))
    assert processes.is_alive(psutil.Process(after))


def answers_ready(port: int) -> bool:
    try:
        return get(f"http://127.0.0.1:{port}/health/ready")[0] == 200
    except OSError:
        return False


@pytest.mark.processes
@pytest.mark.slow
def test_end_leaves_no_process(service: Run) -> None:
    family = psutil.Process(service.process.pid).children(recursive=True)
    assert len(family) >= len(service.facts()["pids"])
    code, _said = service.end()
    assert code == 0
    assert not [process for process in family if processes.is_alive(process)]
