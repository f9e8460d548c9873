"""A Prometheus asked for expressions, and its exposition scraped."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from channels.errors import InvalidSettings
from metrics.collectors.base import COUNTER, GAUGE, Memory, Point
from metrics.collectors.errors import CollectError, Trouble
from metrics.collectors.registry import collector
from tests.fakes.http import FakeServer, Reply, Request
from tests.metrics.collectors.looking import NOW, look

PAGE = """# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200"} 1027
requests_total{code="500"} 3
# TYPE temperature gauge
temperature 36.6
# TYPE latency histogram
latency_bucket{le="0.1"} 5
latency_bucket{le="+Inf"} 9
latency_sum 1.5
latency_count 9
# TYPE old gauge
old 7 1789999000000
"""


def success(kind: str, result: Any, **more: Any) -> Reply:
    body = {"status": "success", "data": {"resultType": kind, "result": result}, **more}
    return Reply(body=json.dumps(body).encode())


class FakePrometheus:
    """Answers each query with what a table says, and remembers what it was asked."""

    def __init__(self, answers: dict[str, Reply]) -> None:
        self.answers, self.asked = answers, list[tuple[str, dict[str, str], dict[str, str]]]()

    def __call__(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        self.asked.append((request.path, form, request.headers))
        return self.answers[form["query"]]


def test_an_instant_vector_becomes_a_value_a_series() -> None:
    vector = [
        {"metric": {"__name__": "up", "job": "a"}, "value": [NOW, "1"]},
        {"metric": {"__name__": "up", "job": "b"}, "value": [NOW, "0"]},
    ]
    fake = FakePrometheus({"up": success("vector", vector)})
    with FakeServer(fake) as server:
        found = look("prometheus", {"url": server.url, "queries": {"*": "up"}}, {"token": "secret-1"})
    assert found.points == [Point("up", {"job": "a"}, 1.0, NOW), Point("up", {"job": "b"}, 0.0, NOW)]
    path, form, headers = fake.asked[0]
    assert (path, headers["authorization"]) == ("/api/v1/query", "Bearer secret-1")
    assert float(form["time"]) == NOW


def test_a_name_takes_the_place_of_that_of_the_series() -> None:
    answers = {
        "sum(up)": success("scalar", [NOW, "4"]),
        "rate": success("vector", [{"metric": {}, "value": [NOW, "2"]}]),
    }
    with FakeServer(FakePrometheus(answers)) as server:
        found = look("prometheus", {"url": server.url, "queries": {"live": "sum(up)", "speed": "rate"}})
    assert [(point.metric, point.value) for point in found.points] == [("live", 4.0), ("speed", 2.0)]


def test_a_range_goes_on_where_the_last_one_ended() -> None:
    matrix = [{"metric": {}, "values": [[NOW - 60, "1"], [NOW, "2"]]}]
    fake = FakePrometheus({"q": success("matrix", matrix)})
    settings = {"queries": {"q": "q"}, "mode": "range", "step": 60, "history_hours": 24}
    with FakeServer(fake) as server:
        settings["url"] = server.url
        first = look("prometheus", settings)
        again = look("prometheus", settings, memory=first.memory, now=NOW + 300)
        nothing_new = look("prometheus", settings, memory=again.memory, now=NOW + 301)
    windows = [(float(form["start"]), float(form["end"])) for _path, form, _headers in fake.asked]
    grid = NOW // 60 * 60
    assert windows[0] == (-(-(NOW - 86_400) // 60) * 60, grid)
    assert windows[1] == (grid + 60, grid + 300)
    assert [point.value for point in first.points] == [1.0, 2.0]
    assert nothing_new.is_unchanged
    assert len(windows) == 2


def test_a_query_that_fails_costs_only_its_own_values() -> None:
    wrong = Reply(400, json.dumps({"status": "error", "error": "parse error: unexpected )"}).encode())
    answers = {"up": success("scalar", [NOW, "1"]), ")": wrong}
    with FakeServer(FakePrometheus(answers)) as server:
        found = look("prometheus", {"url": server.url, "queries": {"a": ")", "b": "up"}})
    assert [point.metric for point in found.points] == ["b"]
    assert found.notes == ["a: parse error: unexpected )"]
    assert found.memory == Memory()


def test_when_no_query_works_its_words_are_told() -> None:
    wrong = Reply(422, json.dumps({"status": "error", "error": "query timed out"}).encode())
    with FakeServer(FakePrometheus({"up": wrong})) as server, pytest.raises(CollectError) as caught:
        look("prometheus", {"url": server.url, "queries": {"a": "up"}})
    assert (caught.value.trouble, caught.value.detail) == (Trouble.QUERY, "query timed out")


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b'{"status": "success"}', b'{"status":"success","data":{"resultType":"vector","result":[{}]}}'],
)
def test_what_is_no_prometheus_is_told(body: bytes) -> None:
    with FakeServer(lambda request: Reply(body=body)) as server, pytest.raises(CollectError) as caught:
        look("prometheus", {"url": server.url, "queries": {"a": "up"}})
    assert caught.value.trouble is Trouble.UNREADABLE


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"queries": {}}, "queries"),
        ({"queries": {"not a name": "up"}}, "queries"),
        ({"url": "ftp://example.com"}, "url"),
        ({"url": "http://169.254.169.254/"}, "url"),
        ({"step": 1}, "step"),
        ({"history_hours": -1}, "history_hours"),
        ({"headers": {"Host": "x"}}, "headers"),
        ({"headers": {"authorization": "x"}}, "headers"),
        ({"pigeon": 1}, "pigeon"),
    ],
)
def test_settings_that_do_not_fit_are_told_by_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        collector("prometheus").settings_from({"url": "https://p.example.com", "queries": {"a": "up"}} | change)
    assert field in caught.value.errors


def test_a_page_is_scraped_with_kinds_and_times() -> None:
    with FakeServer(lambda request: Reply(body=PAGE.encode())) as server:
        points = look("exposition", {"url": server.url}).points
    here = {"instance": f"127.0.0.1:{server.port}"}
    assert Point("requests_total", {"code": "200", **here}, 1027.0, None, COUNTER) in points
    assert Point("temperature", here, 36.6, None, GAUGE) in points
    assert Point("latency_bucket", {"le": "+Inf", **here}, 9.0, None, COUNTER) in points
    assert Point("old", here, 7.0, 1_789_999_000.0, GAUGE) in points
    assert len(points) == 8


def test_patterns_choose_what_is_kept() -> None:
    with FakeServer(lambda request: Reply(body=PAGE.encode())) as server:
        points = look("exposition", {"url": server.url, "metrics": ["latency_*", "old"]}).points
    assert {point.metric for point in points} == {"latency_bucket", "latency_sum", "latency_count", "old"}


def test_openmetrics_is_read_as_such() -> None:
    body = b'# TYPE hits counter\nhits_total{instance="b"} 5 1789999000.5\n# EOF\n'
    reply = Reply(body=body, headers={"Content-Type": "application/openmetrics-text; version=1.0.0"})
    with FakeServer(lambda request: reply) as server:
        found = look("exposition", {"url": server.url})
    assert found.points == [Point("hits_total", {"instance": "b"}, 5.0, 1_789_999_000.5, COUNTER)]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"one two three four", b'a{b="c} 1', b"{}{}{}"])
def test_a_page_that_is_none_is_told(body: bytes) -> None:
    with FakeServer(lambda request: Reply(body=body)) as server, pytest.raises(CollectError) as caught:
        look("exposition", {"url": server.url})
    assert caught.value.trouble is Trouble.UNREADABLE


def test_an_unchanged_page_is_not_sent_again_and_says_the_same() -> None:
    asked: list[str] = []

    def application(request: Request) -> Reply:
        tag = request.headers.get("if-none-match", "")
        asked.append(tag)
        return Reply(304) if tag == '"v1"' else Reply(body=PAGE.encode(), headers={"ETag": '"v1"'})

    with FakeServer(application) as server:
        first = look("exposition", {"url": server.url})
        again = look("exposition", {"url": server.url}, memory=first.memory)
    assert asked == ["", '"v1"']
    assert again.is_unchanged
    # `old` bears its own time: to say it again would be to say it twice.
    assert [point.metric for point in again.points] == [point.metric for point in first.points if point.at is None]


def test_a_page_with_last_modified_is_asked_by_that() -> None:
    when = "Mon, 02 Nov 2026 07:00:00 GMT"

    def application(request: Request) -> Reply:
        is_known = request.headers.get("if-modified-since") == when
        return Reply(304) if is_known else Reply(body=b"up 1\n", headers={"Last-Modified": when})

    with FakeServer(application) as server:
        first = look("exposition", {"url": server.url})
        assert look("exposition", {"url": server.url}, memory=first.memory).is_unchanged


@pytest.mark.parametrize(
    ("page", "names", "hint"),
    [(PAGE, ["nope*"], "None of the names is on the page."), ("", [], "The page is empty."), (PAGE, ["temp*"], None)],
)
def test_a_page_without_what_is_kept_is_told_to_who_tries(page: str, names: list[str], hint: str | None) -> None:
    with FakeServer(lambda request: Reply(body=page.encode())) as server:
        found = look("exposition", {"url": server.url, "metrics": names})
    assert (found.notes, found.hints) == ([], [hint] if hint else [])
