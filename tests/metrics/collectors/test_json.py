"""JSON over HTTP, read with JMESPath that a tenant wrote."""

import json
import time
from typing import Any

import pytest

from channels.errors import InvalidSettings
from metrics.collectors import jmes
from metrics.collectors.base import MAX_POINTS, Point
from metrics.collectors.errors import CollectError, Trouble
from metrics.collectors.registry import collector
from metrics.collectors.times import unix_seconds
from tests.fakes.http import FakeServer, Reply, Request
from tests.metrics.collectors.looking import look

DOCUMENT = {
    "data": {
        "countries": [
            {"code": "AT", "streams": 120, "skip": "0.25", "at": "2026-11-01T10:00:00Z"},
            {"code": "FR", "streams": 300, "skip": None, "at": 1793613600000},
        ]
    }
}
SETTINGS = {
    "items": "data.countries[]",
    "values": {"streams": "streams", "skip_rate": "skip"},
    "labels": {"country": "code"},
    "time": "at",
}


def serve(document: Any, settings: dict[str, Any]) -> Any:
    with FakeServer(lambda request: Reply(body=json.dumps(document).encode())) as server:
        return look("json", {"url": server.url, **settings})


def test_objects_become_series_by_their_labels() -> None:
    found = serve(DOCUMENT, SETTINGS)
    assert found.points == [
        Point("streams", {"country": "AT"}, 120.0, 1793527200.0),
        Point("skip_rate", {"country": "AT"}, 0.25, 1793527200.0),
        Point("streams", {"country": "FR"}, 300.0, 1793613600.0),
    ]
    assert found.notes == ["1 value is missing or no number."]


def test_a_list_without_objects_is_told_to_who_tries() -> None:
    found = serve({"data": []}, {"items": "data[]", "values": {"depth": "depth"}})
    assert (found.points, found.notes, found.hints) == ([], [], ["data[] finds no objects."])


def test_one_number_needs_no_list() -> None:
    found = serve({"queue": {"depth": 7, "full": True}}, {"values": {"depth": "queue.depth", "full": "queue.full"}})
    assert [(point.metric, point.value, point.at) for point in found.points] == [
        ("depth", 7.0, None),
        ("full", 1.0, None),
    ]


def test_a_post_carries_its_body() -> None:
    bodies: list[bytes] = []

    def application(request: Request) -> Reply:
        bodies.append(request.body)
        return Reply(body=b'{"n": 1}')

    with FakeServer(application) as server:
        settings = {"url": server.url, "values": {"n": "n"}, "method": "POST", "body": '{"q": 1}'}
        look("json", settings, {"user": "u", "password": "p"})
    assert bodies == [b'{"q": 1}']


def test_no_more_values_are_taken_than_a_source_may_bring() -> None:
    found = serve(list(range(MAX_POINTS + 10)), {"items": "[]", "values": {"n": "@"}})
    assert len(found.points) == MAX_POINTS
    assert found.notes


@pytest.mark.parametrize(
    ("document", "change", "trouble"),
    [
        ({"x": 1}, {}, Trouble.QUERY),
        ({"data": {"countries": [1]}}, {"values": {"n": "sum(@)"}, "time": ""}, Trouble.QUERY),
    ],
)
def test_expressions_that_do_not_fit_are_told(document: Any, change: dict[str, Any], trouble: Trouble) -> None:
    with pytest.raises(CollectError) as caught:
        serve(document, SETTINGS | change)
    assert caught.value.trouble is trouble


def test_what_is_no_json_is_told() -> None:
    with FakeServer(lambda request: Reply(body=b"<html>")) as server, pytest.raises(CollectError) as caught:
        look("json", {"url": server.url, "values": {"n": "n"}})
    assert caught.value.trouble is Trouble.UNREADABLE


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"items": "["}, "items"),
        ({"values": {}}, "values"),
        ({"values": {"a b": "x"}}, "values"),
        ({"values": {"a": "to_string(@)"}}, "values"),
        ({"labels": {"a-b": "x"}}, "labels"),
        ({"body": "{}"}, "body"),
        ({"method": "DELETE"}, "method"),
    ],
)
def test_settings_that_do_not_fit_are_told_by_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        collector("json").settings_from({"url": "https://example.com", "values": {"n": "n"}} | change)
    assert field in caught.value.errors


@pytest.mark.parametrize(
    "expression",
    [
        "|".join(["[@,@]"] * 40),
        "|".join(["[@,@][]"] * 40),
        "|".join(["{a:@,b:@}"] * 20),
        "[" + ",".join(["@"] * 200) + "]|[" + ",".join(["@"] * 40) + "]",
        "@" + "[]" * 300,
        "(" * 400,
    ],
)
def test_an_expression_that_would_grow_without_end_is_refused(expression: str) -> None:
    assert jmes.fault_of(expression)


def test_flattening_stops_before_it_fills_the_memory() -> None:
    expression = "[" + ",".join(["@"] * 200) + "][]"
    started = time.process_time()
    with pytest.raises(jmes.ExpressionError):
        jmes.Searcher().find(expression, list(range(1_000_000)))
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1793527200, 1793527200.0),
        ("1793527200.5", 1793527200.5),
        (1793527200123, 1793527200.123),
        (1793527200123456, 1793527200.123456),
        (1793527200123456789, pytest.approx(1793527200.123457)),
        ("2026-11-01T12:00:00+02:00", 1793527200.0),
        ("2026-11-01 10:00:00", 1793527200.0),
        ("2026-11-01", 1793491200.0),
        ("soon", None),
        (-5, None),
        (float("nan"), None),
        (None, None),
        (True, None),
    ],
)
def test_times_are_read_as_others_write_them(value: object, seconds: float | None) -> None:
    assert unix_seconds(value) == seconds
