"""A real Prometheus, Debian's, asked by PromQL and scraped."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from metrics.collectors.base import COUNTER
from metrics.collectors.errors import CollectError, Trouble
from tests import servers
from tests.metrics.collectors.looking import look
from tests.real_prometheus import NEEDED, command

pytestmark = NEEDED


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has scraped itself for some seconds."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    port = servers.free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command(folder, port=port), stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 90
        while not _samples(address) >= 8:
            assert process.poll() is None, (folder / "log").read_text()[-1_500:]
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield address
    finally:
        process.kill()
        process.wait()


def _samples(address: str) -> int:
    try:
        answer = httpx.get(f"{address}/api/v1/query", params={"query": "count_over_time(up[5m])"}, trust_env=False)
        result = answer.json()["data"]["result"]
    except (httpx.TransportError, ValueError, KeyError):
        return 0
    return int(result[0]["value"][1]) if result else 0


def test_expressions_are_asked_now(url: str) -> None:
    queries = {"*": 'up{job="self"}', "scrapes": "count(up)", "wrong": "sum("}
    found = look("prometheus", {"url": url, "queries": queries}, now=time.time())
    values = {point.metric: (point.labels, point.value) for point in found.points}
    assert values["up"][1] == 1.0
    assert values["up"][0]["job"] == "self"
    assert values["scrapes"] == ({}, 1.0)
    assert len(found.notes) == 1
    assert "parse error" in found.notes[0]


def test_the_past_is_read_and_gone_on_with(url: str) -> None:
    settings = {"url": url, "queries": {"up": "up"}, "mode": "range", "step": 5, "history_hours": 1}
    now = time.time()
    first = look("prometheus", settings, now=now)
    assert first.points
    assert all(point.at is not None and point.at % 5 == 0 and point.value == 1.0 for point in first.points)
    later = look("prometheus", settings, now=now + 10, memory=first.memory)
    # A Prometheus goes on with the last value for five minutes.
    assert [point.at for point in later.points if point.at is not None] == [
        first.memory.until + 5,
        first.memory.until + 10,
    ]


def test_its_own_page_is_scraped(url: str) -> None:
    wanted = ["prometheus_build_info", "prometheus_tsdb_head_samples_appended_total", "go_gc_duration_seconds*"]
    points = look("exposition", {"url": f"{url}/metrics", "metrics": wanted}).points
    kinds = {point.metric: point.kind for point in points}
    assert kinds["prometheus_tsdb_head_samples_appended_total"] == COUNTER
    assert kinds["prometheus_build_info"] == "gauge"
    assert kinds["go_gc_duration_seconds_count"] == COUNTER
    assert kinds["go_gc_duration_seconds"] == "gauge"
    assert all(point.labels["instance"] == url.removeprefix("http://") for point in points)


def test_what_is_wrong_is_told_in_its_words(url: str) -> None:
    with pytest.raises(CollectError) as caught:
        look("prometheus", {"url": url, "queries": {"x": "rate(up)"}}, now=time.time())
    assert caught.value.trouble is Trouble.QUERY
    assert "expected type range vector" in caught.value.detail
