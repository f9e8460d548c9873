"""The native format: what comes in, what is mended, what is turned away, and where the fault is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.decoding import (
    Decoded,
    Flag,
    InputRefused,
    NativeAlert,
    decode_body,
    decode_native,
    encode_body,
    title_of,
)
from alerting.decoding.counting import strings_in
from alerting.decoding.items import decode_values
from alerting.decoding.native import NATIVE
from alerting.decoding.times import Window
from tenants import strict_json

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "labels": {"alertname": "DiskFull", "host": "db-1"},
    "annotations": {"summary": "Disk of db-1 is full"},
    "severity": "critical",
    "status": "firing",
    "starts_at": "2026-11-23T11:59:00+01:00",
    "generator_url": "https://prometheus.example.org/graph?g0.expr=up",
    "metric": {"name": "disk_used", "value": 99.5},
}


def decode(document: Any) -> Decoded:
    return decode_native(json.dumps(document).encode(), NOW)


def only(document: Any) -> NativeAlert:
    decoded = decode(document)
    assert not decoded.rejected
    return decoded.alerts[0]


def fault_of(**changes: Any) -> tuple[str, str]:
    decoded = decode({**GOOD, **changes})
    assert not decoded.alerts
    return decoded.rejected[0].pointer, decoded.rejected[0].code


def test_a_whole_alert_keeps_everything_it_was_sent_with() -> None:
    assert only(GOOD) == NativeAlert(
        labels=GOOD["labels"],
        annotations=GOOD["annotations"],
        severity=40,
        status="firing",
        starts_at=datetime(2026, 11, 23, 10, 59, tzinfo=UTC),
        generator_url=GOOD["generator_url"],
        metric_name="disk_used",
        metric_value=99.5,
    )


def test_labels_alone_make_a_firing_warning() -> None:
    alert = only({"labels": {"alertname": "X"}})
    assert (alert.severity, alert.status, alert.annotations, alert.starts_at) == (20, "firing", {}, None)


def test_null_means_left_out() -> None:
    names = ["annotations", "severity", "status", "starts_at", "ends_at", "generator_url", "metric"]
    assert only({"labels": {"a": "b"}, **dict.fromkeys(names)}) == only({"labels": {"a": "b"}})


@pytest.mark.parametrize(
    ("severity", "labels", "expected", "flag"),
    [
        ("page", {}, 40, 0),
        (None, {"severity": "err"}, 30, 0),
        ("info", {"severity": "critical"}, 10, 0),
        (None, {"severity": "purple"}, 20, Flag.SEVERITY_UNKNOWN),
    ],
)
def test_severity_comes_from_the_field_then_from_the_label(
    severity: str | None, labels: dict[str, str], expected: int, flag: int
) -> None:
    alert = only({"labels": {"a": "b", **labels}, "severity": severity})
    assert (alert.severity, alert.flags) == (expected, flag)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"labels": {}}, ("/labels", "empty")),
        ({"labels": {"a": ""}}, ("/labels", "empty")),
        ({"labels": {"a": "\x01"}}, ("/labels", "empty")),
        ({"labels": None}, ("/labels", "type")),
        ({"labels": {"a": 1}}, ("/labels/a", "type")),
        ({"labels": {"a b": "c"}}, ("/labels/a b", "bad_name")),
        ({"labels": {"a/b~c d": "c"}}, ("/labels/a~1b~0c d", "bad_name")),
        ({"labels": {"": "c"}}, ("/labels/", "bad_name")),
        ({"labels": {"a\n": "c"}}, ("/labels/a\n", "bad_name")),
        ({"labels": {"n" * 129: "c"}}, ("/labels/" + "n" * 129, "bad_name")),
        ({"labels": {"a": "x" * 1025}}, ("/labels/a", "too_long")),
        ({"labels": {f"l{n}": "x" for n in range(65)}}, ("/labels", "too_many")),
        ({"annotations": {f"l{n}": "x" for n in range(33)}}, ("/annotations", "too_many")),
        ({"annotations": {"a": "x" * 8193}}, ("/annotations/a", "too_long")),
        ({"annotations": []}, ("/annotations", "type")),
        ({"severity": "purple"}, ("/severity", "unknown_value")),
        ({"severity": ""}, ("/severity", "unknown_value")),
        ({"severity": True}, ("/severity", "unknown_value")),
        ({"severity": ["critical"]}, ("/severity", "unknown_value")),
        ({"status": "open"}, ("/status", "unknown_value")),
        ({"status": ["firing"]}, ("/status", "unknown_value")),
        ({"starts_at": "yesterday"}, ("/starts_at", "bad_time")),
        ({"starts_at": "2026-11-23T12:00:00"}, ("/starts_at", "bad_time")),
        ({"starts_at": 1_700_000_000}, ("/starts_at", "bad_time")),
        ({"starts_at": "2026-11-23T12:00:00Z", "ends_at": "2026-11-23T11:00:00Z"}, ("/ends_at", "ends_before_start")),
        ({"generator_url": "javascript:alert(1)"}, ("/generator_url", "bad_url")),
        ({"generator_url": "https://a b"}, ("/generator_url", "bad_url")),
        ({"generator_url": "https://user:pass@host/"}, ("/generator_url", "bad_url")),
        ({"generator_url": ""}, ("/generator_url", "bad_url")),
        ({"generator_url": "https://a/" + "x" * 2048}, ("/generator_url", "too_long")),
        ({"metric": {"name": "cpu"}}, ("/metric", "type")),
        ({"metric": {"name": "cpu", "value": "1"}}, ("/metric/value", "type")),
        ({"metric": {"name": "cpu", "value": True}}, ("/metric/value", "type")),
        ({"metric": {"name": "", "value": 1}}, ("/metric/name", "bad_name")),
        ({"metric": {"name": "a\nb", "value": 1}}, ("/metric/name", "bad_name")),
        ({"metric": {"name": "cpu", "value": 1, "unit": "s"}}, ("/metric/unit", "unknown_field")),
        ({"start_at": "2026-11-23T12:00:00Z"}, ("/start_at", "unknown_field")),
    ],
)
def test_a_fault_names_its_place_and_rule(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert fault_of(**changes) == expected


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (b'{"labels":{"a":"1","a":"2"}}', "/labels/a", "duplicate_key"),
        (b'{"labels":{"a":"1"},"labels":{"a":"1"}}', "/labels", "duplicate_key"),
        (b'{"labels":{"a":"\\u0000"}}', "/labels/a", "nul_character"),
        (b'{"labels":{"a\\u0000":"b"}}', "/labels/a\\u0000", "nul_character"),
        (b'{"labels":{"a":"b"},"annotations":{"a":"\\ud800 "}}', "/annotations/a", "lone_surrogate"),
        (b'{"labels":{"a":"b"},"metric":{"name":"m","value":NaN}}', "/metric/value", "not_a_number"),
        (b'{"labels":{"a":"b"},"metric":{"name":"m","value":1e400}}', "/metric/value", "number_out_of_range"),
        (
            b'{"labels":{"a":"b"},"metric":{"name":"m","value":' + b"9" * 5000 + b"}}",
            "/metric/value",
            "number_out_of_range",
        ),
        (b'{"labels":{"a":' + b"[" * 40 + b"]" * 40 + b"}}", "", "too_deep"),
        (b"7", "", "type"),
    ],
)
def test_strict_reading_finds_it_in_one_item_and_spares_the_others(body: bytes, pointer: str, code: str) -> None:
    decoded = decode_native(b'[{"labels":{"a":"b"}},' + body + b',{"labels":{"c":"d"}}]', NOW)
    assert [alert.labels for alert in decoded.alerts] == [{"a": "b"}, {"c": "d"}]
    assert next((fault.index, fault.pointer, fault.code) for fault in decoded.rejected) == (1, "/1" + pointer, code)
    assert list(decoded.raw) == [1]


def test_the_bytes_of_a_faulty_item_are_kept_as_they_came() -> None:
    assert decode_native(b'[{"labels":{"a":"b"}}, {"labels" : {} } ]', NOW).raw == {1: b'{"labels" : {} }'}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b'{"labels":{"a":"b"}} x', 400, "malformed_json"),
        (b"\xef\xbb\xbf{}", 400, "malformed_json"),
        (b'{"labels":{"a":"\xff"}}', 400, "not_utf8"),
        (b'[{"labels":{"a":"\xff"}}]', 400, "not_utf8"),
        ('{"labels":{"a":"b"}}'.encode("utf-16"), 400, "not_utf8"),
        (b"[" * 5000, 400, "too_deep"),
        (b"[" * 100_000 + b"]" * 100_000, 400, "too_deep"),
        (b'{"labels":' * 5000, 400, "too_deep"),
        (b"[]", 400, "empty"),
        (b'"text"', 400, "type"),
        (b"null", 400, "type"),
        (b"[" + b",".join([b'{"labels":{"a":"b"}}'] * 1001) + b"]", 413, "too_many"),
        (b" " * 1_048_577, 413, "too_large"),
    ],
)
def test_what_cannot_be_used_at_all_is_refused_whole(body: bytes, status: int, code: str) -> None:
    with pytest.raises(InputRefused) as refused:
        decode_native(body, NOW)
    assert (refused.value.status, refused.value.code) == (status, code)


def test_times_far_off_are_moved_and_flagged() -> None:
    alert = only({"labels": {"a": "b"}, "starts_at": "1970-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z"})
    assert (alert.starts_at, alert.flags) == (NOW - timedelta(hours=24), Flag.TIME_CLAMPED)
    assert alert.ends_at == NOW + timedelta(days=30)


def test_the_end_of_a_resolved_alert_lies_at_most_minutes_ahead() -> None:
    alert = only({"labels": {"a": "b"}, "status": "resolved", "ends_at": "9999-12-31T23:59:59-14:00"})
    assert (alert.ends_at, alert.flags) == (NOW + timedelta(minutes=5), Flag.TIME_CLAMPED)


@pytest.mark.parametrize(
    ("sent", "kept", "flag"),
    [
        ("a\nb", "a b", Flag.TEXT_CLEANED),
        ("a\x1b[31mb", "a[31mb", Flag.TEXT_CLEANED),
        ("gpj.\u202eexe", "gpj.exe", Flag.TEXT_CLEANED),
        ("x\x7f", "x", Flag.TEXT_CLEANED),
        ("Überlauf — 5 %", "Überlauf — 5 %", 0),
        ("👩‍🚒", "👩‍🚒", 0),
        ('say "hi" \\o/', 'say "hi" \\o/', 0),
        ("<b>*@channel*</b>", "<b>*@channel*</b>", 0),
    ],
)
def test_labels_lose_what_forges_or_hides(sent: str, kept: str, flag: int) -> None:
    for ensure_ascii in (True, False):
        body = json.dumps({"labels": {"a": sent}}, ensure_ascii=ensure_ascii).encode()
        alert = decode_native(body, NOW).alerts[0]
        assert (alert.labels, alert.flags) == ({"a": kept}, flag)


def test_annotations_keep_their_lines() -> None:
    alert = only({"labels": {"a": "b"}, "annotations": {"d": "one\r\n\ttwo\n\u2066three\0".rstrip("\0")}})
    assert (alert.annotations["d"], alert.flags) == ("one\n\ttwo\nthree", Flag.TEXT_CLEANED)
    assert only({"labels": {"a": "b"}, "annotations": {"d": "one\r\ntwo"}}).flags == 0


def test_an_empty_label_equals_a_missing_one() -> None:
    assert only({"labels": {"a": "b", "team": ""}}).labels == {"a": "b"}


def test_one_item_with_many_faults_names_them_all_up_to_ten() -> None:
    decoded = decode([{"labels": {f"bad {n}": "x" for n in range(20)}}])
    assert len(decoded.rejected) == 10
    assert decoded.rejected_count == 1


def test_what_is_stored_comes_back_the_same() -> None:
    alerts = decode([GOOD, {"labels": {"ü": "x"}}, {"labels": {"a": "b"}, "status": "resolved"}]).alerts
    assert decode_body(encode_body(alerts)) == alerts
    assert decode_body(memoryview(encode_body(alerts))) == alerts
    assert decode_body(memoryview(encode_body(alerts * 300))) == alerts * 300
    assert len(encode_body(alerts * 300)) < 10 * len(encode_body(alerts))


def test_title_prefers_what_people_wrote() -> None:
    assert title_of({"alertname": "X"}, {"summary": "It\nis full"}) == "It is full"
    assert title_of({"alertname": "X"}, {}) == "X"
    assert title_of({"b": "2", "a": "1"}, {}) == "a=1, b=2"


texts = st.text(st.sampled_from('ab"\\\n\0é\u202e\ud800/'), max_size=4)
names_ = st.sampled_from(["a", "b", "severity", "a b", "ü", "a\\", 'a"'])
times = st.sampled_from(["2026-11-23T11:00:00Z", "2026-11-23T12:00:00+01:00", "2020-01-01T00:00:00Z", "x", None, 5])
alerts_: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"labels": st.dictionaries(names_, texts, max_size=3)},
    optional={
        "annotations": st.dictionaries(names_, texts, max_size=2) | st.none(),
        "severity": st.sampled_from(["critical", "P1", "", "zz", None, 3]),
        "status": st.sampled_from(["firing", "resolved", "", None, "x"]),
        "starts_at": times,
        "ends_at": times,
        "generator_url": st.sampled_from(["https://a.example/x", "ftp://x", "", None, 1]),
        "metric": st.sampled_from([None, {}, {"name": "m", "value": 1}, {"name": "m", "value": None}, []]),
        "typo": st.just(1),
    },
)


@given(st.lists(alerts_, min_size=1, max_size=4), st.booleans())
def test_the_fast_way_and_the_careful_way_agree(documents: list[dict[str, Any]], ensure_ascii: bool) -> None:
    body = json.dumps(documents, ensure_ascii=ensure_ascii).encode("utf-8", "replace")
    decoded = decode_native(body, NOW)
    values, faults = strict_json.examine(body)
    careful = decode_values(NATIVE, values, faults, "", Window.around(NOW))
    assert (decoded.alerts, decoded.rejected) == (careful.alerts, careful.rejected)
    assert decoded.raw.keys() == careful.raw.keys()


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.none(), max_size=6), st.booleans())
def test_counted_strings_are_those_in_the_bytes(document: dict[str, str | None], ensure_ascii: bool) -> None:
    body = json.dumps(document, ensure_ascii=ensure_ascii).encode("utf-8", "replace")
    assert strings_in(body) == len(document) + sum(value is not None for value in document.values())
