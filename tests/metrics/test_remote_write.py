"""Prometheus's remote write: read as Prometheus sends it, refused in the ways Prometheus understands."""

import contextlib
import struct
import time
from typing import Any

import cramjam
import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from metrics import duties
from metrics.models import MetricQueue, Series
from metrics.remote_write.decoding import MAX_UNPACKED, decode_write
from metrics.storage import reading
from tenants.context import tenant_context
from tenants.faults import InputRefused
from tests.factories import Api, make_api

URL = "/api/v1/metrics/remote-write"
NOW = int(time.time() * 1000) - 100_000
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0_0000_0000_0002))[0]


def varint(number: int) -> bytes:
    number %= 1 << 64
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def label(name: str, value: str) -> bytes:
    return field(1, field(1, name.encode()) + field(2, value.encode()))


def sample(ms: int, value: float) -> bytes:
    return field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(ms))


def series(labels: dict[str, str], *samples: tuple[int, float]) -> bytes:
    content = b"".join(label(name, value) for name, value in labels.items())
    return field(1, content + b"".join(sample(ms, value) for ms, value in samples))


def packed(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(data))


@pytest.fixture
def api(db: None) -> Api:
    return make_api(scopes=["metrics:write"])


def write(api: Api, body: bytes, **changes: str) -> Any:
    headers = {"Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
    content_type = changes.pop("content_type", "application/x-protobuf")
    return api.client.post(URL, body, content_type=content_type, headers=headers | changes)


LOAD = {"__name__": "node_load1", "instance": "a:9100", "job": "node"}


def test_samples_arrive_with_their_labels(api: Api) -> None:
    requests = {"__name__": "http_requests_total", "code": "200"}
    body = series(LOAD, (NOW, 0.5), (NOW + 15_000, 0.75)) + series(requests, (NOW, 7.0)) + field(3, b"metadata")
    answer = write(api, packed(body))
    assert (answer.status_code, answer.content) == (204, b"")
    assert duties.take_in(api.tenant.pk) == 3
    with tenant_context(api.tenant.pk):
        counter, gauge = Series.objects.order_by("metric")
        assert (gauge.metric, gauge.labels, gauge.kind) == (
            "node_load1",
            {"instance": "a:9100", "job": "node"},
            "gauge",
        )
        assert (counter.metric, counter.labels, counter.kind) == ("http_requests_total", {"code": "200"}, "counter")
        found = reading.samples(api.tenant.pk, [gauge.number], NOW / 1000 - 1, NOW / 1000 + 60)
    at, values = found[gauge.number]
    assert (at * 1000).round().tolist() == [NOW, NOW + 15_000]
    assert values.tolist() == [0.5, 0.75]


def test_a_stale_marker_is_no_sample(api: Api) -> None:
    assert write(api, packed(series(LOAD, (NOW, 1.0), (NOW + 15_000, STALE)))).status_code == 204
    duties.take_in(api.tenant.pk)
    with tenant_context(api.tenant.pk):
        assert Series.objects.get().last_value == 1.0


def test_a_series_without_a_name_is_left_out_and_the_others_stored(api: Api) -> None:
    body = series({"instance": "a"}, (NOW, 1.0)) + series(LOAD, (NOW, 2.0))
    answer = write(api, packed(body))
    document = answer.json()
    assert (answer.status_code, document["accepted"], document["rejected"]) == (400, 1, 1)
    assert document["errors"][0]["pointer"] == "/timeseries/0"
    assert duties.take_in(api.tenant.pk) == 1


GOOD = series(LOAD, (NOW, 1.0))
BAD = [
    pytest.param(b"\x05", id="nothing after the length"),
    pytest.param(b"not snappy at all", id="not snappy"),
    pytest.param(GOOD, id="not compressed"),
    pytest.param(packed(GOOD)[:-3], id="cut short"),
    pytest.param(packed(GOOD[:-3]), id="message cut short"),
    pytest.param(packed(b"\x0a\xff\xff\xff\xff\x0f"), id="length beyond the end"),
    pytest.param(packed(b"\x0a" + b"\xff" * 20), id="endless number"),
    pytest.param(packed(b"\x0b\x0c"), id="groups"),
    pytest.param(packed(b"\x08\x01"), id="a number for a series"),
    pytest.param(packed(field(1, field(1, field(1, b"\xff\xfe")))), id="a name that is no text"),
    pytest.param(packed(field(1, label("__name__", "m") + field(2, b"\x08\x01"))), id="a value of another kind"),
]


@pytest.mark.parametrize("body", BAD)
def test_what_is_no_write_request_is_a_400(api: Api, body: bytes) -> None:
    answer = write(api, body)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert not MetricQueue.objects.exists()


def test_a_bomb_is_refused_before_it_is_unpacked(api: Api) -> None:
    bomb = packed(b"\0" * (MAX_UNPACKED + 1))
    assert len(bomb) < 1_048_576
    assert write(api, bomb).status_code == 413
    # The head promises little, the body unpacks to more.
    assert write(api, b"\x05" + bomb[4:]).status_code == 400


def test_other_versions_and_encodings_are_refused_as_prometheus_expects(api: Api) -> None:
    two = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
    assert write(api, packed(GOOD), content_type=two).status_code == 415
    assert write(api, packed(GOOD), content_type="application/json").status_code == 415
    assert write(api, packed(GOOD), **{"Content-Encoding": "gzip"}).status_code == 415
    one = "application/x-protobuf;proto=prometheus.WriteRequest"
    assert write(api, packed(GOOD), content_type=one).status_code == 204


def test_other_routes_take_no_compressed_body(api: Api) -> None:
    answer = api.client.post(
        "/api/v1/metrics", packed(GOOD), content_type="application/x-protobuf", headers={"Content-Encoding": "snappy"}
    )
    assert answer.status_code == 415


def test_too_much_is_a_429_with_a_time_to_come_back(api: Api) -> None:
    many = series(LOAD, *((NOW + number, 1.0) for number in range(1_500)))
    with override_settings(METRICS_SAMPLES_PER_SECOND_OF_TENANT=1):
        answer = write(api, packed(many))
    assert (answer.status_code, int(answer["Retry-After"]) >= 1) == (429, True)


def test_a_key_needs_the_scope(db: None) -> None:
    assert write(make_api(scopes=["alerts:write"]), packed(GOOD)).status_code == 403
    assert write(Api(make_api().tenant, "ak_no"), packed(GOOD)).status_code == 401


@given(st.binary(max_size=400))
def test_no_bytes_do_anything_but_be_read_or_refused(data: bytes) -> None:
    for body in (data, packed(data), packed(GOOD[:20] + data), packed(GOOD + data)):
        with contextlib.suppress(InputRefused):
            assert decode_write(body).parcel.samples >= 0


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text('abc é\n"', max_size=9), max_size=5),
            st.lists(st.tuples(st.integers(-(2**50), 2**50), st.floats(width=64)), min_size=1, max_size=4),
        ),
        max_size=5,
    )
)
def test_what_was_written_is_read(wanted: list[tuple[dict[str, str], list[tuple[int, float]]]]) -> None:
    body = b"".join(series({"__name__": "m", **labels}, *samples) for labels, samples in wanted)
    parcel = decode_write(packed(body)).parcel
    flat = [pair for _labels, samples in wanted for pair in samples]
    assert struct.unpack(f"<{len(flat)}q", parcel.ms) == tuple(ms for ms, _value in flat)
    assert parcel.values == struct.pack(f"<{len(flat)}d", *(value for _ms, value in flat))
    assert struct.unpack(f"<{len(wanted)}i", parcel.lengths) == tuple(len(samples) for _labels, samples in wanted)
