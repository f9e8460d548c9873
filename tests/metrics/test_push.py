"""The door of samples in JSON: what it takes, what it refuses and with which pointer, and what becomes of it."""

import json
import time
from typing import Any

import pytest
from django.test import override_settings

from metrics import duties
from metrics.models import MetricQueue, MetricRequest, Series
from metrics.storage import reading
from tenants.context import tenant_context
from tests.factories import Api, make_api

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_limits")]
URL = "/api/v1/metrics"
NOW = int(time.time()) - 100


@pytest.fixture
def api() -> Api:
    return make_api(scopes=["metrics:write", "alerts:read"])


def post(api: Api, body: Any, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body)
    return api.client.post(URL, content, content_type="application/json", headers=headers)


def one(**changes: Any) -> dict[str, Any]:
    return {"metric": "skip_rate", "labels": {"region": "eu"}, "samples": [[NOW, 0.5], [NOW + 1, 0.25]]} | changes


def series_of(api: Api) -> list[Series]:
    with tenant_context(api.tenant.pk):
        return list(Series.objects.order_by("-metric"))


def test_a_push_is_accepted_stored_and_read_back(api: Api) -> None:
    answer = post(api, {"series": [one(unit="ratio"), one(metric="plays_total", kind="counter", labels={})]})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 4, "rejected": 0, "errors": []})
    assert duties.take_in(api.tenant.pk) == 4
    skip, plays = series_of(api)
    assert (skip.metric, skip.labels, skip.unit, skip.kind) == ("skip_rate", {"region": "eu"}, "ratio", "gauge")
    assert (plays.metric, plays.labels, plays.kind) == ("plays_total", {}, "counter")
    with tenant_context(api.tenant.pk):
        found = reading.samples(api.tenant.pk, [skip.number, plays.number], NOW - 10, NOW + 10)
        assert not MetricRequest.objects.exists()
    assert [values.tolist() for _at, values in found.values()] == [[0.5, 0.25], [0.5, 0.25]]
    assert found[skip.number][0].tolist() == [NOW, NOW + 1]
    assert not MetricQueue.objects.exists()


def test_the_same_push_twice_counts_once(api: Api) -> None:
    for _time in range(2):
        assert post(api, {"series": [one()]}).status_code == 202
        duties.take_in(api.tenant.pk)
    (series,) = series_of(api)
    with tenant_context(api.tenant.pk):
        (found,) = reading.rollup(api.tenant.pk, [series.number], "1d", NOW - 90_000, NOW + 10).values()
    assert found.count.sum() == 2


def test_labels_in_another_order_are_the_same_series(api: Api) -> None:
    post(api, {"series": [one(labels={"a": "1", "b": "2"})]})
    post(api, {"series": [one(labels={"b": "2", "a": "1", "empty": ""})]})
    duties.take_in(api.tenant.pk)
    assert [series.labels for series in series_of(api)] == [{"a": "1", "b": "2"}]


BAD_SERIES = [
    (one(metric=""), "/series/1/metric"),
    (one(metric="9lives"), "/series/1/metric"),
    (one(metric="x" * 257), "/series/1/metric"),
    (one(labels=[]), "/series/1/labels"),
    (one(labels={"a b": "c"}), "/series/1/labels/a b"),
    (one(labels={"a": 1}), "/series/1/labels/a"),
    (one(labels={"a": "x" * 1_025}), "/series/1/labels/a"),
    (one(labels={f"l{number}": "x" for number in range(65)}), "/series/1/labels"),
    (one(unit=3), "/series/1/unit"),
    (one(kind="summary"), "/series/1/kind"),
    (one(extra=1), "/series/1/extra"),
    (one(samples=[]), "/series/1/samples"),
    (one(samples=[[NOW]]), "/series/1/samples/0"),
    (one(samples=[[NOW, 1], [NOW, "1"]]), "/series/1/samples/1"),
    (one(samples=[[NOW, None]]), "/series/1/samples/0"),
    (one(samples=[[NOW, True]]), "/series/1/samples/0"),
    (one(samples=[[NOW, 1, 2]]), "/series/1/samples/0"),
    ("text", "/series/1"),
]


@pytest.mark.parametrize(("bad", "pointer"), BAD_SERIES)
def test_a_bad_series_is_answered_and_costs_its_neighbours_nothing(api: Api, bad: Any, pointer: str) -> None:
    answer = post(api, {"series": [one(), bad, one(metric="other")]})
    document = answer.json()
    assert (answer.status_code, document["accepted"], document["rejected"]) == (202, 4, 1)
    assert [(error["index"], error["pointer"]) for error in document["errors"]] == [(1, pointer)]


BAD_NUMBERS = [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 400, b'"1"', b"[1]"]


@pytest.mark.parametrize("number", BAD_NUMBERS)
def test_a_number_that_is_none_is_refused_where_it_stands(api: Api, number: bytes) -> None:
    body = b'{"series": [{"metric": "m", "samples": [[%d, 1], [%d, %s]]}]}' % (NOW, NOW + 1, number)
    answer = post(api, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "no_sample_accepted")
    assert answer.json()["errors"][0]["pointer"].startswith("/series/0/samples/1")


BAD_BODIES = [
    (b" ", 400),
    (b"[]", 400),
    (b"{}", 400),
    (b'{"series": []}', 400),
    (b'{"series": {}}', 400),
    (b'{"series": [], "other": 1}', 400),
    (b'{"series": [', 400),
    (b"\xff\xfe", 400),
    (b'{"series": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400),
    (b'{"series": [' + b'{"metric":"m","samples":[[1,1]]},' * 10_000 + b'{"metric":"m","samples":[[1,1]]}]}', 413),
    (b'{"series": [{"metric":"m","samples":[' + b"[1,1]," * 50_000 + b"[1,1]]}]}", 413),
    (b'{"series": [{"metric": "m", "samples": [[1, 1]]}' + b" " * 1_048_576 + b"]}", 413),
]


@pytest.mark.parametrize(("body", "status"), BAD_BODIES)
def test_a_body_that_is_no_push_is_refused(api: Api, body: bytes, status: int) -> None:
    answer = post(api, body)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert not MetricQueue.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b'{"series": [{"metric": "m", "metric": "n", "samples": [[%d, 1]]}]}' % NOW,
        b'{"series": [{"metric": "m", "labels": {"a": "1", "a": "2"}, "samples": [[%d, 1]]}]}' % NOW,
    ],
    ids=["of a series", "of its labels"],
)
def test_a_repeated_key_is_refused(api: Api, body: bytes) -> None:
    answer = post(api, body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "duplicate_key")


def test_a_key_needs_the_scope(api: Api) -> None:
    other = make_api(scopes=["alerts:write", "alerts:read"])
    assert post(other, {"series": [one()]}).status_code == 403
    answer = api.client.post("/api/v1/alerts", "{}", content_type="application/json")
    assert answer.status_code == 403


def test_too_many_samples_a_second_are_refused(api: Api) -> None:
    many = [[NOW + number / 1000, 1] for number in range(1_500)]
    with override_settings(METRICS_SAMPLES_PER_SECOND_OF_TENANT=10):
        assert post(api, {"series": [one(samples=many[:900])]}).status_code == 202
        answer = post(api, {"series": [one(samples=many)]})
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert int(answer["Retry-After"]) >= 1


def test_a_full_queue_refuses(api: Api) -> None:
    with override_settings(METRICS_MAX_WAITING_PER_TENANT=2):
        assert post(api, {"series": [one()]}).status_code == 202
        answer = post(api, {"series": [one()]})
    assert answer.status_code == 429


def test_series_beyond_the_limit_are_refused_and_the_others_stored(api: Api) -> None:
    with override_settings(METRICS_SERIES_PER_TENANT=3):
        post(api, {"series": [one(labels={"n": str(number)}) for number in range(5)]})
        duties.take_in(api.tenant.pk)
    assert len(series_of(api)) == 3


def test_a_series_that_was_deleted_comes_back(api: Api) -> None:
    for _time in range(2):
        post(api, {"series": [one()]})
        duties.take_in(api.tenant.pk)
        (series,) = series_of(api)
        with tenant_context(api.tenant.pk):
            series.delete()
    post(api, {"series": [one()]})
    assert duties.take_in(api.tenant.pk) == 2
    assert len(series_of(api)) == 1
